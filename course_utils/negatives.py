"""Genomic negatives: stretches of real human DNA at which no peak lies, with as much G and C as the peaks.

From the registered files to negatives, step by step:

    windows = genomic_windows()                            14 million bases, two assemblies
    candidates = tiles(without_peaks(windows, peaks))      stretches of 100 in which no peak lies
    some, others = match_gc(peaks, candidates, rng)        one negative for a peak, with equal G + C

The label 0 of such a negative says "not one of these peaks", and no more: the protein may bind there in other cells,
or more weakly than the experiment could see.

Explained in lesson 06.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.checks import finite, said, whole
from course_utils.datasets import fetch, read_registry
from course_utils.kmers import UNKNOWN, words_of
from course_utils.regions import RegionError, Regions, same_or_reverse
from course_utils.sequences import from_codes, read_fasta, to_codes
from course_utils.shared_words import WordList
from course_utils.shuffles import check_generator
from course_utils.tfrecords import BASENJI_PLACES, read_records
from course_utils.windows import Place

#: The registered datasets that hold real windows.
SOURCES = ("basenji-cage", "baskerville-tiny", "hg38-megabase", "gata4")

_BLOCK = 1 << 17  # letters made into words at a time: few enough for the processor's cache


class GenomicWindow(NamedTuple):
    """A long stretch of a genome: its letters (A, C, G, T and N, upper case), its place, and in which assembly."""

    sequence: str
    place: Place
    assembly: str


class Found(NamedTuple):
    """Where peaks lie in windows: arrays of one length, a row for each pair; see :func:`find_peaks`.

    Attributes:
        window: number of the window.
        peak: number of the peak.
        start: where the peak begins, counted from the first letter of the window; below 0 if the window cuts it.
        reverse: whether the window has the peak's reverse complement.
        letters: how many of the peak's letters are there.
    """

    window: np.ndarray
    peak: np.ndarray
    start: np.ndarray
    reverse: np.ndarray
    letters: np.ndarray


# --- windows -------------------------------------------------------------------------------------


def genomic_windows(names: Iterable[str] = SOURCES) -> list[GenomicWindow]:
    """The real windows of the registered datasets whose place in the genome is known.

    * "basenji-cage": the 17 windows of :data:`course_utils.tfrecords.BASENJI_PLACES`, 262,144 bp each, hg19;
    * "baskerville-tiny": 65 windows of 131,072 bp, hg38: all that its network reads, twice what
      :func:`course_utils.tfrecords.read_baskerville` returns, which is the middle, for which there are tracks;
    * "hg38-megabase": the first 1,000,000 bases of chromosome 1, of which 160,000 are N;
    * "gata4": 131,072 bp of chromosome 8, hg19.

    No two of them overlap, in one assembly or across (tests/test_negatives.py looks). A place counts in the window's
    own assembly; chromosomes have the same names in both, so that a split by chromosome holds for all windows.

    Args:
        names: of the datasets to take.

    Raises:
        ValueError: for a name that is none of :data:`SOURCES`, or no name.
        DataUnavailable: as :func:`course_utils.datasets.fetch` does (lesson 06).
    """
    chosen = [names] if isinstance(names, str) or not isinstance(names, Iterable) else list(names)
    if not chosen or any(name not in SOURCES for name in chosen):
        raise ValueError(f"the names are {said(names)}; some of {', '.join(SOURCES)} are expected")
    registry = read_registry()
    windows = []
    for name in chosen:
        assembly = registry[name].assembly.split()[0]
        for codes, place in _READERS.get(name, _fasta)(fetch(name)):
            windows.append(GenomicWindow(from_codes(codes[None])[0], place, assembly))
    return windows


def _basenji(paths: list[Path]) -> Iterator[tuple[np.ndarray, Place]]:
    for path in paths:
        for place, record in zip(BASENJI_PLACES[path.name], read_records(path)):
            if place is not None:
                ones = np.frombuffer(record["sequence"], np.uint8).reshape(-1, 4)
                codes = ones[:, 1] + 2 * ones[:, 2] + 3 * ones[:, 3]
                codes[(codes == 0) & (ones[:, 0] == 0)] = UNKNOWN
                yield codes, place


def _baskerville(paths: list[Path]) -> Iterator[tuple[np.ndarray, Place]]:
    [bed] = (path for path in paths if path.name == "sequences.bed")
    rows = [line.split() for line in bed.read_text("utf-8").splitlines()]
    files = sorted(paths, key=lambda path: (len(path.name), path.name))  # 2 before 10
    for split in dict.fromkeys(row[3] for row in rows):
        records = (one for path in files if path.name.startswith(f"{split}-") for one in read_records(path))
        for (chromosome, *ends, _), record in zip((row for row in rows if row[3] == split), records, strict=True):
            codes = np.frombuffer(record["sequence"], np.uint8)
            start, end = map(int, ends)  # of the middle; the record has as many letters more on either side
            beside = (len(codes) - (end - start)) // 2
            yield codes, Place(chromosome, start - beside, end + beside)


def _fasta(paths: list[Path]) -> Iterator[tuple[np.ndarray, Place]]:
    for name, sequence in read_fasta(paths[0]):
        chromosome, _, ends = name.partition(":")  # chr8:11496144-11627216, or chr1 from its first base on
        start = int(ends.partition("-")[0] or 0)
        yield to_codes(sequence), Place(chromosome, start, start + len(sequence))


_READERS = {"basenji-cage": _basenji, "baskerville-tiny": _baskerville}


# --- peaks in windows ----------------------------------------------------------------------------
#
# A coordinate of hg19 means another base in hg38, so a peak is looked for by its letters, on both strands. What the
# rule must do can be measured in the hg19 windows, where coordinates are true: 136 of their 45,867 tiles of 100 overlap
# one of 68 peaks. To leave out each tile that shares a word of 32 letters with a peak, the first rule one thinks of,
#
# * misses 46 of the 136: a tile that has fewer than 32 letters of a peak shares no such word, and 19 may be a site;
# * leaves out 756 tiles that overlap no peak: pieces of repeats, which lie in some peaks, too. Negatives without them
#   would be told from peaks by their lack of repeats.
#
# So peaks are found in the whole window, by half of their letters, and every tile that a peak touches is left out: all
# of the 136, and 12 more, near copies of a peak (60 % of the letters: 6 more; 40 %: 203 more). In the hg38 windows of
# Baskerville it finds all the 145 peaks that the distance to a neighbour tells to be there, 9 of them with a letter or
# more changed. A peak with one letter changed or lost is always found, with two changed in 94 of 100 cases.
# tests/test_negatives.py measures it again.


def find_peaks(windows: Iterable[GenomicWindow], peaks: Regions, k: int = 32, share: float = 0.5) -> Found:
    """Where peaks lie in windows, by their letters on both strands, whatever the assembly.

    A peak lies where a window has, without gaps, at least the `share` of its letters; only letters in words of `k`
    that agree from end to end count. So a peak with a letter changed, as between two assemblies, is found, and one
    that has no more in common with the window than a piece of a repeat is not. Of a peak that the end of a window
    cuts, the letters within the window count.

    Args:
        windows: such as :func:`genomic_windows` gives; an N agrees with nothing.
        peaks: of one length.
        k: letters of a word, 8 to 32, and no more than a peak has.
        share: of the letters of a peak, above 0 and up to 1.

    Returns:
        A row for each pair of a peak and a place, window by window; two for a peak that is its own reverse complement.

    Raises:
        RegionError: for windows or peaks that are none, or a `k` or a `share` out of range (lesson 06).
    """
    windows = _checked_windows(windows)
    if not isinstance(peaks, Regions):
        raise RegionError(f"the peaks are a {type(peaks).__name__}; Regions are expected, as read_regions gives them")
    length, letters, wanted = peaks.length, whole(k), finite(share)
    if letters is None or not 8 <= letters <= min(32, length):
        raise RegionError(f"k is {said(k)}; 8 to 32 letters, and no more than the {length} of a peak, are expected")
    if wanted is None or not 0 < wanted <= 1:
        raise RegionError(f"share is {said(share)}; a number above 0 and up to 1 is expected")
    index = _index(peaks, letters)
    found = [np.zeros((5, 0), dtype=int)]
    for number, window in enumerate(windows):
        if len(window.sequence) < letters:
            continue
        row, start, agree = _agreeing(to_codes(window.sequence), index, length, letters)
        inside = np.minimum(start + length, len(window.sequence)) - np.maximum(start, 0)
        here = agree >= wanted * inside
        row, start, agree = row[here], start[here], agree[here]
        found.append(np.stack([np.full(len(row), number), row % len(peaks), start, row >= len(peaks), agree]))
    window, peak, start, reverse, agree = np.concatenate(found, axis=1)
    return Found(window, peak, start, reverse.astype(bool), agree)


def without_peaks(
    windows: Iterable[GenomicWindow], peaks: Regions, k: int = 32, share: float = 0.5
) -> list[GenomicWindow]:
    """The windows with N in place of every letter of a peak, so that :func:`tiles` leaves out what overlaps one.

    Args:
        windows, peaks, k, share: as for :func:`find_peaks`.

    Raises:
        RegionError: as :func:`find_peaks` does (lesson 06).
    """
    windows = _checked_windows(windows)
    found = find_peaks(windows, peaks, k, share)
    letters = {number: bytearray(windows[number].sequence, "ascii") for number in np.unique(found.window).tolist()}
    for number, start in zip(found.window.tolist(), found.start.tolist()):
        end = min(start + peaks.length, len(letters[number]))
        letters[number][max(start, 0) : end] = b"N" * (end - max(start, 0))
    return [
        window._replace(sequence=letters[number].decode()) if number in letters else window
        for number, window in enumerate(windows)
    ]


class _Index(NamedTuple):
    """The words of peaks on both strands, in rising order; and for each, row x words of a row + offset."""

    words: WordList
    origin: np.ndarray


def _index(peaks: Regions, k: int) -> _Index:
    codes = to_codes("".join(peaks.sequences)).reshape(len(peaks), -1)
    other = 3 - codes[:, ::-1]  # 3 - 4 is 255 in 8 bits: an N stays one
    codes = np.concatenate([codes, other])  # (2 N, L): row N + i is peak i on the other strand
    rows = max(1, _BLOCK // codes.shape[1])
    parts = [words_of(codes[start : start + rows], k) for start in range(0, len(codes), rows)]
    words, known = (np.concatenate(part).ravel() for part in zip(*parts))
    origin = np.flatnonzero(known)
    origin = origin[np.argsort(words[origin])]
    return _Index(WordList(words[origin]), origin)


def _agreeing(codes: np.ndarray, index: _Index, length: int, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each row and start that share a word: how many letters lie in words shared at that distance."""
    words, known = words_of(codes, k)
    position, first, end = index.words.find(words, known)
    many = end - first
    position = np.repeat(position, many)
    entry = np.arange(len(position)) + np.repeat(first - (np.cumsum(many) - many), many)  # first, first + 1, ... last
    row, offset = np.divmod(index.origin[entry], length - k + 1)
    start = position - offset
    order = np.lexsort((position, start, row))
    row, start, position = row[order], start[order], position[order]
    new = np.ones(len(row), dtype=bool)
    new[1:] = (np.diff(row) != 0) | (np.diff(start) != 0)
    more = np.minimum(np.diff(position, prepend=0), k)  # letters that the word before does not have
    more[new] = k
    at = np.flatnonzero(new)
    return row[at], start[at], np.add.reduceat(more, at) if at.size else at


# --- tiles ---------------------------------------------------------------------------------------


def tiles(windows: Iterable[GenomicWindow], length: int = 100) -> Regions:
    """Cut windows into stretches of `length` side by side, from the first letter on; what is left over is dropped.

    Tiles with an N are left out. Of tiles that are copies or reverse complements of each other, only the first
    stays. The places are those of the windows, in the windows' own assemblies.

    Raises:
        RegionError: for windows that are none, a length that is no whole number from 1 up, or no tile that is left
            (lesson 06).
    """
    windows = _checked_windows(windows)
    wanted = whole(length)
    if wanted is None or wanted < 1:
        raise RegionError(f"the length is {said(length)}; a whole number from 1 up is expected")
    sequences, places, cut = [], [], 0
    for window in windows:
        for start in range(0, len(window.sequence) - wanted + 1, wanted):
            tile = window.sequence[start : start + wanted]
            cut += 1
            if "N" not in tile:
                sequences.append(tile)
                at = window.place.start + start
                places.append(Place(window.place.chromosome, at, at + wanted))
    if not sequences:
        longest = max(len(window.sequence) for window in windows)
        why = f"each of the {cut:,} tiles has an N" if cut else f"the longest window has {longest:,} letters"
        raise RegionError(f"no tile of {wanted} letters is left: {why}")
    first = np.sort(np.unique(same_or_reverse(sequences), return_index=True)[1]).tolist()
    return Regions(tuple(sequences[number] for number in first), tuple(places[number] for number in first))


# --- G and C -------------------------------------------------------------------------------------


def gc_of(sequences: Iterable[str] | Regions) -> np.ndarray:
    """The share of G and C among the letters that are known, ``(N,)``.

    Raises:
        RegionError: for no sequence, letters other than A, C, G, T and N, unequal lengths, or a sequence of N only
            (lesson 06).
    """
    regions = sequences if isinstance(sequences, Regions) else Regions(sequences)
    known = regions.length - np.array([sequence.count("N") for sequence in regions.sequences])
    if known.min() == 0:
        raise RegionError(f"sequence {int(np.argmin(known))} is of N only; a share of G and C needs a letter")
    return _gc_letters(regions) / known


def match_gc(positives: Regions, candidates: Regions, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pair positives with candidates that have the same number of G and C, each used once.

    For each number of G and C, as many pairs as the fewer of the two allow; who is chosen among the more is drawn
    evenly. So the two sets have the same share of G and C, and the most pairs that this allows. Match the training set
    and the test set apart, after the split.

    Args:
        positives, candidates: of one length and without N.
        rng: numpy's generator of random numbers.

    Returns:
        The indices of the chosen positives, rising, and of the candidate of each.

    Raises:
        RegionError: for what are no Regions, unequal lengths, an N, or no pair at all.
        ValueError: unless `rng` is a numpy Generator (lesson 06).
    """
    check_generator(rng)
    both = {"positives": positives, "candidates": candidates}
    for what, regions in both.items():
        if not isinstance(regions, Regions):
            raise RegionError(f"the {what} are a {type(regions).__name__}; Regions are expected")
        unknown = next((number for number, one in enumerate(regions.sequences) if "N" in one), None)
        if unknown is not None:
            raise RegionError(f"number {unknown} of the {what} has an N; without_unknown leaves out those with N")
    if positives.length != candidates.length:
        raise RegionError(
            f"positives have {positives.length} letters and candidates {candidates.length}; one length is expected"
        )
    letters = [_gc_letters(regions) for regions in both.values()]
    many = np.minimum(*(np.bincount(one, minlength=positives.length + 1) for one in letters))
    if not many.any():
        one, other = (f"from {count.min()} to {count.max()}" for count in letters)
        raise RegionError(
            f"no pair is left: of {positives.length} letters, positives have {one} G and C, candidates {other}, and no "
            "number in common"
        )
    chosen = []
    for count in letters:
        order = rng.permutation(len(count))
        order = order[np.argsort(count[order], kind="stable")]  # by G and C, in random order where these are equal
        sorted_count = count[order]
        rank = np.arange(len(order)) - np.searchsorted(sorted_count, sorted_count)
        chosen.append(order[rank < many[sorted_count]])
    in_turn = np.argsort(chosen[0])
    return chosen[0][in_turn], chosen[1][in_turn]


def _gc_letters(regions: Regions) -> np.ndarray:
    return np.array([sequence.count("G") + sequence.count("C") for sequence in regions.sequences])


# --- the check -----------------------------------------------------------------------------------


def _checked_windows(windows) -> list[GenomicWindow]:
    if isinstance(windows, Regions | str | GenomicWindow) or not isinstance(windows, Iterable):
        raise RegionError(
            f"a {type(windows).__name__} came; windows are expected, in a list, as genomic_windows gives them"
        )
    windows = list(windows)
    if not windows:
        raise RegionError("there are no windows: the list is empty")
    for number, window in enumerate(windows):
        if not isinstance(window, GenomicWindow):
            raise RegionError(f"window {number} is a {type(window).__name__}; a GenomicWindow is expected")
        if not isinstance(window.sequence, str) or not window.sequence or set(window.sequence) - set("ACGTN"):
            raise RegionError(f"window {number} is no sequence of A, C, G, T and N, in upper case")
        place = window.place
        if not isinstance(place, Place) or place.end - place.start != len(window.sequence):
            raise RegionError(f"window {number} has {len(window.sequence)} letters, and its place is {place}")
    return windows
