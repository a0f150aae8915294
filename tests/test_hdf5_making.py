"""A file of windows that is made batch by batch: whole or not at all, and the same after every kind of break."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from window_files import h5, same, some

from course_utils import hdf5_making, window_layout
from course_utils.hdf5_making import make_file
from course_utils.hdf5_windows import HDF5Windows, read_windows, rechunk
from course_utils.window_layout import Layout
from course_utils.windows import WindowError

COUNTS = {"train": 7, "valid": 2, "test": 3}
MANIFEST = {"made_by": "a test", "sources": [{"name": "게놈.fa", "sha256": "12"}], "settings": {"stride": 16}}
SPLITS = {split: some(count, seed=seed, swap=(1, 0)) for seed, (split, count) in enumerate(COUNTS.items())}
LAYOUT = Layout(
    counts=COUNTS,
    length=16,
    bins=4,
    labels=SPLITS["train"].labels,
    swap=(1, 0),
    places={split: windows.places for split, windows in SPLITS.items()},
    extras={"test": ("rate",)},
)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(window_layout, "BATCH", 2)


def batches(split, start, stop):
    windows = SPLITS[split].subset(range(start, stop))
    return {"in": windows.one_hot, "out": windows.tracks, "rate": windows.tracks / 3}


def make(path, layout=LAYOUT, batches=batches, manifest=MANIFEST):
    make_file(path, layout, batches, manifest=manifest, progress=False)
    return path


def names(folder):
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def whole(tmp_path):
    (tmp_path / "whole").mkdir()
    return make(tmp_path / "whole/창 窓 1.h5").read_bytes()


def test_what_is_made_is_read_back(tmp_path, whole):
    path = tmp_path / "whole/창 窓 1.h5"
    assert names(path.parent) == [path.name]
    for split, windows in SPLITS.items():
        assert same(read_windows(path, split), windows)
        inputs, tracks = HDF5Windows(path, split)[1]
        assert np.array_equal(inputs.T, windows.one_hot[1]) and np.array_equal(tracks, windows.tracks[1])
    with h5py.File(path) as file:
        assert json.loads(file["manifest"][()]) == MANIFEST
        assert file["train_in"].chunks is None and file["train_in"].dtype == bool and file["train_out"].dtype == "f2"
        assert file["test_rate"].dtype == "f4" and "train_rate" not in file
        assert np.array_equal(file["test_rate"][:], (SPLITS["test"].tracks / 3).astype("f4"))
    rechunk(path, tmp_path / "copy.h5", progress=False)
    assert same(read_windows(tmp_path / "copy.h5", "train"), SPLITS["train"])
    with h5py.File(tmp_path / "copy.h5") as file:
        assert json.loads(file["manifest"][()]) == MANIFEST and file["test_rate"].shape == (3, 4, 2)


def test_a_file_is_the_same_byte_by_byte_however_large_its_batches(tmp_path, whole, monkeypatch):
    monkeypatch.setattr(window_layout, "BATCH", 64)
    assert make(tmp_path / "a.h5").read_bytes() == whole


def test_without_swap_places_and_extras_there_are_none(tmp_path):
    layout = Layout({"test": 3}, 16, 4, LAYOUT.labels)
    make(tmp_path / "a.h5", layout)
    assert same(read_windows(tmp_path / "a.h5", "test"), replace(SPLITS["test"], swap=None, places=None))


# --- breaks --------------------------------------------------------------------------------------

#: Makes the file, and is killed at a step on the disk: a write (of which half is done), a flush, a new name.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_hdf5_making as t
from course_utils import hdf5_making, window_layout
window_layout.BATCH = 2
steps, limit = 0, {limit}
def counted(action, half=False):
    def step(*arguments):
        global steps
        steps += 1
        if steps == limit:
            if half:
                action(arguments[0], bytes(arguments[1])[: len(bytes(arguments[1])) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        return action(*arguments)
    return step
hdf5_making.KeptFile.write = counted(hdf5_making.KeptFile.write, half=True)
for name in ("replace", "fsync", "fdatasync"):
    setattr(os, name, counted(getattr(os, name)))
t.make(Path({path!r}))
print(steps)
"""


def run_until(path, limit):
    code = KILLED.format(tests=os.path.dirname(__file__), limit=limit, path=str(path))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_making_goes_on_to_the_same_file(tmp_path, whole):
    run = run_until(tmp_path / "all.h5", 0)
    assert run.returncode == 0, run.stderr
    steps = int(run.stdout)
    assert (tmp_path / "all.h5").read_bytes() == whole and steps > 40
    moments = sorted({3, steps - 1, steps, *np.random.default_rng(5).integers(steps // 3, steps, 6).tolist()})
    remade = []
    for moment in moments:
        folder = tmp_path / f"killed at {moment}"
        folder.mkdir()
        assert run_until(folder / "seq.h5", moment).returncode == -9
        assert (folder / "seq.h5").exists() == (moment == steps)
        asked = []
        make(folder / "seq.h5", batches=lambda *where: asked.append(where) or batches(*where))
        assert (folder / "seq.h5").read_bytes() == whole and names(folder) == ["seq.h5"]
        remade.append(len(asked))
    assert remade[0] == 7 and min(remade) < 3  # of 7 batches


@pytest.mark.parametrize("error", [KeyboardInterrupt, FileNotFoundError("no such source")])
def test_a_break_keeps_what_is_done_and_the_next_call_goes_on(tmp_path, whole, error):
    def broken(split, start, stop):
        if split == "valid":
            raise error
        return batches(split, start, stop)

    with pytest.raises(type(error) if isinstance(error, Exception) else error) as caught:
        make(tmp_path / "seq.h5", batches=broken)
    assert "written" not in str(caught.value)
    assert names(tmp_path) == ["seq.h5.making", "seq.h5.making.done", "whole"]
    asked = []
    make(tmp_path / "seq.h5", batches=lambda *where: asked.append(where) or batches(*where))
    assert asked == [("valid", 0, 2), ("test", 0, 2), ("test", 2, 3)]
    assert (tmp_path / "seq.h5").read_bytes() == whole and names(tmp_path) == ["seq.h5", "whole"]


def broken_off(path, manifest=MANIFEST):
    def broken(split, start, stop):
        if start == 4:
            raise KeyboardInterrupt
        return batches(split, start, stop)

    with pytest.raises(KeyboardInterrupt):
        make(path, batches=broken, manifest=manifest)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"manifest": MANIFEST | {"settings": {"stride": 8}}}, "settings.stride was 16 and is 8"),
        ({"manifest": MANIFEST | {"sources": []}}, "sources was not there and is \\[\\]"),
        ({"layout": replace(LAYOUT, counts=COUNTS | {"test": 2}, places=None)}, r"test_in was \(3, .* is \(2, 16, 4\)"),
        ({"layout": replace(LAYOUT, places={"test": LAYOUT.places["test"][::-1]})}, "test_places was 3 places"),
        ({"layout": replace(LAYOUT, swap=None)}, "target_swap.0 was 1 and is not there"),
    ],
)
def test_a_file_that_was_begun_otherwise_is_not_gone_on_with(tmp_path, changes, words):
    broken_off(tmp_path / "seq.h5")
    before = {file: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(WindowError, match=f"seq.h5.making was begun otherwise: .*({words}).*; delete it to begin anew"):
        make(tmp_path / "seq.h5", **changes)
    assert before == {file: file.read_bytes() for file in tmp_path.iterdir()}
    (tmp_path / "seq.h5.making").unlink()  # the journal alone says nothing
    make(tmp_path / "seq.h5", **changes)
    assert names(tmp_path) == ["seq.h5"]


@pytest.mark.parametrize("left", ["seq.h5.making", "seq.h5.making.done"])
@pytest.mark.parametrize("content", ["{ something else", "[]", "3", "{}", '{"bytes": 0, "windows": 1}', "null"])
def test_files_that_other_programs_left_are_not_gone_on_with(tmp_path, whole, left, content):
    (tmp_path / left).write_text(content)
    if left == "seq.h5.making.done":
        (tmp_path / "seq.h5.making").touch()
    assert make(tmp_path / "seq.h5").read_bytes() == whole and names(tmp_path) == ["seq.h5", "whole"]


@pytest.mark.parametrize("change", [{"windows": "4"}, {"offsets": []}, {"identity": None}, {"checksums": 1}])
def test_a_journal_of_another_kind_says_nothing(tmp_path, whole, change):
    broken_off(tmp_path / "seq.h5")
    journal = tmp_path / "seq.h5.making.done"
    journal.write_text(json.dumps(json.loads(journal.read_text("utf-8")) | change))
    assert make(tmp_path / "seq.h5").read_bytes() == whole


def test_a_new_version_goes_on_with_the_work_of_the_old_one(tmp_path, whole):
    broken_off(tmp_path / "seq.h5")
    made = make_file(tmp_path / "seq.h5", LAYOUT, batches, manifest=MANIFEST | {"made_by": "another"}, progress=False)
    assert (tmp_path / "seq.h5").read_bytes() == whole and made == MANIFEST


def test_batches_of_another_size_are_not_gone_on_with(tmp_path, monkeypatch):
    broken_off(tmp_path / "seq.h5")
    monkeypatch.setattr(window_layout, "BATCH", 3)
    with pytest.raises(WindowError, match="windows at a time was 2 and is 3"):
        make(tmp_path / "seq.h5")


# --- files that are there, and their sources -----------------------------------------------------


def no_batches(*where):
    raise AssertionError("a window was made again")


def test_a_file_that_is_there_is_not_made_again(tmp_path, whole):
    path = tmp_path / "whole/창 窓 1.h5"
    before = path.stat()
    for made_by in ("a test", "another version"):
        made = make_file(path, LAYOUT, no_batches, manifest=MANIFEST | {"made_by": made_by}, progress=False)
        assert made == MANIFEST and path.stat() == before and names(path.parent) == [path.name]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"manifest": MANIFEST | {"settings": {"stride": 8}}}, "settings.stride was 16 and is 8"),
        ({"layout": replace(LAYOUT, labels=("a", "b"))}, "target_labels.0 was .* and is a"),
        ({"layout": replace(LAYOUT, extras={})}, r"test_rate was \(3, 4, 2\) float32 and is not there"),
    ],
)
def test_a_file_that_is_there_of_other_choices_is_refused_with_what_differs(tmp_path, whole, changes, words):
    path = tmp_path / "whole/창 窓 1.h5"
    with pytest.raises(WindowError, match=f"is there and was made otherwise: {words}; give another name, or delete it"):
        make(path, **changes, batches=no_batches)
    assert path.read_bytes() == whole and names(path.parent) == [path.name]


@pytest.mark.parametrize("content", [b"an earlier file", b"", h5()])
def test_a_file_of_another_kind_is_not_replaced(tmp_path, content):
    (tmp_path / "seq.h5").write_bytes(content)
    with pytest.raises(WindowError, match="seq.h5 is there and holds no manifest .*; give another name, or delete it"):
        make(tmp_path / "seq.h5")
    assert (tmp_path / "seq.h5").read_bytes() == content and names(tmp_path) == ["seq.h5"]


def test_a_source_stands_in_the_manifest_with_its_checksum(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"abc")
    made = make_file(tmp_path / "seq.h5", LAYOUT, batches, manifest={"a": [tmp_path / "a.txt"]}, progress=False)
    assert made == {"a": [{"name": "a.txt", "bytes": 3, "sha256": hashlib.sha256(b"abc").hexdigest()}]}
    with h5py.File(tmp_path / "seq.h5") as file:
        assert json.loads(file["manifest"][()]) == made


def test_a_source_is_not_read_again_after_a_break_unless_it_has_changed(tmp_path, monkeypatch):
    source = tmp_path / "a.txt"
    source.write_bytes(b"abc")
    os.utime(source, ns=(5, 5))
    broken_off(tmp_path / "seq.h5", manifest={"source": source})
    source.write_bytes(b"abd")
    with pytest.raises(WindowError, match="begun otherwise: a.txt has changed since; delete it"):
        make(tmp_path / "seq.h5", manifest={"source": source})
    os.utime(source, ns=(5, 5))  # of the same size and time: it is not looked into
    make(tmp_path / "seq.h5", manifest={"source": source})


@pytest.mark.skipif(hdf5_making.fcntl is None, reason="this system has no such locks")
def test_two_cannot_make_the_same_file_at_once(tmp_path, whole):
    told = []

    def meanwhile(split, start, stop):
        with pytest.raises(WindowError, match="seq.h5 is being made by another process") as caught:
            make(tmp_path / "seq.h5")
        told.append(caught.value)
        return batches(split, start, stop)

    assert make(tmp_path / "seq.h5", batches=meanwhile).read_bytes() == whole and len(told) == 7
    assert names(tmp_path) == ["seq.h5", "whole"]


# --- a disk that is full, or closed --------------------------------------------------------------

FULL = """
import os, resource, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_hdf5_making as t
t.window_layout.BATCH = 2
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
def batches(split, start, stop):
    if split == "valid" and {later}:
        limit({size})
    return t.batches(split, start, stop)
if not {later}:
    limit({size})
try:
    t.make(Path({path!r}), batches=batches)
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of a file")
@pytest.mark.parametrize("size", [0, 100, 2500, 4000])
@pytest.mark.parametrize("later", [False, True])
def test_a_disk_that_is_full_leaves_what_is_done(tmp_path, whole, size, later):
    path = tmp_path / "new/seq.h5"
    code = FULL.format(tests=os.path.dirname(__file__), size=size, later=later, path=str(path))
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "") and run.stdout.count("\n") == 1, run.stdout + run.stderr
    assert "could not be written (File too large); " in run.stdout
    assert ("nothing of it is left" in run.stdout) != later
    assert ("of 12 windows are kept in" in run.stdout) == later
    assert names(path.parent) == (["seq.h5.making", "seq.h5.making.done"] if later else [])
    assert make(path).read_bytes() == whole and names(path.parent) == ["seq.h5"]


def test_a_missing_folder_is_made(tmp_path, whole):
    assert make(tmp_path / "none/or two/seq.h5").read_bytes() == whole


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    with pytest.raises(WindowError, match="창 is a folder; the name of a file is expected"):
        (tmp_path / "창").mkdir()
        make(tmp_path / "창")
    assert names(tmp_path) == ["창"]


def test_windows_are_said_to_be_kept_only_if_they_are(tmp_path):
    def swept(split, start, stop):
        if split == "valid":
            for file in tmp_path.iterdir():
                file.unlink()
        return batches(split, start, stop)

    with pytest.raises(OSError, match=r"could not be written \(No such file or directory\); nothing of it is left$"):
        make(tmp_path / "seq.h5", batches=swept)


def test_a_folder_that_is_closed_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file/seq.h5 could not be written .(File exists|Not a directory)."):
        make(tmp_path / "file/seq.h5")

    def refused(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(OSError, match="seq.h5 could not be written .Permission denied."):
        make(tmp_path / "seq.h5")


# --- what is no window ---------------------------------------------------------------------------


def changed(key, at, value, dtype=None):
    def wrong(split, start, stop):
        made = {name: array.copy() for name, array in batches(split, start, stop).items()}
        if dtype is not None:
            made[key] = made[key].astype(dtype)
        elif (split, start) == ("test", 2):
            made[key][at] = value
        return made

    return wrong


@pytest.mark.parametrize(
    "wrong, words",
    [
        (changed("out", (0, 1, 1), 65505), r"window 2, bin 1, track 1 of test \(chr3:100-116\) is 65505; .* anew$"),
        (changed("out", (0, 1, 1), np.nan), r"window 2, bin 1, track 1 of test \(chr3:100-116\) is nan; .* finite"),
        (changed("out", (0, 0, 0), -1), r"window 2, bin 0, track 0 of test \(chr3:100-116\) is -1; .*from 0 up$"),
        (changed("in", (0, 5), True), r"window 2 of test \(chr3:100-116\) has 4 bases at position 5"),
        (changed("in", 0, 0, dtype=np.float32), r"windows 0 to 2 of train_in came as \(2, 16, 4\) float32; .* bool"),
        (lambda *where: {}, r"windows 0 to 2 of train_in came as NoneType ; \(2, 16, 4\) of bool"),
        (lambda *where: batches("train", 0, 3), r"came as \(3, 16, 4\) bool; \(2, 16, 4\)"),
    ],
)
def test_windows_that_are_none_are_refused_with_their_place(tmp_path, wrong, words):
    with pytest.raises(WindowError, match=words):
        make(tmp_path / "seq.h5", batches=wrong)
    assert "seq.h5" not in names(tmp_path)


def test_the_largest_number_of_float16_is_kept(tmp_path):
    path = make(tmp_path / "seq.h5", batches=changed("out", (0, 1, 1), 65504))
    assert read_windows(path, "test").tracks[2, 1, 1] == 65504


def test_a_manifest_that_json_cannot_say_is_refused(tmp_path):
    with pytest.raises(WindowError, match="manifest cannot be written as JSON.*complex"):
        make(tmp_path / "seq.h5", manifest={"number": 1j})
    assert names(tmp_path) == []
