"""Packed windows are the windows of the HDF5 file, a byte a base; a folder is whole, up to date, or not there."""

import json
import os
import pickle
import subprocess
import sys

import h5py
import numpy as np
import pytest
import torch
from window_files import h5, some

from course_utils.batches import ahead, batch_of, read_batch
from course_utils.hdf5_windows import HDF5Windows, splits_of, write_windows
from course_utils.packed_windows import PackedWindows, pack_windows
from course_utils.windows import WindowError

CPU = torch.device("cpu")


@pytest.fixture
def source(tmp_path):
    """39 and 5 windows, each with an N, on two strands."""
    parts = {"train": some(39, swap=(1, 0)), "test": some(5, seed=2, swap=(1, 0))}
    write_windows(tmp_path / "seq.h5", parts)
    return tmp_path / "seq.h5"


@pytest.mark.parametrize("split", ["train", "test"])
def test_packed_windows_are_those_of_the_file(source, split):
    file, packed = HDF5Windows(source, split), PackedWindows(pack_windows(source), split)
    assert (packed.labels, packed.swap, packed.shape) == (file.labels, file.swap, file.shape)
    for one, other in zip(file, packed, strict=True):
        assert all(np.array_equal(a, b) and a.dtype == b.dtype == np.float32 for a, b in zip(one, other, strict=True))
    assert not packed[0][0][:, 3].any(), "an N is four zeros"


def test_a_batch_of_either_is_the_same_to_the_bit_and_laid_out_alike(source):
    index = torch.tensor([7, 38, 7, 0])
    file, packed = HDF5Windows(source, "train"), PackedWindows(pack_windows(source), "train")
    batches = [batch_of(data, index, CPU) for data in (file, packed)]
    batches.append([torch.stack(column) for column in zip(*([torch.from_numpy(a) for a in file[i]] for i in index))])
    for inputs, tracks in batches:
        assert torch.equal(inputs, batches[0][0]) and torch.equal(tracks, batches[0][1])
        assert inputs.is_contiguous() and inputs.dtype == tracks.dtype == torch.float32


def test_a_base_takes_one_byte_and_a_count_two(source):
    folder = pack_windows(source)
    assert folder == source.with_name("seq.packed") and not source.with_name("seq.packed.part").exists()
    codes, tracks = (np.load(folder / f"train_{part}.npy", mmap_mode="r") for part in ("codes", "tracks"))
    assert (codes.shape, codes.dtype, tracks.dtype) == ((39, 16), np.uint8, np.float16)
    assert set(np.unique(codes)) == {0, 1, 2, 3, 4}
    assert [tensor.dtype for tensor in read_batch(PackedWindows(folder, "train"), torch.tensor([1]))] == [
        torch.uint8,
        torch.float16,
    ]


def test_tracks_in_full_precision_stay_so(tmp_path):
    (tmp_path / "seq.h5").write_bytes(h5(train_out=np.full((3, 4, 2), 1 / 3, "f4")))
    assert PackedWindows(pack_windows(tmp_path / "seq.h5"), "train")[0][1][0, 0] == np.float32(1 / 3)


def test_a_file_packed_across_windows_is_read_in_whole_blocks(source, monkeypatch):
    other = source.with_name("other.h5")
    with h5py.File(source) as file, h5py.File(other, "w") as copy:
        for key in file:
            shape = file[key].shape
            chunks = (4, *shape[1:]) if shape[1:] else None
            copy.create_dataset(key, data=file[key][:], chunks=chunks, compression="gzip" if chunks else None)
    monkeypatch.setattr("course_utils.hdf5_windows.BLOCK", 10 * 16 * 4)  # ten windows, of which two blocks
    assert [len(one_hot) for one_hot, _ in HDF5Windows(other, "train").blocks()] == [8, 8, 8, 8, 7]
    folders = pack_windows(source), pack_windows(other)
    one, same = (PackedWindows(folder, "train").take(torch.arange(39)) for folder in folders)
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])


def test_a_fraction_is_counted_from_the_beginning(source):
    folder = pack_windows(source)
    part = PackedWindows(folder, "train", fraction=0.25)
    assert len(part) == 9 and np.array_equal(part[-1][1], PackedWindows(folder, "train")[8][1])
    with pytest.raises(IndexError, match="no window 9"):
        part[9]


def test_what_is_packed_already_is_not_packed_again_and_a_changed_file_is(source):
    folder = pack_windows(source)
    before = os.stat(folder / "train_codes.npy").st_mtime_ns
    assert os.stat(pack_windows(source) / "train_codes.npy").st_mtime_ns == before
    write_windows(source, {"train": some(4, seed=9)})
    assert len(PackedWindows(pack_windows(source), "train")) == 4
    assert not (folder / "test_codes.npy").exists()
    with pytest.raises(WindowError, match="has no split 'test'; it holds train"):
        PackedWindows(folder, "test")


def test_another_process_is_sent_the_name_of_the_folder_and_not_the_windows(source):
    sent = pickle.dumps(PackedWindows(pack_windows(source), "train", 0.5))
    assert len(sent) < 500 and len(pickle.loads(sent)) == 19


def test_a_file_that_is_wrong_is_not_packed(tmp_path):
    (tmp_path / "seq.h5").write_bytes(h5(test_out=np.full((2, 4, 2), np.nan, "f2")))
    with pytest.raises(WindowError, match="window 0, bin 0, track 0 of test in .* is nan"):
        pack_windows(tmp_path / "seq.h5")
    assert [path.name for path in tmp_path.iterdir()] == ["seq.h5"]


def test_an_interrupted_packing_leaves_nothing_and_a_killed_one_is_begun_anew(source, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    part = source.with_name("seq.packed.part")
    part.mkdir()
    (part / "train_codes.npy").write_bytes(b"half")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(HDF5Windows, "blocks", interrupted)
        pack_windows(source)
    assert [path.name for path in source.parent.iterdir()] == ["seq.h5"]
    assert len(PackedWindows(pack_windows(source), "train")) == 39


FULL = """
import resource, sys
from course_utils.packed_windows import pack_windows
resource.setrlimit(resource.RLIMIT_FSIZE, (400, 400))
try:
    pack_windows(sys.argv[1])
except OSError as error:
    print(error)
"""


def test_a_full_disk_is_told_in_one_sentence_and_nothing_is_left(source):
    pytest.importorskip("resource")
    run = subprocess.run([sys.executable, "-c", FULL, str(source)], capture_output=True, text=True)
    assert "File too large; the windows of" in run.stdout and "were not packed" in run.stdout
    assert (run.stdout.count("\n"), run.stderr, run.returncode) == (1, "", 0)
    assert [path.name for path in source.parent.iterdir()] == ["seq.h5"]


@pytest.mark.parametrize("damage", ["cut", "other", "description", "none"])
def test_a_damaged_folder_is_described(source, damage):
    folder = pack_windows(source)
    if damage == "cut":
        (folder / "train_codes.npy").write_bytes((folder / "train_codes.npy").read_bytes()[:-1])
    elif damage == "other":
        np.save(folder / "train_tracks.npy", np.zeros((3, 4, 2), np.float16))
    elif damage == "description":
        (folder / "packed.json").write_text("{}")
    else:
        (folder / "packed.json").unlink()
    with pytest.raises(WindowError, match="cut short|do not fit together|no folder of packed windows") as caught:
        PackedWindows(folder, "train")
    assert "\n" not in str(caught.value) and caught.value.__suppress_context__ is (caught.value.__context__ is not None)


def test_a_folder_with_something_else_is_left_alone(source):
    folder = source.with_name("mine")
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(WindowError, match="mine holds something else"):
        pack_windows(source, folder)
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_the_splits_of_a_file_are_told_in_their_order(source):
    assert splits_of(source) == ("train", "test")
    with h5py.File(source.with_name("none.h5"), "w") as file:
        file["other"] = 1
    with pytest.raises(WindowError, match="has no train_in; it holds other"):
        splits_of(source.with_name("none.h5"))


# --- reading ahead -------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_what_is_read_ahead_comes_in_order_and_all_of_it(workers):
    assert list(ahead(lambda number: number**2, range(50), workers)) == [number**2 for number in range(50)]


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_reading_comes_at_its_place(workers):
    results = ahead(lambda number: 1 // (3 - number), iter(range(100)), workers)
    assert [next(results) for _ in range(3)] == [0, 0, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_only_a_few_items_are_read_ahead():
    read = []
    results = ahead(lambda number: read.append(number), range(1000), 2)
    next(results), next(results)
    results.close()
    assert len(read) < 10


def test_the_description_says_where_the_windows_came_from(source):
    about = json.loads((pack_windows(source) / "packed.json").read_text())
    assert about["source"]["name"] == "seq.h5" and about["source"]["bytes"] == source.stat().st_size
