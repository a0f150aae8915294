"""Windows in memory: their parts fit together, and what does not is said with its place."""

import numpy as np
import pytest
from window_files import same, some

from course_utils.windows import Place, WindowError


def test_windows_hold_bool_and_float32_and_say_what_they_are():
    windows = some(one_hot=some().one_hot.astype(np.uint8))
    assert windows.one_hot.dtype == bool and windows.tracks.dtype == np.float32
    assert (len(windows), windows.length, windows.bin_size) == (4, 16, 4)
    assert repr(windows) == "4 windows of 16 bp, 4 bins, 2 tracks, with places"


def changed(array: np.ndarray, index: tuple, value) -> np.ndarray:
    array = array.copy()
    array[index] = value
    return array


GOOD = some()


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"one_hot": GOOD.one_hot[:3]}, ["3 windows", "tracks 4"]),
        ({"one_hot": GOOD.one_hot.swapaxes(1, 2)}, ["(4, 4, 16)", "last axis"]),
        ({"one_hot": GOOD.one_hot[0]}, ["(16, 4)", "(windows, length, 4)"]),
        ({"one_hot": GOOD.one_hot[:, :0]}, ["(4, 0, 4)"]),
        ({"one_hot": GOOD.one_hot.astype(float)}, ["float64", "bool or uint8"]),
        ({"one_hot": changed(GOOD.one_hot, (2, 5), True)}, ["window 2", "4 bases", "position 5"]),
        (
            {"one_hot": changed(GOOD.one_hot.astype(np.uint8), (1, 6, 3), 7)},
            ["window 1", "has 7", "position 6", "0 or 1"],
        ),
        ({"tracks": GOOD.tracks[:, :3]}, ["16 bases", "3 bins"]),
        ({"tracks": GOOD.tracks[..., 0]}, ["(4, 4)", "(windows, bins, tracks)"]),
        ({"tracks": GOOD.tracks.astype(str)}, ["real numbers"]),
        ({"tracks": changed(GOOD.tracks, (3, 1, 0), np.nan)}, ["window 3, bin 1, track 0", "nan", "finite"]),
        ({"tracks": changed(GOOD.tracks, (0, 2, 1), -1)}, ["window 0, bin 2, track 1", "-1", "from 0 up"]),
        ({"tracks": changed(GOOD.tracks, (0, 2, 1), np.inf)}, ["window 0, bin 2, track 1", "inf", "finite"]),
        (
            {"tracks": changed(GOOD.tracks.astype(float), (1, 0, 0), 1e300)},
            ["window 1, bin 0, track 0", "1e+300", "float32"],
        ),
        ({"labels": ["one"]}, ["2 tracks", "1 labels"]),
        ({"labels": "ab"}, ["'ab'", "a name for each"]),
        ({"places": GOOD.places[:3]}, ["4 windows", "3 places"]),
        ({"places": [("chr1", 0, 15)] * 4}, ["window 0", "chr1:0-15", "16 bases"]),
        ({"places": [("chr1", 0)] * 4}, ["places", "(chromosome, start, end)"]),
        ({"swap": (1, 1)}, ["swap gives track 0 the partner 1", "whose own partner is 1"]),
        ({"swap": (0,)}, ["[0]", "each of the 2 tracks"]),
        ({"swap": (1.7, 0.2)}, ["swap is (1.7, 0.2)", "each of the 2 tracks"]),
        ({"swap": (None, 0)}, ["swap is (None, 0)"]),
        ({"swap": (True, False)}, ["swap is (True, False)"]),
        ({"swap": 5}, ["swap is 5"]),
        ({"swap": (0, 2)}, ["swap is [0, 2]", "0 to 1"]),
        ({"labels": None}, ["labels are None", "a name for each"]),
        ({"labels": 5}, ["labels are 5"]),
        ({"places": 5}, ["places", "(chromosome, start, end)"]),
        ({"places": [("chr1", "0", "16")] * 4}, ["place of window 0", "'0'", "two whole numbers"]),
        ({"places": [("chr1", 0, 16), ("chr1", 0.0, 16)] + [("chr1", 0, 16)] * 2}, ["place of window 1", "0.0"]),
        ({"places": [(1, 0, 16)] * 4}, ["place of window 0 is (1, 0, 16)", "a name"]),
        ({"places": [("chr1", -5, 11)] * 4}, ["window 0", "chr1:-5-11", "16 bases"]),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_their_place(fields, words):
    with pytest.raises(WindowError) as caught:
        some(**fields)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_a_swap_pairs_tracks_both_ways():
    assert some(experiments=3, swap=(1, 0, 2)).swap == (1, 0, 2)
    with pytest.raises(WindowError, match="swap gives track 0 the partner 1, whose own partner is 2"):
        some(experiments=3, swap=(1, 2, 0))


def test_a_subset_keeps_order_and_places():
    chosen = GOOD.subset([2, 0])
    assert np.array_equal(chosen.tracks, GOOD.tracks[[2, 0]])
    assert chosen.places == (GOOD.places[2], GOOD.places[0])
    assert some(places=None).subset([1]).places is None


@pytest.mark.parametrize(
    "indices, words",
    [
        ([4], "no window 4"),
        ([0, -5], "no window -5"),
        ([], "at least one"),
        ([0.5], "0.5"),
        ([[0, 1]], r"indices are \[\[0, 1\]\]"),
        ([True], "True"),
        (3, "indices are 3"),
        (None, "indices are None"),
    ],
)
def test_a_subset_of_windows_that_are_not_there_is_refused(indices, words):
    with pytest.raises(WindowError, match=words):
        GOOD.subset(indices)


def test_a_split_by_chromosome_holds_each_window_once():
    places = [(name, 0, 16) for name in ("chr8", "chr1", "chr9", "chr8", "chrX")]
    windows = some(5, places=places)
    splits = windows.by_chromosome(valid=["chr8"], test="chr9")
    assert list(splits) == ["train", "valid", "test"]
    for split, numbers in {"train": [1, 4], "valid": [0, 3], "test": [2]}.items():
        assert same(splits[split], windows.subset(numbers))


@pytest.mark.parametrize(
    "valid, test, words",
    [
        (["chr1"], [], ["test set is empty", "no chromosome", "chr1 1, chr2 1"]),
        (["chr1"], ["chr2", "chr03"], ["'chr03' was asked for in the test set", "chr1 1, chr2 1"]),
        (["Chr1"], ["chr2"], ["'Chr1' was asked for in the valid set", "chr1 1, chr2 1"]),
        (["chr1"], None, ["the chromosomes are None", "names"]),
        (["chr1"], [2], ["the chromosomes are [2]", "names"]),
        ([], ["chr1"], ["valid set is empty", "no chromosome"]),
        (["chr1", "chr2"], ["chr3", "chr4"], ["train set is empty", "the other chromosomes"]),
        (["chr1"], ["chr1"], ["chr1", "validation set and in the test set"]),
    ],
)
def test_a_split_by_chromosome_that_leaves_a_set_empty_or_double_is_refused(valid, test, words):
    with pytest.raises(WindowError) as caught:
        GOOD.by_chromosome(valid=valid, test=test)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)
    with pytest.raises(WindowError, match="no places"):
        some(places=None).by_chromosome(valid=valid, test=test)


def test_cropped_windows_laid_end_to_end_are_the_windows():
    pieces = GOOD.crop(8)
    assert (len(pieces), pieces.length, pieces.bin_size) == (8, 8, 4)
    assert np.array_equal(np.concatenate(pieces.one_hot[2:4]), GOOD.one_hot[1])
    assert np.array_equal(np.concatenate(pieces.tracks[2:4]), GOOD.tracks[1])
    assert pieces.places[2:4] == (Place("chr2", 100, 108), Place("chr2", 108, 116))


@pytest.mark.parametrize(
    "length, words", [(6, "multiple of the 4"), (12, "pieces of 12"), (0, "is 0"), (32, "of 32")]
)
def test_a_crop_that_cuts_a_bin_or_leaves_bases_over_is_refused(length, words):
    with pytest.raises(WindowError, match=words):
        GOOD.crop(length)
