"""A file packed across windows is copied into blocks of one window: the same numbers, little memory, or nothing."""

import tracemalloc

import h5py
import numpy as np
import pytest
from window_files import h5, some

import course_utils.hdf5_windows
from course_utils.hdf5_windows import rechunk
from course_utils.windows import WindowError


@pytest.fixture
def packed(tmp_path):
    """What :func:`some` gives for train and test, packed across windows, with keys of others beside."""
    with h5py.File(tmp_path / "packed.h5", "w") as file:
        for split, windows in {"train": some(20), "test": some(7, seed=2)}.items():
            options = {"compression": "gzip", "chunks": (5, 8, 1)}
            file.create_dataset(f"{split}_in", data=windows.one_hot, **options)
            file.create_dataset(f"{split}_out", data=windows.tracks.astype("f2"), **options | {"chunks": (7, 2, 1)})
        file["target_labels"] = np.array([b"one", b"two"])
        file["others/pool_width"] = 128
        file.attrs["genome"] = file["train_in"].attrs["genome"] = "hg19"
    return tmp_path / "packed.h5"


@pytest.mark.parametrize("size", [1, 400, 1 << 20])
def test_a_copy_holds_the_same_numbers_and_keys_in_a_block_a_window(packed, monkeypatch, size):
    monkeypatch.setattr(course_utils.hdf5_windows, "BLOCK", size)
    rechunk(packed, packed.with_name("quick.h5"), progress=False)
    with h5py.File(packed) as old, h5py.File(packed.with_name("quick.h5")) as new:
        assert set(new) == set(old) and dict(new.attrs) == dict(new["train_in"].attrs) == {"genome": "hg19"}
        assert new["others/pool_width"][()] == 128
        for key in ("train_in", "train_out", "test_in", "test_out", "target_labels"):
            assert new[key].dtype == old[key].dtype and np.array_equal(new[key], old[key])
            if key != "target_labels":
                assert new[key].chunks == (1, *old[key].shape[1:]) and new[key].compression is None
    assert len(list(packed.parent.iterdir())) == 2


def test_a_copy_costs_the_memory_of_a_block(tmp_path, monkeypatch):
    size = 4096 * 4 * 4  # 4 of 100 windows
    with h5py.File(tmp_path / "packed.h5", "w") as file:
        windows = some(100, length=4096)
        file.create_dataset("train_in", data=windows.one_hot, compression="gzip", chunks=(4, 1024, 1))
        file.create_dataset("train_out", data=windows.tracks.astype("f2"))
        file["target_labels"] = np.array([b"one", b"two"])
    rechunk(tmp_path / "packed.h5", tmp_path / "warm.h5", progress=False)
    monkeypatch.setattr(course_utils.hdf5_windows, "BLOCK", size)
    tracemalloc.start()
    rechunk(tmp_path / "packed.h5", tmp_path / "quick.h5", progress=False)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * size < 100 * 4096 * 4 / 5


def test_an_interrupted_copy_leaves_nothing(packed, monkeypatch):
    def interrupted(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(h5py.Dataset, "__setitem__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rechunk(packed, packed.with_name("quick.h5"), progress=False)
    assert list(packed.parent.iterdir()) == [packed]


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"train_out": np.full((3, 4, 2), -1, "f2")}, "window 0, bin 0, track 0 of train_out in .* is -1"),
        ({"test_in": np.ones((2, 8, 4), bool)}, "window 0 of test_in in .* has 4 bases at position 0"),
        ({"test_in": None}, "no test_in"),
        ({"train_in": None, "train_out": None, "test_in": None, "test_out": None}, "no train_in; it holds target_labels"),
    ],
)
def test_a_file_that_is_wrong_is_not_copied(tmp_path, keys, words):
    (tmp_path / "seq.h5").write_bytes(h5(**keys))
    (tmp_path / "old.h5").write_bytes(b"as it was")
    with pytest.raises(WindowError, match=words):
        rechunk(tmp_path / "seq.h5", tmp_path / "old.h5", progress=False)
    assert (tmp_path / "old.h5").read_bytes() == b"as it was" and len(list(tmp_path.iterdir())) == 2
