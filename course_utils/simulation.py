"""Labelled sequences with a planted motif, in more and more realistic ways, and the truth about each.

* A *background* is what sequences are without a motif: independent bases or a Markov chain, see
  :mod:`course_utils.backgrounds`.
* A *site* is drawn from a PPM ``(width, 4)``, position by position.
* A *positive* is a background sequence in which sites replace what stood in their places.
* A *negative* is a fresh background sequence, or a shuffled positive.

Sequences are kept as codes ``(N, L)``, uint8: A, C, G, T are 0, 1, 2, 3. Positions count from 0. How well the
two classes can be told apart at best is :mod:`course_utils.ceilings`. Explained in lesson 03.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import factorial
from numbers import Real
from typing import NamedTuple

import numpy as np

from course_utils.backgrounds import (
    SimulationError,
    check_chain,
    check_whole,
    gc_background,
    sample_background,
)
from course_utils.motifs import UNIFORM, check_ppm
from course_utils.sequences import from_codes
from course_utils.shuffles import as_codes, check_generator, shuffle_bases, shuffle_dinucleotides

STRANDS = ("+", "-", "either")
SHUFFLES = {"shuffled": shuffle_bases, "dinucleotides": shuffle_dinucleotides}
NEGATIVES = ("background", "gc", *SHUFFLES)
ORDERS = ("fixed", "free")
#: Percent of A, C, G, T at the six positions of the motif CCGGAA of two Korean lectures (lesson 03).
CCGGAA = np.array(
    [
        [10.41, 68.20, 17.27, 4.13],
        [22.86, 65.25, 8.30, 3.59],
        [1.92, 0.50, 94.77, 2.81],
        [1.55, 0.35, 97.32, 0.78],
        [98.60, 0.25, 0.87, 0.28],
        [86.66, 2.57, 0.00, 10.77],
    ]
)

_MOST_LAYOUTS = 10_000


@dataclass(frozen=True, eq=False)
class LabelledSet:
    """N labelled sequences of L bases, the positives first, and where their motifs stand.

    Attributes:
        codes: ``(N, L)``, uint8: A, C, G, T are 0, 1, 2, 3.
        labels: ``(N,)``, 1 for positive and 0 for negative: what a learner is told. Label noise makes
            some of them wrong; see `truth`.
        starts: ``(N, motifs)``: the first base of each motif's site, on either strand; -1 if none.
        strands: ``(N, motifs)``: ``"+"`` or ``"-"``; ``"."`` if there is no site.
    """

    codes: np.ndarray
    labels: np.ndarray
    starts: np.ndarray
    strands: np.ndarray

    @property
    def truth(self) -> np.ndarray:
        """The labels ``(N,)`` before any noise: 1 where sites were planted."""
        return (self.starts[:, 0] >= 0).astype(np.int64)

    @property
    def sequences(self) -> list[str]:
        """The N sequences as text."""
        return from_codes(self.codes)

    @property
    def one_hot(self) -> np.ndarray:
        """The sequences as ``(N, L, 4)``, float32, columns A, C, G, T."""
        return np.eye(4, dtype=np.float32)[self.codes]


# --- sites ---------------------------------------------------------------------------------------


def sample_sites(ppm: np.ndarray, many: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `many` sites of a motif ``(width, 4)`` as codes ``(many, width)``, uint8.

    Each position is drawn by itself, as a PPM says.

    Raises:
        MotifError: for probabilities that are none.
        SimulationError: for a number of sites below 0.
        ValueError: unless `rng` is a numpy Generator (lesson 03).
    """
    ppm = check_ppm(ppm)
    check_whole("the number of sites", many, 0)
    uniform = check_generator(rng).random((len(ppm), many))
    rows = ppm / ppm.sum(axis=1, keepdims=True)
    sites = np.empty((many, len(ppm)), dtype=np.uint8)
    for position, row in enumerate(rows):
        # Impossible bases are left out and the last possible one takes the rest, so that rounding
        # never draws a base of probability 0.
        possible = np.flatnonzero(row)
        edges = np.cumsum(row[possible])[:-1]
        sites[:, position] = possible[np.searchsorted(edges, uniform[position], side="right")]
    return sites


def plant(
    codes: np.ndarray,
    sites: np.ndarray,
    starts: int | np.ndarray,
    strands: str | np.ndarray = "+",
) -> np.ndarray:
    """A copy of sequences ``(N, L)`` in which site i ``(width,)`` replaces the bases from start i on.

    Args:
        codes: sequences of one length, as codes or text.
        sites: ``(N, width)``, codes or text, as they read in their own direction.
        starts: one for all, or ``(N,)``; the first base that is replaced, on both strands.
        strands: one for all, or ``(N,)``; on ``"-"`` the reverse complement of the site is written.

    Raises:
        SequenceError: for sequences or sites that are none.
        SimulationError: if sites, starts or strands are not as many as the sequences, or a site does
            not fit (lesson 03).
    """
    codes, sites = as_codes(codes), as_codes(sites)
    many, length = codes.shape
    width = sites.shape[1]
    if len(sites) != many:
        raise SimulationError(
            f"{len(sites)} sites came for {many} sequences; one for each is expected"
        )
    _check_width(width, length)
    starts, strands = np.asarray(starts), np.asarray(strands)
    for what, given in (("starts", starts), ("strands", strands)):
        if given.shape not in ((), (many,)):
            raise SimulationError(
                f"{what} of the shape {given.shape} came for {many} sequences; one, or one for each, is expected"
            )
    if starts.dtype.kind not in "iu":
        raise SimulationError(f"starts are {starts.dtype}; whole numbers are expected")
    starts, strands = np.broadcast_to(starts, (many,)), np.broadcast_to(strands, (many,))
    outside = np.flatnonzero((starts < 0) | (starts > length - width))
    if outside.size:
        raise SimulationError(
            f"the start of site {outside[0]} is {starts[outside[0]]}; a site of {width} bases fits into "
            f"{length} bases at 0 to {length - width}"
        )
    odd = [strand for strand in np.unique(strands) if strand not in STRANDS[:2]]
    if odd:
        raise SimulationError(f"a strand is {str(odd[0])!r}; '+' or '-' is expected")
    complement = 3 - sites  # of codes 0 to 3
    written = np.where((strands == "-")[:, None], complement[:, ::-1], sites)
    planted = codes.copy()
    planted[np.arange(many)[:, None], starts[:, None] + np.arange(width)] = written
    return planted


# --- labelled sets -------------------------------------------------------------------------------


class Layout(NamedTuple):
    """One way to set motifs side by side, and its probability.

    Attributes:
        offsets: of each motif, from the leftmost.
        span: bases from the first of the leftmost to the end of the rightmost.
        probability: of this layout among all that a :class:`Plan` allows.
    """

    offsets: tuple[int, ...]
    span: int
    probability: float


@dataclass(frozen=True)
class Plan:
    """How sequences are made: the choices of :func:`simulate`, checked."""

    ppms: tuple[np.ndarray, ...]
    length: int
    start: int | None
    strand: str
    background: np.ndarray
    against: str | np.ndarray
    layouts: tuple[Layout, ...]

    def places(self, layout: Layout) -> range:
        """Where the leftmost motif of a layout may start; all places are equally likely."""
        if self.start is not None:
            return range(self.start, self.start + 1)
        return range(self.length - layout.span + 1)

    @property
    def shuffle(self) -> str | None:
        """``"shuffled"`` or ``"dinucleotides"``; None if negatives are fresh."""
        if isinstance(self.against, str) and self.against in SHUFFLES:
            return self.against
        return None

    def negative_background(self) -> np.ndarray | None:
        """What fresh negatives are drawn from; None if negatives are shuffled positives."""
        if not isinstance(self.against, str):
            return self.against
        if self.shuffle:
            return None
        if self.against == "background":
            return self.background
        first, _ = check_chain(self.background)
        sites = np.concatenate(self.ppms)
        strong = sites[:, 1:3].sum() + (self.length - len(sites)) * first[1:3].sum()
        gc = strong / self.length
        if not 0 < gc < 1:
            raise SimulationError(
                f"the positives have the GC content {gc:g}, motif and all; negatives can match one above 0 "
                "and below 1: give a background as `against`"
            )
        return gc_background(gc)

    def sample_positives(
        self, many: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`many` positives: codes ``(many, length)``, and ``(many, motifs)`` starts and strands."""
        codes = sample_background(many, self.length, self.background, rng)
        layout = rng.choice(
            len(self.layouts), many, p=[layout.probability for layout in self.layouts]
        )
        offsets = np.array([layout.offsets for layout in self.layouts])[layout]  # (many, motifs)
        places = np.array([(p.start, p.stop) for p in map(self.places, self.layouts)])[layout]
        starts = offsets + rng.integers(places[:, 0], places[:, 1])[:, None]
        strands = np.full(starts.shape, "-" if self.strand == "-" else "+")
        if self.strand == "either":
            strands[rng.random(starts.shape) < 0.5] = "-"
        if many:
            for motif, ppm in enumerate(self.ppms):
                sites = sample_sites(ppm, many, rng)
                codes = plant(codes, sites, starts[:, motif], strands[:, motif])
        return codes, starts, strands

    def sample_negatives(
        self, many: int, positives: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """`many` negatives as codes; shuffles of the positives, in turn, if they are shuffled ones."""
        fresh = self.negative_background()
        if fresh is not None:
            return sample_background(many, self.length, fresh, rng)
        if not many:
            return positives[:0]
        return SHUFFLES[self.shuffle](positives[np.arange(many) % len(positives)], rng)


def simulate(
    ppm: np.ndarray | Sequence[np.ndarray],
    *,
    positives: int = 1000,
    negatives: int = 1000,
    length: int = 20,
    start: int | None = None,
    strand: str = "+",
    background: Sequence | np.ndarray = UNIFORM,
    against: str | Sequence | np.ndarray = "background",
    gap: tuple[int, int] | None = None,
    order: str = "fixed",
    label_noise: float = 0.0,
    rng: np.random.Generator,
) -> LabelledSet:
    """Make a labelled set: positives with planted sites, then negatives without.

    ``simulate(ppm, start=7, rng=rng)`` is the set of many first lectures: 1,000 positives of 20 bases
    with the motif in the middle, 1,000 uniform negatives. Each choice makes it less naive.

    Args:
        ppm: a motif ``(width, 4)``, or a list of motifs, all of which stand in every positive.
        positives, negatives: how many of each.
        length: of all sequences, in bases.
        start: where the site starts; None for a place anew for each sequence, all being equally likely.
            Of several motifs, it is the start of the leftmost.
        strand: ``"+"``, ``"-"``, or ``"either"``: drawn anew for each site.
        background: of the positives: four probabilities or a chain ``(4, 4)``. See
            :func:`gc_background`, :func:`composition_of`, :func:`transitions_of`.
        against: the negatives. ``"background"``: fresh, from the background of the positives, which have
            their motif's bases beside; ``"gc"``: fresh, with the GC content of the positives, motif and
            all; ``"shuffled"`` and ``"dinucleotides"``: each a shuffled positive; or another
            background, of which they are fresh sequences.
        gap: for several motifs: the fewest and the most bases between neighbours; all numbers from
            one to the other are equally likely.
        order: of several motifs, from left to right: ``"fixed"`` as given, or ``"free"``: any.
        label_noise: the share of labels that are flipped, 0 to 0.5. Exactly that share, drawn from all.
        rng: numpy's generator of random numbers.

    Raises:
        SimulationError: for choices that cannot be: a motif longer than the sequences, a start
            outside, a spacing that does not fit, a noise outside 0 to 0.5, no sequences at all, ...
        MotifError: for a motif or a background that is none.
        ValueError: unless `rng` is a numpy Generator (lesson 03).
    """
    check_whole("the number of positives", positives, 0)
    check_whole("the number of negatives", negatives, 0)
    if not positives + negatives:
        raise SimulationError("no positives and no negatives: at least one sequence is expected")
    plan = make_plan(
        ppm,
        length=length,
        start=start,
        strand=strand,
        background=background,
        against=against,
        gap=gap,
        order=order,
    )
    if not positives and plan.negative_background() is None:
        raise SimulationError(
            "there are no positives to shuffle; negatives can be fresh, see `against`"
        )
    check_generator(rng)
    codes, starts, strands = plan.sample_positives(positives, rng)
    others = plan.sample_negatives(negatives, codes, rng)
    none = (negatives, len(plan.ppms))
    labels = np.repeat([1, 0], [positives, negatives])
    return LabelledSet(
        codes=np.concatenate([codes, others]),
        labels=flip_labels(labels, label_noise, rng),
        starts=np.concatenate([starts, np.full(none, -1)]),
        strands=np.concatenate([strands, np.full(none, ".")]),
    )


def flip_labels(labels: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """A copy of labels 0 and 1 ``(N,)`` with a share of them flipped, from 0 to 0.5.

    Their number is exact (share times N, rounded); which ones is drawn from all alike.

    Raises:
        SimulationError: for a share outside 0 to 0.5, or labels other than 0 and 1.
        ValueError: unless `rng` is a numpy Generator (lesson 03).
    """
    labels = np.array(labels)
    if labels.ndim != 1 or not np.isin(labels, (0, 1)).all():
        raise SimulationError(f"labels are 0 or 1, in a row; {str(labels)[:40]!r} came")
    check_noise(share)
    wrong = check_generator(rng).choice(len(labels), round(share * len(labels)), replace=False)
    labels[wrong] = 1 - labels[wrong]
    return labels


# --- choices, checked ----------------------------------------------------------------------------


def make_plan(
    ppm: np.ndarray | Sequence[np.ndarray],
    *,
    length: int,
    start: int | None = None,
    strand: str = "+",
    background: Sequence | np.ndarray = UNIFORM,
    against: str | Sequence | np.ndarray = "background",
    gap: tuple[int, int] | None = None,
    order: str = "fixed",
) -> Plan:
    """The choices of :func:`simulate` as a checked :class:`Plan`.

    Raises:
        SimulationError, MotifError: as :func:`simulate` does.
    """
    several = isinstance(ppm, (list, tuple)) and len(ppm) > 0 and np.ndim(ppm[0]) == 2
    several = several or isinstance(ppm, np.ndarray) and ppm.ndim == 3
    ppms = [check_ppm(one) for one in (ppm if several else [ppm])]
    ppms = tuple(one / one.sum(axis=1, keepdims=True) for one in ppms)
    check_whole("the length", length, 1)
    for one in ppms:
        _check_width(len(one), length)
    _check_choice("strand", strand, STRANDS)
    _check_choice("order", order, ORDERS)
    check_chain(background)
    if isinstance(against, str):
        _check_choice("against", against, NEGATIVES)
    else:
        check_chain(against)
        against = np.asarray(against, dtype=float)
    layouts = tuple(_layouts([len(one) for one in ppms], gap, order))
    longest = max(layout.span for layout in layouts)
    if longest > length:
        raise SimulationError(
            f"the motifs span up to {longest} bases with their gaps, more than the {length} bases of a sequence"
        )
    if start is not None:
        check_whole("the start", start, 0)
        if start + longest > length:
            raise SimulationError(
                f"the start is {start}; {longest} bases fit into {length} at 0 to {length - longest}"
            )
    return Plan(ppms, length, start, strand, np.asarray(background, dtype=float), against, layouts)


def _layouts(widths: list[int], gap: tuple[int, int] | None, order: str) -> list[Layout]:
    """All ways to set motifs of these widths side by side, equally likely."""
    if len(widths) == 1:
        if gap is not None:
            raise SimulationError(
                f"the gap is {gap} and there is one motif; a gap lies between two"
            )
        gap = (0, 0)
    elif gap is None:
        raise SimulationError(
            f"{len(widths)} motifs came without a gap; gap=(fewest, most) says how many bases lie between"
        )
    try:
        fewest, most = gap
    except (TypeError, ValueError):
        raise SimulationError(
            f"the gap is {gap!r}; two whole numbers are expected, fewest and most"
        ) from None
    check_whole("the smallest gap", fewest, 0)
    check_whole("the largest gap", most, fewest)
    free = order == "free"
    many = (most - fewest + 1) ** (len(widths) - 1) * (factorial(len(widths)) if free else 1)
    if many > _MOST_LAYOUTS:
        raise SimulationError(
            f"{len(widths)} motifs with gaps of {fewest} to {most} can be set in {many} ways; "
            f"up to {_MOST_LAYOUTS} are expected: narrow the gap or take fewer motifs"
        )
    given = tuple(range(len(widths)))
    orders = permutations(given) if free else [given]
    layouts = []
    for motifs, gaps in product(orders, product(range(fewest, most + 1), repeat=len(widths) - 1)):
        offsets, end = [0] * len(widths), 0
        for motif, between in zip(motifs, (0, *gaps)):
            offsets[motif] = end + between
            end = offsets[motif] + widths[motif]
        layouts.append(Layout(tuple(offsets), end, 1 / many))
    return layouts


def check_noise(share: float) -> None:
    """Say so if a share of flipped labels is none.

    Raises:
        SimulationError: for a share outside 0 to 0.5: beyond one half, labels mean the opposite
            (lesson 03).
    """
    if not isinstance(share, Real) or not 0 <= share <= 0.5:
        raise SimulationError(f"the label noise is {share}; a share from 0 to 0.5 is expected")


def _check_width(width: int, length: int) -> None:
    if width > length:
        raise SimulationError(
            f"the motif is {width} positions wide and the sequences have {length} bases; a site must fit in"
        )


def _check_choice(what: str, choice: str, choices: tuple[str, ...]) -> None:
    if choice not in choices:
        raise SimulationError(
            f"{what} is {choice!r}; choose one of {', '.join(map(repr, choices))}"
        )
