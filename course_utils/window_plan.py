"""Which windows of a genome to cut out, and which of them to train on.

A chromosome, or a region of one, is tiled from its start: a window every `stride` bases, as long as a whole one
fits. A region that is shorter than a window gets one, centred on it. Left out are windows

* of other contigs, if nobody names them: alternative haplotypes, patches and unplaced pieces repeat what stands in a
  chromosome, so that windows held out would come back in the training set;
* past the end of their chromosome (of regions, or chromosomes, that are shorter than a window);
* of a place that another window has already;
* in which too many bases are blacklisted: listed as places where experiments show what is not there;
* in which too many letters are unknown (N).

Whole chromosomes are for validation or test, so that no window of one split overlaps one of another. Explained in
lesson 10.
"""

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from course_utils.checks import finite, said, whole
from course_utils.genome_files import check_chromosomes, check_place
from course_utils.windows import SPLITS, Place, WindowError

#: Why a window is left out, in the order in which it is asked.
REASONS = ("other contigs", "past the end", "there already", "blacklisted", "unknown")

#: Contigs that are used only if they are asked for, as UCSC names them: chr6_GL000250v2_alt, chrUn_KI270302v1.
OTHER_CONTIGS = re.compile(r"chrUn.*|.*_(alt|fix|random|hap\d+)")


@dataclass(frozen=True)
class WindowPlan:
    """The places of the windows of each split, and how many were left out.

    Attributes:
        splits: "train", "valid", "test" -> places, each at least one, in the order of the regions.
        left_out: for each of :data:`REASONS`, how many windows.
    """

    splits: dict[str, tuple[Place, ...]]
    left_out: dict[str, int]


def plan_windows(
    sizes: Mapping[str, int],
    *,
    valid: str | Iterable[str],
    test: str | Iterable[str],
    chromosomes: Iterable[str] | None = None,
    regions: Sequence[Place] | None = None,
    length: int = 131_072,
    stride: int | None = None,
    blacklist: Sequence[Place] = (),
    max_blacklisted: float = 0.0,
    unknown: Callable[[Place], int] | None = None,
    max_unknown: float = 0.05,
) -> WindowPlan:
    """Choose windows of a genome, and split them by chromosome.

    Args:
        sizes: chromosome -> its length in bases.
        valid, test: names of the chromosomes of these splits; all others are for training.
        chromosomes: to tile (None: all but :data:`OTHER_CONTIGS`, of which those of valid and test), or
        regions: to tile, in place of whole chromosomes.
        length: of a window, in bases.
        stride: bases from the start of one window to the next (None: the length, so that none overlap).
        blacklist: places to avoid.
        max_blacklisted: the largest share of a window that may be blacklisted.
        unknown: counts the unknown letters of a place, as :meth:`course_utils.genome_files.Fasta.unknown` does; it
            reads each window once. None: they are not asked for.
        max_unknown: the largest share of a window that may be unknown.

    Raises:
        GenomeError: for a chromosome that the genome does not have, or a place past the end of one.
        WindowError: for numbers that cannot be, a chromosome in two splits, a chromosome of a split that is not used
            or has no window, or an empty split (lesson 10).
    """
    length, stride = _size(length, "length"), _size(length if stride is None else stride, "stride")
    _check_share(max_blacklisted, "max_blacklisted")
    _check_share(max_unknown, "max_unknown")
    split_of = _split_of(sizes, {"valid": valid, "test": test})
    covered = _coverage(sizes, blacklist)

    regions_to_tile = _regions(sizes, chromosomes, regions)
    _check_used(split_of, regions_to_tile, "chromosomes" if regions is None else "regions")
    unasked = set()
    if chromosomes is None and regions is None:
        unasked = {name for name in sizes if OTHER_CONTIGS.fullmatch(name) and name not in split_of}

    left_out = dict.fromkeys(REASONS, 0)
    splits = {split: [] for split in SPLITS}
    seen = set()
    for region in regions_to_tile:
        for place in _tiles(region, length, stride):
            if place.chromosome in unasked:
                reason = "other contigs"
            elif place.start < 0 or place.end > sizes[place.chromosome]:
                reason = "past the end"
            elif place in seen:
                reason = "there already"
            elif covered(place) > max_blacklisted * length:
                reason = "blacklisted"
            elif unknown is not None and unknown(place) > max_unknown * length:
                reason = "unknown"
            else:
                splits[split_of.get(place.chromosome, "train")].append(place)
                seen.add(place)
                continue
            left_out[reason] += 1
    _check_filled(splits, split_of, left_out)
    return WindowPlan({split: tuple(places) for split, places in splits.items()}, left_out)


def _regions(sizes, chromosomes, regions) -> list[Place]:
    if regions is None:
        names = list(sizes) if chromosomes is None else _names(chromosomes, "to tile")
        check_chromosomes(names, sizes, "the genome")
        return [Place(name, 0, sizes[name]) for name in names if sizes[name]]
    if chromosomes is not None:
        raise WindowError("chromosomes and regions came; one of them is expected")
    for region in regions:
        check_place(region, sizes, "the genome")
    return list(regions)


def _tiles(region: Place, length: int, stride: int) -> Iterable[Place]:
    chromosome, start, end = region
    if end - start < length:
        start -= (length - (end - start)) // 2
        end = start + length
    for first in range(start, end - length + 1, stride):
        yield Place(chromosome, first, first + length)


def _coverage(sizes: Mapping[str, int], blacklist: Sequence[Place]) -> Callable[[Place], int]:
    """A function that counts the blacklisted bases of a place, each once."""
    known = [place for place in blacklist if place.chromosome in sizes]
    if blacklist and not known:  # chr1 in one and 1 in the other would blacklist nothing
        check_chromosomes([blacklist[0].chromosome], sizes, "the genome")
    merged: dict[str, list[list[int]]] = {}
    for place in sorted(known):
        check_place(place, sizes, "the genome")
        stretches = merged.setdefault(place.chromosome, [])
        if stretches and place.start <= stretches[-1][1]:
            stretches[-1][1] = max(stretches[-1][1], place.end)
        else:
            stretches.append([place.start, place.end])

    def covered(place: Place) -> int:
        stretches = merged.get(place.chromosome, [])
        total, number = 0, bisect_right(stretches, [place.start, place.start])
        for start, end in stretches[max(number - 1, 0) :]:  # the one before may reach into the place
            if start >= place.end:
                break
            total += max(0, min(end, place.end) - max(start, place.start))
        return total

    return covered


def _split_of(sizes: Mapping[str, int], asked: Mapping[str, str | Iterable[str]]) -> dict[str, str]:
    """Chromosome -> "valid" or "test"."""
    split_of = {}
    for split, names in asked.items():
        for name in _names(names, f"of the {split} set"):
            check_chromosomes([name], sizes, "the genome")  # else its windows would be trained on
            if split_of.setdefault(name, split) != split:
                raise WindowError(f"{name} cannot be in the validation set and in the test set")
    return split_of


def _check_used(split_of: dict[str, str], regions: list[Place], what: str) -> None:
    used = {region.chromosome for region in regions}
    for name, split in split_of.items():
        if name not in used:
            raise WindowError(f"{name} was asked for in the {split} set, and is not among the {what} to use")


def _check_filled(splits: dict[str, list[Place]], split_of: dict[str, str], left_out: dict[str, int]) -> None:
    why = ", ".join(f"{count} {reason}" for reason, count in left_out.items() if count) or "none"
    there = Counter(place.chromosome for places in splits.values() for place in places)
    for name, split in split_of.items():
        if not there[name]:
            raise WindowError(f"{name} was asked for in the {split} set, and has no window; left out were {why}")
    for split, places in splits.items():
        if not places:
            raise WindowError(f"the {split} set is empty; the other sets have {sum(there.values())} windows, and left "
                              f"out were {why}")  # fmt: skip


def _names(names: str | Iterable[str], what: str) -> list[str]:
    found = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [names]
    if not all(isinstance(name, str) for name in found):
        raise WindowError(f"the chromosomes {what} are {said(names)}; their names are expected")
    return list(dict.fromkeys(found))


def _size(number: int, what: str) -> int:
    found = whole(number)
    if found is None or found < 1:
        raise WindowError(f"the {what} is {said(number)}; a whole number of bases from 1 up is expected")
    return found


def _check_share(share: float, what: str) -> None:
    if finite(share) is None or not 0 <= share <= 1:
        raise WindowError(f"{what} is {said(share)}; a share from 0 to 1 is expected")
