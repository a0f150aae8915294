"""A simulated genome in which an enhancer acts from afar, so that only a network with a wide view can know it.

* A *window* is a sequence with a count per bin and track. A *bin* is 128 bases.
* A *promoter* is a bin with copies of one word. An *enhancer* is a bin with copies of the word of its *group*;
  a group has its own tracks (two groups of five: think of two cell types). Words are copied with errors.
* The expected count of bin b in a track of group g is

      (0.3 + 4 at a promoter, 1.6 one bin beside) x 10 ** exp(-distance / 30) + 6 at an enhancer of g

  where distance, in bins, is that from b to the nearest enhancer of group g (without one: x 1). The counts are
  drawn from a Poisson distribution around it.
* Enhancers stay 10 bins and more away from every promoter. Who sees 8 bins to either side, which is all that
  a network without dilation sees, finds the promoters but cannot know how strong they are.

All numbers are fields of :class:`GenomeRules`; arrays are ``(N, bins, tracks)``, positions count from 0. The
rules are ours, not nature's, and made to be learnt in half a minute: the effect fades with the distance, an
enhancer shows in its own bin, too, and words come in many copies. With two copies at a promoter and three at an
enhancer, a small network was at r = 0.79 after eight epochs (the ceiling is 0.89). Explained in lesson 10.
"""

from dataclasses import dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np

from course_utils.backgrounds import SimulationError, check_whole, sample_background
from course_utils.motifs import check_background
from course_utils.sequences import from_codes
from course_utils.shuffles import check_generator
from course_utils.simulation import sample_sites
from course_utils.windows import Windows

_NONE = np.iinfo(np.int64).max  # the distance to an element that is not there
_AVERAGED = 4000  # windows for the mean boost: its error is below a hundredth of its spread
_DISTANCES = 4000 * 4 * 128  # from bin to enhancer, that are looked at together
_SHRINK = 20  # bins of the overall mean that each cell of that table starts with


@dataclass(frozen=True)
class GenomeRules:
    """What is planted in a window, and what it does; see the formula at the top of this file.

    Attributes:
        length: of a window, in bases; whole bins.
        bin_size: bases that share a count.
        tracks: of a window; each group has as many.
        groups: of enhancers, at most 26.
        background: probabilities of A, C, G, T.
        word: bases of a word.
        conservation: the probability that a base of a copy is the word's; the other three share the rest.
        promoters, enhancers: of each window. The group of each enhancer is drawn anew.
        promoter_copies, enhancer_copies: of the word, in the bin of each.
        gap: the fewest bins between an enhancer and a promoter.
        base: expected count of a bin far from everything.
        promoter: what a promoter adds to its bin.
        shoulder: the share of it that it adds one bin to either side.
        fold: by how much an enhancer multiplies at the distance 0.
        decay: bins over which its logarithm falls to 1/e.
        enhancer: what an enhancer adds to its own bin, in the tracks of its group.

    Raises:
        SimulationError: for numbers that cannot be, with the number.
        MotifError: for four numbers that are no background.
    """

    length: int = 16_384
    bin_size: int = 128
    tracks: int = 10
    groups: int = 2
    background: tuple[float, ...] = (0.29, 0.21, 0.21, 0.29)
    word: int = 12
    conservation: float = 0.94
    promoters: int = 4
    enhancers: int = 4
    promoter_copies: int = 4
    enhancer_copies: int = 6
    gap: int = 10
    base: float = 0.3
    promoter: float = 4.0
    shoulder: float = 0.4
    fold: float = 10.0
    decay: float = 30.0
    enhancer: float = 6.0

    def __post_init__(self):
        for name in ("length", "bin_size", "tracks", "groups", "word", "promoters", "enhancers"):
            check_whole(f"GenomeRules.{name}", getattr(self, name), 1)
        for name in ("promoter_copies", "enhancer_copies", "gap"):
            check_whole(f"GenomeRules.{name}", getattr(self, name), 1)
        for name in ("base", "fold", "decay", "promoter", "shoulder", "enhancer"):
            value, least = getattr(self, name), "above 0" if name in ("base", "fold", "decay") else "0 or more"
            if not isinstance(value, Real) or not 0 <= value < np.inf or (value == 0 and least == "above 0"):
                raise SimulationError(f"GenomeRules.{name} is {value}; a number {least} is expected")
        if not isinstance(self.conservation, Real) or not 0.25 <= self.conservation <= 1:
            raise SimulationError(
                f"GenomeRules.conservation is {self.conservation}; 0.25 (no word at all) to 1 is expected"
            )
        check_background(self.background)
        if self.length % self.bin_size:
            raise SimulationError(
                f"the length is {self.length} bases; a multiple of the bin of {self.bin_size} is expected"
            )
        if self.groups > 26:
            raise SimulationError(f"GenomeRules.groups is {self.groups}; 1 to 26 are expected, named A to Z")
        if self.tracks % self.groups:
            raise SimulationError(
                f"{self.tracks} tracks cannot be shared by {self.groups} groups; a multiple is expected"
            )
        copies = max(self.promoter_copies, self.enhancer_copies)
        if copies * self.word > self.bin_size:
            raise SimulationError(
                f"{copies} copies of a word of {self.word} bases do not fit into a bin of {self.bin_size}"
            )
        needed = self.promoters * (2 * self.gap - 1) + self.enhancers
        if needed > self.bins:  # even if every promoter shuts out as many bins as one can
            raise SimulationError(
                f"{self.promoters} promoters shut out up to {needed - self.enhancers} of {self.bins} bins; "
                f"{self.enhancers} enhancers are not sure to find a place: lengthen the window"
            )

    @property
    def bins(self) -> int:
        """Bins of a window."""
        return self.length // self.bin_size

    @property
    def group_of_track(self) -> np.ndarray:
        """The group of enhancers that each track listens to, ``(tracks,)``: 0, 0, ..., 1, 1, ..."""
        return np.repeat(np.arange(self.groups), self.tracks // self.groups)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the tracks: A1, A2, ... of the first group, then B1, ..."""
        each = self.tracks // self.groups
        return tuple(f"{chr(65 + group)}{track + 1}" for group in range(self.groups) for track in range(each))


class Elements(NamedTuple):
    """Where the elements of N windows are, in bins.

    Attributes:
        promoters: ``(N, promoters)``, from left to right.
        enhancers: ``(N, enhancers)``, from left to right.
        groups: ``(N, enhancers)``: the group of each enhancer, 0, 1, ...
    """

    promoters: np.ndarray
    enhancers: np.ndarray
    groups: np.ndarray


class Element(NamedTuple):
    """One planted element of one window, for a picture or a list.

    Attributes:
        kind: ``"promoter"`` or ``"enhancer"``.
        group: whose tracks an enhancer raises; None for a promoter, which is in all tracks.
        bin: where it is.
        word: what its copies are copies of.
        starts: the first base of each copy, in the window.
    """

    kind: str
    group: int | None
    bin: int
    word: str
    starts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Genome:
    """The words, which all windows of a simulated genome share, and its rules; from :func:`make_genome`.

    Attributes:
        rules: how windows are made.
        words: ``(1 + groups, word)``, codes: the promoter's, then one for each group of enhancers.
    """

    rules: GenomeRules
    words: np.ndarray


@dataclass(frozen=True, eq=False)
class SimulatedGenome:
    """N windows of a simulated genome, and the truth about them.

    Attributes:
        windows: the sequences and their counts.
        rate: ``(N, bins, tracks)``, float32: the expected counts. Nobody predicts the counts better, given
            the window; what is left is chance.
        local_rate: as `rate`, as well as one can know it from the bins up to `reach` to either side: see
            :func:`local_rates`.
        elements: where promoters and enhancers are, in bins.
        starts: ``(N, promoters + enhancers, copies)``: the first base of each copy of each element, the
            promoters first; -1 where an element has fewer copies.
        genome: the words and the rules.
    """

    windows: Windows
    rate: np.ndarray
    local_rate: np.ndarray
    elements: Elements
    starts: np.ndarray
    genome: Genome

    def elements_of(self, window: int) -> list[Element]:
        """The planted elements of one window, from left to right.

        Raises:
            SimulationError: for a window that is not there.
        """
        many = len(self.starts)
        if check_whole("the window", window, 0) >= many:
            raise SimulationError(f"the window is {window}; there are {many}, 0 to {many - 1}")
        promoters, enhancers, groups = (part[window].tolist() for part in self.elements)
        kinds = [("promoter", None, bin) for bin in promoters]
        kinds += [("enhancer", group, bin) for group, bin in zip(groups, enhancers)]
        words = from_codes(self.genome.words)
        found = [
            Element(kind, group, bin, words[0 if group is None else 1 + group], tuple(s for s in starts if s >= 0))
            for (kind, group, bin), starts in zip(kinds, self.starts[window].tolist())
        ]
        return sorted(found, key=lambda element: element.bin)


def make_genome(rng: np.random.Generator, rules: GenomeRules | None = None) -> Genome:
    """Draw the words of a genome, base by base from its background: once for training and test windows.

    Raises:
        SimulationError: for rules that are none.
        ValueError: unless `rng` is a numpy Generator (lesson 10).
    """
    rules = GenomeRules() if rules is None else _check_rules(rules)
    check_generator(rng)
    return Genome(rules, sample_background(1 + rules.groups, rules.word, rules.background, rng))


def simulate_genome(
    count: int, genome: Genome, *, reach: int = 8, boost: np.ndarray | None = None, rng: np.random.Generator
) -> SimulatedGenome:
    """Draw `count` windows of a genome, with their counts and what can be known about these.

    Args:
        count: how many windows.
        genome: from :func:`make_genome`.
        reach: bins to either side that `local_rate` knows.
        boost: from :func:`mean_boost` with that reach, for who simulates many times; None: it is computed.
        rng: numpy's generator of random numbers.

    Raises:
        SimulationError: for a number of windows below 1, a reach below 0, or something else than a genome or a boost.
        ValueError: unless `rng` is a numpy Generator (lesson 10).
    """
    check_whole("the number of windows", count, 1)
    if not isinstance(genome, Genome):
        raise SimulationError(f"a {type(genome).__name__} came; a Genome is expected, from make_genome")
    rules = genome.rules
    if boost is None:
        boost = mean_boost(rules, reach=reach, rng=rng)
    elements = draw_elements(count, rules, rng)
    rate = expected_counts(elements, rules)
    codes, starts = _write(elements, genome, rng)
    counts = rng.poisson(rate).astype(np.float32)
    return SimulatedGenome(
        windows=Windows(np.eye(4, dtype=bool)[codes], counts, rules.labels, None),
        rate=rate,
        local_rate=local_rates(elements, rules, boost),
        elements=elements,
        starts=starts,
        genome=genome,
    )


# --- where the elements are, and what they do ----------------------------------------------------


def draw_elements(count: int, rules: GenomeRules, rng: np.random.Generator) -> Elements:
    """Draw places for the elements of `count` windows, each in a bin of its own.

    Promoters are anywhere; enhancers are anywhere from `rules.gap` bins off every promoter. Used by
    :func:`simulate_genome`.

    Raises:
        SimulationError: for a number of windows below 1, or rules that are none.
        ValueError: unless `rng` is a numpy Generator.
    """
    check_whole("the number of windows", count, 1)
    shape = (count, _check_rules(rules).bins)
    # the bins with the smallest of random numbers are a random choice of bins
    promoters = check_generator(rng).random(shape).argsort(axis=1)[:, : rules.promoters]
    shut = _distances(promoters, rules).min(axis=1) < rules.gap
    enhancers = np.where(shut, 1.0, rng.random(shape)).argsort(axis=1)[:, : rules.enhancers]
    groups = rng.integers(rules.groups, size=enhancers.shape)
    return Elements(np.sort(promoters), np.sort(enhancers), groups)


def expected_counts(elements: Elements, rules: GenomeRules) -> np.ndarray:
    """The expected counts ``(N, bins, tracks)``, float32, by the formula at the top of this file.

    Used by :func:`simulate_genome`.
    """
    per_group = [
        _without_boost(elements, rules) * rules.fold ** np.exp(-nearest / rules.decay)
        + rules.enhancer * (nearest == 0)
        for nearest in _nearest_enhancers(elements, rules)
    ]
    return np.stack(per_group, axis=2)[:, :, rules.group_of_track].astype(np.float32)


def mean_boost(rules: GenomeRules, *, reach: int = 8, rng: np.random.Generator) -> np.ndarray:
    """By how much enhancers multiply, on average, where none of their group is within reach.

    An average over 4,000 windows of their own, ``(reach + 1,)``: for bins 0, 1, ... bins from the nearer end
    of a window (which one who is that close sees), the last for `reach` bins and more. All are 1 if nothing is
    out of reach. Used by :func:`simulate_genome`.

    Raises:
        SimulationError: for a reach below 0, or rules that are none.
        ValueError: unless `rng` is a numpy Generator.
    """
    check_whole("the reach", reach, 0)
    end, total, seen = _to_end(rules, reach), np.zeros(reach + 1), np.zeros(reach + 1)
    step = max(1, _DISTANCES // (rules.enhancers * rules.bins))
    for start in range(0, _AVERAGED, step):
        elements = draw_elements(min(step, _AVERAGED - start), rules, rng)
        nearest = _nearest_enhancers(elements, rules)  # (groups, N, bins)
        unseen = nearest > reach
        boost = (rules.fold ** np.exp(-nearest / rules.decay))[unseen]
        ends = np.broadcast_to(end, nearest.shape)[unseen]
        total += np.bincount(ends, boost, reach + 1)
        seen += np.bincount(ends, minlength=reach + 1)
    if not seen.any():  # who sees everything needs no mean
        return np.ones(reach + 1)
    return (total + _SHRINK * total.sum() / seen.sum()) / (seen + _SHRINK)


def local_rates(elements: Elements, rules: GenomeRules, boost: np.ndarray) -> np.ndarray:
    """The expected counts as well as they can be known from some bins around, ``(N, bins, tracks)``, float32.

    An enhancer within reach is seen, and its boost known. Where none of a group is seen, the boost is the
    mean one, given that none is seen and how far off the end of the window is. (To know also which promoters
    and other enhancers are near raises the correlation with the counts by another 0.0004.) Used by
    :func:`simulate_genome`.

    Args:
        boost: from :func:`mean_boost`; its length says the reach.

    Raises:
        SimulationError: for a boost that is no row of numbers above 0.
    """
    boost = np.asarray(boost)
    if boost.ndim != 1 or boost.dtype.kind != "f" or not len(boost) or not (boost > 0).all():
        raise SimulationError("the boost is no row of numbers above 0, as mean_boost gives it")
    reach = len(boost) - 1
    unseen = boost[_to_end(rules, reach)]  # (bins,)
    per_group = []
    for nearest in _nearest_enhancers(elements, rules):
        known = np.where(nearest > reach, unseen, rules.fold ** np.exp(-nearest / rules.decay))
        per_group.append(_without_boost(elements, rules) * known + rules.enhancer * (nearest == 0))
    return np.stack(per_group, axis=2)[:, :, rules.group_of_track].astype(np.float32)


def _distances(places: np.ndarray, rules: GenomeRules) -> np.ndarray:
    """From each place ``(N, E)`` to each bin: ``(N, E, bins)``."""
    return abs(places[:, :, None] - np.arange(rules.bins))


def _nearest_enhancers(elements: Elements, rules: GenomeRules) -> np.ndarray:
    """The distance of each bin to the nearest enhancer of each group: ``(groups, N, bins)``."""
    distances = _distances(elements.enhancers, rules)
    own = [(elements.groups == group)[:, :, None] for group in range(rules.groups)]
    return np.stack([np.where(mine, distances, _NONE).min(axis=1) for mine in own])


def _without_boost(elements: Elements, rules: GenomeRules) -> np.ndarray:
    """What bins would count without any enhancer: ``(N, bins)``."""
    distances = _distances(elements.promoters, rules)
    shares = (distances == 0) + rules.shoulder * (distances == 1)
    return rules.base + rules.promoter * shares.sum(axis=1)


def _to_end(rules: GenomeRules, reach: int) -> np.ndarray:
    """How many bins each bin is from the nearer end of the window, at most `reach`: ``(bins,)``."""
    bins = np.arange(rules.bins)
    return np.minimum(np.minimum(bins, bins[::-1]), reach)


# --- sequences -----------------------------------------------------------------------------------


def _write(elements: Elements, genome: Genome, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sequences ``(N, length)``, codes, with the words in place, and where these start."""
    rules = genome.rules
    many = len(elements.promoters)
    codes = sample_background(many, rules.length, rules.background, rng)
    other = (1 - rules.conservation) / 3
    ppms = np.where(np.eye(4, dtype=bool)[genome.words], rules.conservation, other)  # (words, word, 4)
    copies = np.repeat(
        [rules.promoter_copies, rules.enhancer_copies], [rules.promoters, rules.enhancers]
    )
    places = np.concatenate([elements.promoters, elements.enhancers], axis=1)
    which = np.concatenate([np.zeros_like(elements.promoters), 1 + elements.groups], axis=1)
    starts = np.full((*places.shape, copies.max()), -1)
    windows = np.arange(many)
    for element in range(places.shape[1]):
        # each copy has a stretch of the bin to itself, so that none overwrites another
        stretch = rules.bin_size // copies[element]
        for copy in range(copies[element]):
            offset = copy * stretch + rng.integers(stretch - rules.word + 1, size=many)
            sites = np.stack([sample_sites(ppm, many, rng) for ppm in ppms])  # (words, N, word)
            start = places[:, element] * rules.bin_size + offset
            codes[windows[:, None], start[:, None] + np.arange(rules.word)] = sites[which[:, element], windows]
            starts[:, element, copy] = start
    return codes, starts


def _check_rules(rules: GenomeRules) -> GenomeRules:
    if not isinstance(rules, GenomeRules):
        raise SimulationError(f"a {type(rules).__name__} came; GenomeRules are expected")
    return rules
