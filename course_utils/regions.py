"""Regions of a genome, such as the peaks of a ChIP-seq experiment: letters, places, and splits of them.

* A *region* is a stretch of DNA, in upper case, whose place in the genome may be known; a *peak* is a region at
  which a protein was seen.
* A sequence and its reverse complement are the same piece of DNA, read from its two ends. Where one is in the
  training set and the other in the test set, the test asks for something that was learned by heart.

Explained in lesson 06.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from course_utils.checks import finite, said, whole, whole_numbers
from course_utils.sequences import IUPAC, one_hot, read_fasta
from course_utils.shuffles import check_generator
from course_utils.windows import Place

# chr1:100-200, as bedtools writes it, which can put a name and :: before it and the strand behind it.
_PLACE = re.compile(r"(?:\S*::)?([^\s:]+):([0-9]+)-([0-9]+)(?:\(([-+.])\))?(?=\s|$)")
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_UNKNOWN = str.maketrans({code: "N" for code, bases in IUPAC.items() if len(bases) > 1})


class RegionError(ValueError):
    """Regions whose parts do not fit together, or from which nothing is left."""


@dataclass(frozen=True, eq=False, repr=False)
class Regions:
    """N stretches of DNA of one length; making them checks that the parts fit together.

    Attributes:
        sequences: N of one length, of A, C, G, T and N; lower case becomes upper case.
        places: N places in the genome, or None where they are not known.

    Raises:
        RegionError: for no sequence, unequal lengths, another letter, or places that do not fit the sequences;
            the message names the first (lesson 06).
    """

    sequences: tuple[str, ...]
    places: tuple[Place, ...] | None = None

    def __post_init__(self):
        sequences = _checked_sequences(self.sequences)
        _check_one_length(sequences)
        object.__setattr__(self, "sequences", sequences)
        object.__setattr__(self, "places", _checked_places(self.places, sequences))

    def __len__(self) -> int:
        return len(self.sequences)

    def __repr__(self) -> str:
        return f"{len(self):,} regions of {self.length:,} bp, {'with' if self.places else 'without'} places"

    @property
    def length(self) -> int:
        """Letters of each sequence."""
        return len(self.sequences[0])

    @property
    def one_hot(self) -> np.ndarray:
        """The sequences as ``(N, L, 4)``, uint8; four zeros are an N."""
        return one_hot(self.sequences, ambiguous="zeros", dtype=np.uint8)

    def subset(self, indices: Iterable[int]) -> "Regions":
        """The regions at these positions, in this order.

        Raises:
            RegionError: for no position at all, or one that no region has.
        """
        chosen = whole_numbers(indices)
        if not chosen:
            hint = "; np.flatnonzero gives those of a mask" if getattr(indices, "dtype", None) == bool else ""
            raise RegionError(f"the indices are {said(indices)}; at least one whole number is expected{hint}")
        for wrong in (min(chosen), max(chosen)):
            if not -len(self) <= wrong < len(self):
                raise RegionError(f"there is no region {wrong}: they are numbered 0 to {len(self) - 1}")
        places = self.places and tuple(self.places[index] for index in chosen)
        return Regions(tuple(self.sequences[index] for index in chosen), places)

    def by_chromosome(self, test: Iterable[str]) -> tuple["Regions", "Regions"]:
        """Split into a training set (all the other chromosomes) and a test set (these).

        No region of one then overlaps one of the other. A copy of a region can still lie on another
        chromosome: :func:`in_both` finds them.

        Args:
            test: names of chromosomes, such as ``["chr8", "chr9"]``, or one name.

        Raises:
            RegionError: if places are not known, a chromosome has no region, or a set would be empty.
        """
        if self.places is None:
            raise RegionError(
                "these regions have no places (the headers of the FASTA had no coordinates such as chr8:100-200), "
                "so they cannot be split by chromosome; split them at random with split_at_random instead"
            )
        names = [test] if isinstance(test, str) else list(test) if isinstance(test, Iterable) else [test]
        if not all(isinstance(name, str) for name in names):
            raise RegionError(f"the chromosomes are {said(test)}; their names are expected")
        there = Counter(place.chromosome for place in self.places)
        counts = ", ".join(f"{name} {count}" for name, count in sorted(there.items()))
        for name in names:
            if name not in there:  # a wrong name would leave its regions in the training set
                raise RegionError(f"{name!r} was asked for in the test set, and the regions are {counts}")
        asked = np.array([place.chromosome in names for place in self.places])
        for split, members in (("training", ~asked), ("test", asked)):
            if not members.any():
                wanted = " and ".join(names) or "no chromosome"
                raise RegionError(
                    f"the {split} set is empty: {wanted} was asked for in the test set, and the regions are "
                    f"{counts}"
                )
        return self.subset(np.flatnonzero(~asked)), self.subset(np.flatnonzero(asked))


def read_regions(path: str | Path, length: int | None = None) -> Regions:
    """Read the regions of a FASTA file, plain or gzipped.

    A header that starts with ``chrom:start-end``, 0-based and half-open, says where its sequence lies; so does
    ``name::chrom:start-end(-)``, as `bedtools getfasta` writes it. Lower case (repeats) becomes upper case, and
    IUPAC's codes for bases that are not known become N.

    Args:
        path: of the file.
        length: of the regions; each is cut to its central `length` letters, and its place with it. Without,
            all sequences must have one length.

    Raises:
        FileNotFoundError, FastaError, SequenceError: as :func:`course_utils.sequences.read_fasta` does.
        RegionError: for unequal lengths, or sequences shorter than `length`; for coordinates that some headers
            have and some lack, or that are not as long as their sequence (lesson 06).
    """
    wanted = whole(length)
    if length is not None and (wanted is None or wanted < 1):
        raise RegionError(f"the length is {said(length)}; a whole number from 1 up is expected")
    records = read_fasta(path)
    sequences = [record.sequence for record in records]
    found = [_PLACE.match(record.name) for record in records]
    if any(found) and not all(found):
        number = found.index(None)
        raise RegionError(
            f"{path} has coordinates in {sum(map(bool, found))} headers of {len(records)}; the first without is "
            f"record {number + 1}, {records[number].name!r}, and chrom:start-end is expected"
        )
    for record, match in zip(records, found):
        if match and int(match[3]) - int(match[2]) != len(record.sequence):
            raise RegionError(_of_another_length(record, match, path))
    lengths = list(map(len, sequences))
    if wanted is None:
        if min(lengths) < max(lengths):
            raise RegionError(
                f"{path} has sequences of {min(lengths)} to {max(lengths)} letters, and one length is expected: "
                f"length={min(lengths)} cuts each to its central {min(lengths)}, for example"
            )
        wanted = lengths[0]
    elif min(lengths) < wanted:
        number = next(number for number, there in enumerate(lengths) if there < wanted)
        raise RegionError(
            f"the length is {wanted}, and record {number + 1} of {path} ({records[number].name!r}) has "
            f"{lengths[number]} letters; all have at least {min(lengths)}"
        )
    starts = [(there - wanted) // 2 for there in lengths]
    cut = (one[start : start + wanted].upper().translate(_UNKNOWN) for one, start in zip(sequences, starts))
    if not found[0]:
        return Regions(tuple(cut))
    places = []
    for match, start in zip(found, starts):
        start = int(match[3]) - start - wanted if match[4] == "-" else int(match[2]) + start
        places.append(Place(match[1], start, start + wanted))
    return Regions(tuple(cut), tuple(places))


def without_unknown(regions: Regions, most: int = 0) -> Regions:
    """The regions that have no more than `most` letters N.

    Raises:
        RegionError: if `most` is no whole number from 0 up, or no region is left (lesson 06).
    """
    limit = whole(most)
    if limit is None or limit < 0:
        raise RegionError(f"most is {said(most)}; a whole number from 0 up is expected")
    unknown = np.array([sequence.count("N") for sequence in regions.sequences])
    if unknown.min() > limit:
        raise RegionError(
            f"no region is left: each of the {len(regions)} has at least {unknown.min()} N, and {limit} were "
            "allowed"
        )
    return regions.subset(np.flatnonzero(unknown <= limit))


# --- copies --------------------------------------------------------------------------------------


def same_or_reverse(sequences: Iterable[str] | Regions) -> np.ndarray:
    """Number the sequences, ``(N,)``: equal ones, and reverse complements of each other, get the same number.

    The numbers count from 0, in the order in which they appear. An N equals an N.

    Raises:
        RegionError: for no sequence, or letters other than A, C, G, T and N (lesson 06).
    """
    numbers = {}
    return np.array([numbers.setdefault(word, len(numbers)) for word in _words(sequences)])


def in_both(training: Iterable[str] | Regions, test: Iterable[str] | Regions) -> np.ndarray:
    """The indices of those test sequences that are in the training set, letter by letter, on either strand.

    Raises:
        RegionError: for no sequence, or letters other than A, C, G, T and N (lesson 06).
    """
    known = set(_words(training))
    return np.array([number for number, word in enumerate(_words(test)) if word in known], dtype=int)


def split_at_random(
    sequences: Iterable[str] | Regions, share: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a test set; copies and reverse complements of a sequence stay together on one side.

    Args:
        sequences: N of them.
        share: of the sequences that go to the test set, above 0 and below 1; copies that stay together can
            make it a little more or less.
        rng: numpy's generator of random numbers.

    Returns:
        The indices of the training set and of the test set, each in rising order and none of them empty.

    Raises:
        RegionError: for letters other than A, C, G, T and N, a share out of range, or sequences that are all
            copies of one (lesson 06).
        ValueError: unless `rng` is a numpy Generator.
    """
    check_generator(rng)
    wanted = finite(share)
    if wanted is None or not 0 < wanted < 1:
        raise RegionError(f"share is {said(share)}; a number above 0 and below 1 is expected")
    group = same_or_reverse(sequences)
    groups = int(group.max()) + 1
    if groups == 1:
        raise RegionError(
            f"there are {len(group)} sequences, copies or reverse complements of one another; a split needs two "
            "that differ"
        )
    order = rng.permutation(groups)
    sizes = np.bincount(group)[order].cumsum()[:-1]  # of the test set, if it takes the first 1, 2, ... groups
    taken = int(np.argmin(abs(sizes - wanted * len(group)))) + 1
    asked = np.isin(group, order[:taken])
    return np.flatnonzero(~asked), np.flatnonzero(asked)


def _words(sequences: Iterable[str] | Regions) -> list[str]:
    """Each sequence or its reverse complement, whichever is first in the alphabet."""
    letters = sequences.sequences if isinstance(sequences, Regions) else _checked_sequences(sequences)
    return [min(sequence, sequence.translate(_COMPLEMENT)[::-1]) for sequence in letters]


# --- the checks ----------------------------------------------------------------------------------


def _checked_sequences(sequences) -> tuple[str, ...]:
    """The sequences, in upper case, if they are letters A, C, G, T and N."""
    if isinstance(sequences, str) or not isinstance(sequences, Iterable):
        raise RegionError(f"a {type(sequences).__name__} came; several sequences are expected, in a list")
    sequences = tuple(sequences)
    if not sequences:
        raise RegionError("there are no sequences: the list is empty")
    for number, sequence in enumerate(sequences):
        if not isinstance(sequence, str) or not sequence:
            came = "is empty" if isinstance(sequence, str) else f"is of type {type(sequence).__name__}"
            raise RegionError(f"sequence {number} {came}; a str of A, C, G, T and N is expected")
    text = "\n".join(sequences).upper()
    if text.isascii() and not text.encode().translate(None, delete=b"ACGTN\n"):
        checked = tuple(text.split("\n"))
        if len(checked) == len(sequences):
            return checked
    for number, sequence in enumerate(sequences):
        for position, letter in enumerate(sequence):
            if letter not in "ACGTNacgtn":
                raise RegionError(
                    f"letter {letter!r} at position {position} of sequence {number} (counting from 0) is none of "
                    "A, C, G, T and N"
                )
    raise AssertionError("a letter was refused and not found")


def _check_one_length(sequences: tuple[str, ...]) -> None:
    first = len(sequences[0])
    for number, sequence in enumerate(sequences):
        if len(sequence) != first:
            raise RegionError(
                f"sequences of unequal length: number 0 has {first} letters and number {number} has "
                f"{len(sequence)}; regions have one length (read_regions cuts to one with length=)"
            )


def _checked_places(places, sequences: tuple[str, ...]) -> tuple[Place, ...] | None:
    if places is None:
        return None
    try:
        places = tuple(place if type(place) is Place else Place(*place) for place in places)
    except TypeError:
        raise RegionError("the places are not all of the form (chromosome, start, end)") from None
    if len(places) != len(sequences):
        raise RegionError(f"there are {len(sequences)} sequences and {len(places)} places")
    length = len(sequences[0])
    for number, (chromosome, start, end) in enumerate(places):
        if not isinstance(chromosome, str) or whole(start) is None or whole(end) is None:
            raise RegionError(
                f"the place of region {number} is {(chromosome, start, end)}; a name and two whole numbers are "
                "expected"
            )
        if end - start != length or start < 0:
            place = Place(chromosome, start, end)
            raise RegionError(f"the place of region {number} is {place}, and it has {length} letters")
    return places


def _of_another_length(record, match: re.Match, path: str | Path) -> str:
    there = int(match[3]) - int(match[2])
    hint = ""
    if there + 1 == len(record.sequence):
        hint = "; they seem to count from 1, as samtools faidx does: subtract 1 from each start"
    return (
        f"the header {record.name!r} of {path} names {there} bases (0-based, half-open), and its sequence "
        f"has {len(record.sequence)}{hint}"
    )
