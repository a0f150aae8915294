"""Genomic negatives: peaks are found as a plain search finds them, no tile of theirs is left, G and C agree."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from course_utils.datasets import DataUnavailable, fetch
from course_utils.negatives import (
    SOURCES,
    GenomicWindow,
    find_peaks,
    gc_of,
    genomic_windows,
    match_gc,
    tiles,
    without_peaks,
)
from course_utils.regions import RegionError, Regions, in_both, read_regions, same_or_reverse
from course_utils.sequences import from_codes, one_hot, reverse_complement
from course_utils.shared_words import shared_kmers
from course_utils.tfrecords import read_basenji, read_baskerville
from course_utils.windows import Place


def window(sequence: str, start: int = 0, chromosome: str = "chr1") -> GenomicWindow:
    return GenomicWindow(sequence, Place(chromosome, start, start + len(sequence)), "hg19")


def letters(many: int, rng: np.random.Generator) -> str:
    return from_codes(rng.integers(0, 4, (1, many)))[0]


def changed(sequence: str, *positions: int) -> str:
    """The sequence with another letter at these positions."""
    other = {"A": "C", "C": "G", "G": "T", "T": "A"}
    return "".join(other[one] if at in positions else one for at, one in enumerate(sequence))


def ones(sequence: str) -> np.ndarray:
    """``(L, 4)``; four zeros are an N."""
    return one_hot(sequence, ambiguous="zeros", dtype=np.uint8)


def rows(found) -> set[tuple]:
    return set(zip(*(column.tolist() for column in found)))


# --- peaks in windows ----------------------------------------------------------------------------


def plain_search(windows, peaks: Regions, k: int, share: float) -> set[tuple]:
    """Lay each peak, on both strands, at each place of each window, and compare letter by letter."""
    found, length = set(), peaks.length
    for number, (sequence, _, _) in enumerate(windows):
        for peak, plus in enumerate(peaks.sequences):
            for reverse, letters_of_peak in ((False, plus), (True, reverse_complement(plus))):
                for start in range(k - length, len(sequence) - k + 1):
                    inside = range(max(start, 0), min(start + length, len(sequence)))
                    same = [sequence[at] == letters_of_peak[at - start] != "N" for at in inside]
                    runs = "".join("x" if one else " " for one in same).split()
                    agree = sum(len(run) for run in runs if len(run) >= k)
                    if agree and agree >= share * len(inside):
                        found.add((number, peak, start, reverse, agree))
    return found


@pytest.mark.parametrize(("k", "share"), [(8, 0.5), (8, 1.0), (8, 0.1), (9, 0.4), (11, 0.6), (12, 0.34), (15, 1)])
def test_peaks_are_found_where_a_plain_search_finds_them(k, share):
    rng = np.random.default_rng(k)
    some = [letters(40, rng) for _ in range(5)]
    some.append("ACGT" * 10)  # its own reverse complement, and much like itself four letters on
    some.append(some[0][:20] + "N" * 3 + some[0][23:])
    some.append(some[1])
    peaks = Regions(tuple(some))
    left, right = letters(30, rng), letters(30, rng)
    windows = [
        window(left + some[0] + right + reverse_complement(some[1]) + left),
        window(some[2][25:] + right + changed(some[3], 13, 29) + left + some[4][:12]),  # cut at both ends
        window(left + some[5] + "ACGTACGT" + right + some[0][:18] + "N" + some[0][19:]),
        window(left + some[3][:17] + some[3][18:] + right),  # one letter lost
        window("ACG"),
        window("N" * 50),
    ]
    expected = plain_search(windows, peaks, k, share)
    assert len(expected) > 4
    found = find_peaks(windows, peaks, k, share)
    assert rows(found) == expected and len(found.peak) == len(expected)


@pytest.mark.parametrize("k", [16, 31, 32])
def test_long_words_are_found_as_by_a_plain_search(k):
    rng = np.random.default_rng(k)
    peaks = Regions(tuple(letters(70, rng) for _ in range(3)))
    one, two, three = peaks.sequences
    windows = [
        window(letters(20, rng) + changed(one, 34) + reverse_complement(changed(two, 3, 66)) + three[:40]),
        window(letters(90, rng)),
    ]
    expected = plain_search(windows, peaks, k, 0.5)
    assert {found[:4] for found in expected} == {(0, 0, 20, False), (0, 1, 90, True), (0, 2, 160, False)}
    assert rows(find_peaks(windows, peaks, k, 0.5)) == expected


def test_a_peak_with_one_letter_changed_or_lost_is_always_found():
    rng = np.random.default_rng(1)
    peak = letters(100, rng)
    left, right = letters(60, rng), letters(60, rng)
    pieces = [changed(peak, at) for at in range(100)] + [peak[:at] + peak[at + 1 :] for at in range(100)]
    windows = [window(left + piece + right) for piece in pieces]
    assert set(find_peaks(windows, Regions((peak,))).window.tolist()) == set(range(200))


def test_a_peak_with_two_letters_changed_is_found_in_94_of_100_cases():
    rng = np.random.default_rng(7)
    peak = letters(100, rng)
    pieces = [changed(peak, *pair) for pair in combinations(range(100), 2)]
    found = find_peaks([window(piece) for piece in pieces], Regions((peak,)))
    assert len(set(found.window.tolist())) / len(pieces) == pytest.approx(0.94, abs=0.005)


def test_a_piece_of_a_repeat_in_common_is_no_peak():
    rng = np.random.default_rng(2)
    peak = letters(100, rng)
    windows = [window(letters(80, rng) + changed(peak, 19, 69)[19:70] + letters(80, rng))]  # 49 of 100 letters agree
    assert not len(find_peaks(windows, Regions((peak,))).peak)
    assert find_peaks(windows, Regions((peak,)), share=0.48).start.tolist() == [61]


def test_nothing_is_found_of_peaks_of_n_only():
    found = find_peaks([window("ACGT" * 20 + "N" * 80)], Regions(("N" * 40,)))
    assert all(len(column) == 0 for column in found)


def test_a_peak_becomes_n_and_every_tile_that_it_touches_goes():
    rng = np.random.default_rng(3)
    peak = letters(100, rng)
    before, after = letters(299, rng), letters(101, rng)
    windows = [window(before + peak + after), window(letters(200, rng), 5000)]
    masked = without_peaks(windows, Regions((reverse_complement(peak),)))
    assert masked[0].sequence == before + "N" * 100 + after
    assert masked[0].place == windows[0].place and masked[1] == windows[1]
    # One letter of the peak lies in the tile from 200 on, 99 in that from 300 on.
    assert [place.start for place in tiles(windows).places] == [0, 100, 200, 300, 400, 5000, 5100]
    assert [place.start for place in tiles(masked).places] == [0, 100, 400, 5000, 5100]


def test_a_peak_that_the_window_cuts_becomes_n_within_the_window():
    rng = np.random.default_rng(4)
    peak, middle = letters(100, rng), letters(150, rng)
    [masked] = without_peaks([window(peak[60:] + middle + peak[:55])], Regions((peak,)))
    assert masked.sequence == "N" * 40 + middle + "N" * 55


# --- tiles ---------------------------------------------------------------------------------------


def plain_tiles(windows, length: int) -> list[tuple[str, Place]]:
    kept = []
    for sequence, place, _ in windows:
        for start in range(0, len(sequence) - length + 1, length):
            tile = sequence[start : start + length]
            known = [one for one, _ in kept]
            if "N" not in tile and tile not in known and reverse_complement(tile) not in known:
                at = place.start + start
                kept.append((tile, Place(place.chromosome, at, at + length)))
    return kept


@pytest.mark.parametrize("length", [1, 2, 3, 10, 33])
def test_tiles_are_those_of_a_plain_loop(length):
    rng = np.random.default_rng(length)
    first = letters(100, rng)
    windows = [
        window(first, 7),
        window(first[:50] + "N" + first[51:], 1000, "chr2"),  # copies, some with an N
        window(reverse_complement(first)[: 100 - 100 % length], 3, "chrX"),
        window("NNN"),
        window(letters(95, rng), 500),
    ]
    expected = plain_tiles(windows, length)
    found = tiles(windows, length)
    assert list(zip(found.sequences, found.places)) == expected


# --- G and C -------------------------------------------------------------------------------------


def test_the_share_of_g_and_c_is_of_the_known_letters():
    assert gc_of(["ACGT", "GGCC", "ATAT", "GNNN", "NCAT"]).tolist() == [0.5, 1, 0, 1, 1 / 3]
    assert gc_of(Regions(("gcA",))).tolist() == [2 / 3]


def test_pairs_have_equal_g_and_c_each_used_once_and_no_more_are_possible():
    rng = np.random.default_rng(5)
    positives = Regions(tuple(letters(12, rng) for _ in range(150)))
    candidates = Regions(tuple(from_codes(rng.choice(4, (90, 12), p=[0.4, 0.1, 0.2, 0.3]))))
    some, others = match_gc(positives, candidates, np.random.default_rng(1))
    both = (positives, candidates)
    count = [[sequence.count("G") + sequence.count("C") for sequence in one.sequences] for one in both]
    assert [count[0][one] for one in some] == [count[1][other] for other in others]
    assert len(set(some.tolist())) == len(some) == len(set(others.tolist())) == len(others)
    assert len(some) == sum(min(count[0].count(gc), count[1].count(gc)) for gc in range(13))
    assert (np.diff(some) > 0).all()
    again = match_gc(positives, candidates, np.random.default_rng(1))
    assert (again[0] == some).all() and (again[1] == others).all()


def test_who_is_chosen_among_equals_is_drawn_evenly():
    positives, candidates = Regions(("GC", "CG")), Regions(("AA", "GG", "CC", "GC", "CG", "AT"))
    rng = np.random.default_rng(6)
    counts = np.zeros((2, 6))
    for _ in range(3000):
        some, others = match_gc(positives, candidates, rng)
        counts[some, others] += 1
    assert (counts[:, [0, 5]] == 0).all()
    assert abs(counts[:, 1:5] - 750).max() < 4 * 750**0.5  # of each pair: 3,000 draws, one in four


# --- the registered windows ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def windows() -> list[GenomicWindow]:
    try:
        return genomic_windows()
    except DataUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def peaks() -> Regions:
    try:
        return read_regions(fetch("ctcf-peaks")[0])
    except DataUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def masked(windows, peaks) -> list[GenomicWindow]:
    return without_peaks(windows, peaks)


@pytest.fixture(scope="module")
def free(masked) -> Regions:
    return tiles(masked)


def test_the_windows_are_those_of_the_files(windows):
    assert [(one.assembly, len(one.sequence)) for one in windows] == (
        [("hg19", 262_144)] * 17 + [("hg38", 131_072)] * 65 + [("hg38", 1_000_000), ("hg19", 131_072)]
    )
    basenji = read_basenji(fetch("basenji-cage"), only_placed=True)
    assert [one.place for one in windows[:17]] == list(basenji.places)
    for one, encoded in zip(windows, basenji.one_hot):
        assert np.array_equal(ones(one.sequence), encoded)
    middles = windows[17:82]
    for split in ("train", "valid", "test"):
        read = read_baskerville(fetch("baskerville-tiny")[0].parent, split)
        for place, encoded in zip(read.places, read.one_hot, strict=True):
            one = middles.pop(0)
            assert one.place == Place(place.chromosome, place.start - 32_768, place.end + 32_768)
            assert np.array_equal(ones(one.sequence[32_768:-32_768]), encoded)
    assert windows[82].place == Place("chr1", 0, 1_000_000) and windows[82].sequence.count("N") == 160_000
    assert windows[83].place == Place("chr8", 11_496_144, 11_627_216)


def test_some_of_the_datasets_can_be_asked_for(windows):
    assert genomic_windows("gata4") == windows[83:]
    assert genomic_windows(SOURCES[2:]) == windows[82:]


def test_no_two_windows_overlap_in_one_assembly_or_across(windows):
    compared = 0
    for number, one in enumerate(windows):
        for other in windows[:number]:
            if one.place.chromosome != other.place.chromosome:
                continue
            if one.assembly == other.assembly:
                assert min(one.place.end, other.place.end) <= max(one.place.start, other.place.start)
                continue
            encoded = (ones(each.sequence)[None] for each in (one, other))
            assert shared_kmers(*encoded).longest[0] < 300  # of repeats
            compared += 1
    assert compared > 20


@pytest.fixture(scope="module")
def overlapping(windows, peaks) -> dict[tuple[int, int], bool]:
    """(window, tile) without N -> whether it overlaps a peak, by coordinates: in the windows of hg19, where they hold."""
    tiles_of_hg19 = {}
    for number, (sequence, place, assembly) in enumerate(windows):
        if assembly != "hg19":
            continue
        for tile in range(len(sequence) // 100):
            if "N" not in sequence[100 * tile : 100 * tile + 100]:
                tiles_of_hg19[number, tile] = False
        for peak in peaks.places:
            if peak.chromosome == place.chromosome:
                first, last = (peak.start - place.start) // 100, (peak.end - 1 - place.start) // 100
                for tile in (first, last):
                    if (number, tile) in tiles_of_hg19:
                        tiles_of_hg19[number, tile] = True
    return tiles_of_hg19


def test_the_tiles_that_overlap_a_peak_by_coordinates_are_left_out_and_few_others(overlapping, masked):
    left_out = [
        touched
        for (number, tile), touched in overlapping.items()
        if "N" in masked[number].sequence[100 * tile : 100 * tile + 100]
    ]
    assert (len(overlapping), sum(overlapping.values())) == (45_867, 136)
    assert (len(left_out), sum(left_out)) == (148, 136)


def test_to_leave_out_each_tile_that_shares_a_word_of_32_would_miss_peaks_and_take_repeats(overlapping, windows, peaks):
    apart = [  # with so many N between the tiles that no peak reaches two
        window(("N" * 100).join(one.sequence[at : at + 100] for at in range(0, len(one.sequence) - 99, 100)))
        for one in windows
        if one.assembly == "hg19"
    ]
    hg19 = [number for number, one in enumerate(windows) if one.assembly == "hg19"]
    found = find_peaks(apart, peaks, share=0.01)
    tiles_found = set(zip((hg19[number] for number in found.window), ((found.start + 100) // 200).tolist()))
    left_out = [overlapping[each] for each in tiles_found]
    assert (sum(left_out), len(left_out) - sum(left_out)) == (90, 756)


def test_in_hg38_every_peak_is_found_that_the_distance_to_a_neighbour_tells_to_be_there(windows, peaks):
    """In the 65 windows of Baskerville; the megabase has gaps of unknown length, whose length hg38 changed."""
    found = find_peaks(windows[17:82], peaks)
    moved, at = {}, {}
    for number, peak, start, reverse, agree in zip(*(column.tolist() for column in found)):
        place = windows[17 + number].place
        if place.chromosome == peaks.places[peak].chromosome and not reverse:
            distance = place.start + start - peaks.places[peak].start
            at[number, peak, distance] = agree
            if agree == 100:
                moved.setdefault(number, Counter())[distance] += 1
    expected = []
    for number, distances in moved.items():
        [(distance, _)] = distances.most_common(1)
        place = windows[17 + number].place
        for peak, (chromosome, start, end) in enumerate(peaks.places):
            inside = place.start <= start + distance and end + distance <= place.end
            if chromosome == place.chromosome and inside:
                # A few bases inserted between the two peaks: near is enough.
                near = [at.get((number, peak, distance + more), 0) for more in range(-30, 31)]
                expected.append(max(near))
    assert min(expected) >= 50
    assert (len(expected), sum(agree < 100 for agree in expected)) == (145, 9)


def test_how_many_negatives_remain_as_lesson_06_says(windows, free, peaks):
    assert (len(tiles(windows)), len(free)) == (139_370, 138_856)
    chromosomes = ["chr8", "chr9"]
    sizes = []
    for positives, candidates in zip(peaks.by_chromosome(chromosomes), free.by_chromosome(chromosomes)):
        some, others = match_gc(positives, candidates, np.random.default_rng(6))
        assert (gc_of(positives.subset(some)) == gc_of(candidates.subset(others))).all()
        sizes.append((len(positives), len(candidates), len(some)))
    assert sizes == [(35_885, 110_112, 30_252), (3_299, 28_744, 2_963)]


def test_no_tile_is_a_peak_or_a_copy_of_another(free, peaks):
    assert not len(in_both(peaks, free))
    assert len(set(same_or_reverse(free).tolist())) == len(free)


def test_windows_without_any_known_letter_leave_no_tile():
    with pytest.raises(RegionError, match="no tile of 10 letters is left: each of the 4 tiles has an N"):
        tiles([window(("A" * 9 + "N") * 4)], 10)
