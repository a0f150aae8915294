"""What a file of windows will hold has to fit together. What tells it from another is tested in test_hdf5_making."""

from dataclasses import replace

import pytest

from course_utils import window_layout
from course_utils.window_layout import Layout, difference
from course_utils.windows import Place, WindowError

LAYOUT = Layout({"train": 7, "valid": 2, "test": 3}, length=16, bins=4, labels=("a", "b"), swap=(1, 0))


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"counts": {}}, "some of train, valid, test"),
        ({"counts": {"training": 1}}, "training"),
        ({"counts": {"train": 0}}, "number of train windows is 0"),
        ({"length": 18}, "18 bases cannot be divided into 4 bins"),
        ({"bins": 0}, "number of bins is 0"),
        ({"labels": ()}, "a name for each track"),
        ({"swap": (0, 0)}, "swap gives track 1"),
        ({"places": {"train": [Place("chr1", 0, 16)]}}, "1 places came for 7 windows of train"),
        ({"places": {"valid": [Place("chr1", 0, 15)] * 2}}, "chr1:0-15 is not of the 16 bases"),
    ],
)
def test_layouts_that_cannot_be_are_refused(changes, words):
    with pytest.raises(WindowError, match=words):
        replace(LAYOUT, **({"places": None} | changes))


def test_batches_keep_to_their_bytes(monkeypatch):
    monkeypatch.setattr(window_layout, "BATCH", 2)
    assert Layout({"train": 9}, 131_072, 1024, ("a", "b")).batch == 2
    assert Layout({"train": 9}, 2**23, 2**13, [str(n) for n in range(5000)]).batch == 1


@pytest.mark.parametrize(
    "then, now, words",
    [
        ({"m": {"a": {}}}, {"m": {"a": []}}, "a was {} and is []"),
        ({"m": {"x": {"a": []}}}, {"m": {"x": {}}}, "x was not there and is {}"),
        ({"m": {"a": [1, 2]}}, {"m": {"a": [1]}}, "a.1 was 2 and is not there"),
        ({"m": {"a.b": 1}}, {"m": {"a": {"b": 1}}}, "a.b was not there and is 1"),
        ({}, {"m": {"a": 1}}, "a was not there and is 1"),
    ],
)
def test_every_difference_is_found(then, now, words):
    assert words in (difference(then, now) or difference(now, then))
    assert difference(now, now) is None


def test_of_a_source_that_differs_no_checksums_are_shown():
    then, now = ({"m": {"x": {"name": "a.bw", "bytes": 3, "sha256": digit * 64}}} for digit in "12")
    assert difference(then, now) == "a.bw has changed since"
