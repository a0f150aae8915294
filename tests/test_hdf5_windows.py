"""The HDF5 file of windows: nothing is lost, half-written or read in vain, and what is wrong is said."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import tracemalloc
from dataclasses import replace

import h5py
import numpy as np
import pytest
from window_files import h5, same, some

from course_utils.hdf5_windows import HDF5Windows, read_windows, write_windows
from course_utils.windows import WindowError


@pytest.fixture
def path(tmp_path):
    write_windows(tmp_path / "seq.h5", {"train": some(swap=(1, 0)), "test": some(2, seed=2, swap=(1, 0))})
    return tmp_path / "seq.h5"


def test_what_is_written_is_read_back(path):
    assert same(read_windows(path, "train"), some(swap=(1, 0)))
    assert same(read_windows(path, "test", 1, 2), some(2, seed=2, swap=(1, 0)).subset([1]))
    assert [file.name for file in path.parent.iterdir()] == ["seq.h5"]


def test_places_and_partners_that_are_not_known_stay_so(tmp_path):
    write_windows(tmp_path / "seq.h5", {"valid": some(places=None)})
    assert same(read_windows(tmp_path / "seq.h5", "valid"), some(places=None))


def test_the_code_of_the_lecture_reads_the_file(path):
    with h5py.File(path, "r") as ml_h5:
        ratio = 2
        train_x, train_y = ml_h5["train_in"], ml_h5["train_out"]
        assert (train_x.shape, train_x.dtype) == ((4, 16, 4), np.dtype(bool))
        assert (train_y.shape, train_y.dtype) == ((4, 4, 2), np.dtype("float16"))
        assert train_x.chunks == (1, 16, 4) and train_x.compression is None
        assert ml_h5["target_labels"].dtype == np.dtype("S7")
        assert np.array_equal(train_x[: len(train_x) // ratio], some().one_hot[:2])
        assert np.array_equal(train_y[:100], some().tracks)


def test_a_file_of_the_lecture_without_our_keys_is_read(tmp_path):
    (tmp_path / "seq.h5").write_bytes(h5())
    windows = read_windows(tmp_path / "seq.h5", "train")
    assert windows.labels == ("CAGE:heart", "CAGE:liver") and windows.places is None and windows.swap is None
    assert windows.tracks[0, 1, 1] == 1.5
    assert HDF5Windows(tmp_path / "seq.h5", "train").swap is None


def test_numbers_are_rounded_as_float16_rounds(tmp_path):
    windows = some(experiments=1, labels=["a"])
    values = np.resize([0, 1 / 3, 2049, 65504, 2.9e-8, 3e-8, 1.234e-6], (4, 4, 1))
    write_windows(tmp_path / "a.h5", {"train": replace(windows, tracks=values)})
    read = read_windows(tmp_path / "a.h5", "train").tracks
    assert np.array_equal(read, values.astype("float16"))
    assert read[1, 0, 0] == 0 < read[1, 1, 0]  # 2.9e-8 is lost


def test_a_number_beyond_float16_is_refused_and_the_old_file_stays(path):
    before = path.read_bytes()
    windows = some(experiments=2)
    windows.tracks[2, 1, 0] = 65505
    with pytest.raises(WindowError, match="window 2, bin 1, track 0 of train is 65505; float16.* up to 65504"):
        write_windows(path, {"train": windows})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


@pytest.mark.parametrize(
    "splits, words",
    [
        ({}, "some of train, valid, test"),
        ({"training": some()}, "training"),
        ({"train": some(), "test": some(length=32)}, "length of train is 16, and of test 32"),
        ({"train": some(), "test": some(bins=8)}, "bin_size of train is 4, and of test 2"),
        ({"train": some(), "test": some(labels=["a", "b"])}, "labels of train"),
        ({"train": some(), "test": some(swap=(1, 0))}, "swap of train is None"),
    ],
)
def test_splits_that_do_not_go_together_are_refused(tmp_path, splits, words):
    with pytest.raises(WindowError, match=words):
        write_windows(tmp_path / "seq.h5", splits)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_writing_leaves_the_old_file_and_no_other(path, monkeypatch):
    before = path.read_bytes()

    def interrupted(self, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(h5py.Dataset, "__setitem__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_windows(path, {"train": some()})
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
from window_files import some
from course_utils.hdf5_windows import write_windows
windows = some(20, length=16384)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    write_windows({path!r}, {{"train": windows}})
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
@pytest.mark.parametrize("limit", [100, 20_000, 500_000])
def test_a_disk_that_fills_up_leaves_the_old_file_and_no_other(path, limit):
    before = path.read_bytes()
    code = FULL.format(tests=os.path.dirname(__file__), limit=limit, path=str(path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "could not be written (File too large)" in run.stdout and "is as it was" in run.stdout, run.stdout + run.stderr
    assert run.stdout.count("\n") == 1 and (run.stderr, run.returncode) == ("", 0)
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(OSError, match="none/seq.h5 could not be written"):
        write_windows(tmp_path / "none/seq.h5", {"train": some()})


WRONG = {
    "no_out": (h5(train_out=None), ["no train_out", "it holds target_labels, test_in, test_out, train_in"]),
    "no_labels": (h5(target_labels=None), ["no target_labels"]),
    "nothing": (h5(train_in=None, train_out=None, test_in=None, test_out=None, target_labels=None), ["nothing"]),
    "length": (h5(train_in=np.zeros((3, 9, 4), bool)), ["9 bases", "4 bins"]),
    "axes": (h5(train_in=np.zeros((3, 4, 8), bool)), ["(3, 4, 8)", "last axis"]),
    "windows": (h5(train_in=np.zeros((2, 8, 4), bool)), ["2 windows", "train_out 3"]),
    "labels": (h5(target_labels=np.array([b"one"])), ["2 tracks", "(1,)"]),
    "numbers": (h5(target_labels=np.array([1, 2])), ["target_labels", "int64", "names"]),
    "nan": (h5(train_out=np.full((3, 4, 2), np.nan, "f2")), ["window 0, bin 0, track 0", "nan", "finite"]),
    "minus": (h5(train_out=np.full((3, 4, 2), -1, "f2")), ["is -1", "from 0 up"]),
    "cut": (h5()[:-100], ["no whole HDF5 file", "cut short"]),
    "text": (b">chr1\nACGT\n", ["no whole HDF5 file", "another kind"]),
    "empty": (b"", ["no whole HDF5 file"]),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("reader", [read_windows, lambda *where: HDF5Windows(*where)[0]])
def test_a_file_that_holds_something_else_is_refused_in_one_sentence(tmp_path, name, reader):
    content, words = WRONG[name]
    (tmp_path / "seq.h5").write_bytes(content)
    with pytest.raises(WindowError) as caught:
        reader(tmp_path / "seq.h5", "train")
    said = str(caught.value)
    assert [word for word in words if word not in said] == [] and "\n" not in said, said
    assert "seq.h5" in said and caught.value.__suppress_context__ is (caught.value.__context__ is not None)


@pytest.mark.parametrize(
    "keys, words",
    [
        ({"train_places": np.array([b"chr1"] * 3)}, "train_places of .* holds b'chr1'"),
        ({"train_places": np.array([b"chr1:0-8"] * 2)}, r"train_places of .* the shape \(2,\); the shape \(3,\)"),
        ({"train_places": b"chr1:0-8"}, r"train_places of .* the shape \(\)"),
        ({"train_places/first": 1}, "train_places of .* has keys of its own"),
        ({"target_swap": 1}, r"target_swap of .* the shape \(\); the shape \(2,\)"),
        ({"target_swap": np.array([1, 0, 2])}, r"target_swap of .* the shape \(3,\)"),
        ({"target_swap": np.array([0, 0])}, "target_swap of .* gives track 1 the partner 0"),
        ({"target_swap": np.array([1.0, 0.0])}, r"target_swap of .* is \[1.0, 0.0\]"),
    ],
)
def test_our_own_keys_are_checked_when_they_are_read(tmp_path, keys, words):
    (tmp_path / "seq.h5").write_bytes(h5(**keys))
    with pytest.raises(WindowError, match=words):
        read_windows(tmp_path / "seq.h5", "train")
    if "holds" not in words:  # the text of the places is no matter of training
        with pytest.raises(WindowError, match=words):
            HDF5Windows(tmp_path / "seq.h5", "train")


def test_a_chunk_that_is_damaged_is_refused(tmp_path):
    with h5py.File(tmp_path / "seq.h5", "w") as file:
        file["target_labels"] = np.array([b"a"])
        file["train_out"] = np.zeros((2, 4, 1), "f2")
        ones = np.eye(4, dtype=bool)[np.random.default_rng(1).integers(0, 4, (2, 4096))]
        data = file.create_dataset("train_in", data=ones, chunks=(1, 4096, 4), compression="gzip")
        start = data.id.get_chunk_info(1).byte_offset
    with open(tmp_path / "seq.h5", "r+b") as file:
        file.seek(start)
        file.write(b"\0" * 50)
    data = HDF5Windows(tmp_path / "seq.h5", "train")
    assert data[0][0].sum() == 4096
    with pytest.raises(WindowError, match="no whole HDF5 file"):
        data[1]


@pytest.mark.parametrize("start, stop", [(0, 5), (2, 2), (-1, 2), (4, None)])
def test_windows_that_the_file_does_not_hold_are_refused(path, start, stop):
    with pytest.raises(WindowError, match="holds 4"):
        read_windows(path, "train", start, stop)


# --- one window at a time ------------------------------------------------------------------------


def test_a_dataset_gives_what_the_network_takes(path):
    data = HDF5Windows(path, "train")
    assert (len(data), data.shape, data.labels) == (4, (4, 16, 4, 2), ("track 0", "track 1"))
    assert data.swap == (1, 0)
    for number in (0, 3, -1, np.int64(2)):
        inputs, tracks = data[number]
        assert inputs.shape == (4, 16) and inputs.dtype == np.float32 and inputs.flags.c_contiguous
        assert tracks.shape == (4, 2) and tracks.dtype == np.float32
        assert np.array_equal(inputs.T, some().one_hot[number])
        assert np.array_equal(tracks, some().tracks[number])
    assert len(list(data)) == 4  # a sequence ends with IndexError
    for number in (4, -5):
        with pytest.raises(IndexError, match="0 to 3"):
            data[number]
    with pytest.raises(TypeError):
        data[:2]


@pytest.mark.parametrize("fraction, count", [(1.0, 4), (0.5, 2), (1 / 3, 1), (0.29, 1), (0.25, 1)])
def test_a_fraction_is_the_beginning(path, fraction, count):
    data = HDF5Windows(path, "train", fraction)
    assert len(data) == count and data.shape[0] == count
    with pytest.raises(IndexError):
        data[count]


@pytest.mark.parametrize("fraction, words", [(0, "above 0"), (1.5, "up to 1"), (0.1, "leaves none"), (np.nan, "nan")])
def test_a_fraction_that_is_none_is_refused(path, fraction, words):
    with pytest.raises(WindowError, match=words):
        HDF5Windows(path, "train", fraction)


def test_29_hundredths_of_100_windows_are_29(tmp_path):
    write_windows(tmp_path / "a.h5", {"train": some(100, places=None)})
    assert len(HDF5Windows(tmp_path / "a.h5", "train", 0.29)) == 29


def test_a_wrong_number_is_found_in_the_window_where_it_stands(tmp_path):
    tracks = np.zeros((3, 4, 2), "f2")
    tracks[1, 2, 0] = -2
    (tmp_path / "seq.h5").write_bytes(h5(train_out=tracks))
    data = HDF5Windows(tmp_path / "seq.h5", "train")
    assert data[0][1].sum() == 0
    with pytest.raises(WindowError, match="window 1, bin 2, track 0 of train in .* is -2"):
        data[1]


@pytest.mark.parametrize("base, words", [((5, 1), "has 2 at position 5"), (slice(5, 6), "has 4 bases at position 5")])
def test_a_wrong_base_is_found_in_the_window_where_it_stands(tmp_path, base, words):
    one_hot = np.eye(4, dtype=np.uint8)[np.random.default_rng(1).integers(0, 4, (3, 8))]
    one_hot[2][base] = 2 if isinstance(base, tuple) else 1
    (tmp_path / "seq.h5").write_bytes(h5(train_in=one_hot))
    data = HDF5Windows(tmp_path / "seq.h5", "train")
    assert data[1][0].sum() == 8
    said = f"window 2 of train_in in .*seq.h5 {words}"
    with pytest.raises(WindowError, match=said):
        data[2]
    with pytest.raises(WindowError, match=said):
        read_windows(tmp_path / "seq.h5", "train", 1, 3)
    assert len(read_windows(tmp_path / "seq.h5", "train", 0, 2)) == 2


def test_a_window_costs_the_memory_of_a_window(tmp_path):
    length = 4096
    write_windows(tmp_path / "a.h5", {"train": some(60, length=length, places=None)})
    data = HDF5Windows(tmp_path / "a.h5", "train")
    data[0]
    tracemalloc.start()
    for number in range(60):
        data[number]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * length * 4 * 4  # of 60 windows, as float32, 60 times length * 4 * 4


def test_only_one_window_is_asked_of_the_file(path, monkeypatch):
    asked, read = [], h5py.Dataset.__getitem__

    def watched(self, index, *others, **named):
        asked.append((self.name, index))
        return read(self, index, *others, **named)

    data = HDF5Windows(path, "train")
    monkeypatch.setattr(h5py.Dataset, "__getitem__", watched)
    data[2]
    assert asked == [("/train_in", 2), ("/train_out", 2)]


def test_a_dataset_travels_to_other_processes(path):
    data = HDF5Windows(path, "train")
    data[0]
    copy = pickle.loads(pickle.dumps(data))
    assert np.array_equal(copy[1][0], data[1][0])
    assert len(copy) == 4 and copy.labels == data.labels


def test_a_dataset_is_read_after_the_working_folder_changes(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    data = HDF5Windows("seq.h5", "train")
    monkeypatch.chdir("/")
    assert np.array_equal(data[1][1], some().tracks[1])
    assert repr(data) == "4 windows of 16 bp of train in seq.h5"


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="this system cannot fork")
def test_a_forked_process_opens_the_file_for_itself(path, monkeypatch):
    data = HDF5Windows(path, "train")
    data[0]
    opened = data._file
    monkeypatch.setitem(INHERITED, "data", data)
    monkeypatch.setitem(INHERITED, "file", opened)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        found = pool.map(_total, range(4))
    assert found == [(some().tracks[number].sum(), True, True) for number in range(4)]
    data[1]
    assert data._file is opened  # the parent's is still open


#: What a forked process finds here is the parent's own, open file: nothing is pickled.
INHERITED = {}


def _total(number: int) -> tuple[float, bool, bool]:
    """The sum of a window's tracks, and whether this process opened the file, and is not the parent."""
    data, file = INHERITED["data"], INHERITED["file"]
    total = float(data[number][1].sum())
    return total, data._file is not file and data._process == os.getpid(), multiprocessing.parent_process() is not None


def test_a_closed_file_can_be_deleted_and_a_read_opens_it_again(path):
    data = HDF5Windows(path, "train")
    data[0]
    data.close()
    data.close()
    assert data[1][1].shape == (4, 2)
    data.close()
    path.unlink()
    with pytest.raises(FileNotFoundError):
        data[0]


def test_fit_trains_on_the_file_as_on_arrays(path):
    import torch

    from course_utils.training import fit

    losses = []
    arrays = some(swap=(1, 0))
    inputs = torch.from_numpy(arrays.one_hot).permute(0, 2, 1).float()
    for data in (
        HDF5Windows(path, "train"),
        torch.utils.data.TensorDataset(inputs, torch.from_numpy(arrays.tracks)),
    ):
        torch.manual_seed(1)
        model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 8), torch.nn.Unflatten(1, (4, 2)))
        history = fit(
            model,
            data,
            loss=torch.nn.MSELoss(),
            optimizer=torch.optim.Adam(model.parameters()),
            epochs=2,
            batch_size=2,
            generator=torch.Generator().manual_seed(1),
            progress=False,
        )
        losses.append(history.batch_loss)
    assert losses[0] == losses[1] and len(losses[0]) == 4
