"""How much likelier a sequence is as a positive than as a negative of a simulation.

The ratio P(x | positive) / P(x | negative) follows from how both classes are made. What it reaches is the best that
any classifier can reach: :mod:`course_utils.ceilings`. Explained in lesson 03.
"""

from collections.abc import Iterable, Sequence
from math import lgamma, log

import numpy as np

from course_utils.backgrounds import SimulationError, check_chain
from course_utils.motifs import UNIFORM
from course_utils.shuffles import as_codes
from course_utils.simulation import Plan, make_plan

_BLOCK = 1 << 18  # numbers worked on at a time, few enough for the processor's cache
_ONE_BASE = ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))  # counts of one A, C, G, T


def log_likelihood_ratio(
    sequences: str | Iterable[str] | np.ndarray,
    ppm: np.ndarray | Sequence[np.ndarray],
    *,
    start: int | None = None,
    strand: str = "+",
    background: Sequence | np.ndarray = UNIFORM,
    against: str | Sequence | np.ndarray = "background",
    gap: tuple[int, int] | None = None,
    order: str = "fixed",
) -> np.ndarray:
    """How much likelier each sequence is among the positives than among the negatives: ``(N,)``, in bits.

    The best score there is: positive above 0, and -inf for what cannot be a positive. At a known place,
    against the same background of independent bases, it is the PWM's score there; at an unknown place,
    2 to that score is averaged over the places, strands and spacings, as many as there are. Negatives
    of another composition add what the composition gives away.

    Args:
        sequences: one ``str``, several of one length, or codes ``(N, L)``.
        ppm, start, strand, background, against, gap, order: as for
            :func:`course_utils.simulation.simulate`.

    Raises:
        SimulationError: for choices that cannot be, or negatives whose probability is not computed here:
            ``"dinucleotides"``, and ``"shuffled"`` where the background is a chain.
        SequenceError, MotifError: for sequences, motifs or backgrounds that are none (lesson 03).
    """
    codes = as_codes(sequences)
    plan = make_plan(
        ppm,
        length=codes.shape[1],
        start=start,
        strand=strand,
        background=background,
        against=against,
        gap=gap,
        order=order,
    )
    return log_ratio(codes, plan) / log(2)


# --- for sequences and a plan that are checked ----------------------------------------------------


def log_ratio(codes: np.ndarray, plan: Plan) -> np.ndarray:
    """Natural logarithm of P(x | positive) / P(x | negative), ``(N,)``."""
    refuse_unknown(plan)
    with np.errstate(divide="ignore"):  # log(0) is -inf: it cannot be a positive
        ratio = np.log(planted_ratio(codes, plan))
    if plan.shuffle:
        # The others may have counts that no shuffled positive has either: -inf, not 0 over 0.
        possible = ratio > -np.inf
        some = codes[possible]
        ratio[possible] += _log_background(some, plan.background) - _log_shuffled(some, plan)
        return ratio
    negatives = plan.negative_background()
    if not alike(negatives, plan.background):
        ratio += _log_background(codes, plan.background) - _log_background(codes, negatives)
    return ratio


def refuse_unknown(plan: Plan) -> None:
    chain = plan.shuffle == "shuffled" and plan.background.ndim == 2
    if plan.shuffle == "dinucleotides" or chain:
        raise SimulationError(
            f"the ceiling against {plan.shuffle!r} negatives is not computed{' for a chain' * chain}: their "
            "probabilities are too costly; lower_bound says what a good rule reaches"
        )


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    return np.array_equal(check_chain(one)[1], check_chain(other)[1])


def planted_ratio(codes: np.ndarray, plan: Plan) -> np.ndarray:
    """P(x | planted) / P(x | background of the positives), ``(N,)``: the mean over all layouts and places.

    A layout adds the probability of its sites over that of the bases which they replaced. These are
    plain products, not sums of logarithms: motifs of up to some 100 positions stay within float64.
    """
    ratio = np.zeros(len(codes))
    rows = max(1, _BLOCK // codes.shape[1])
    for start in range(0, len(codes), rows):
        # As whole indices, once, or every look-up would convert them.
        block = codes[start : start + rows].astype(np.intp)
        sites = [_site_probability(block, ppm, plan.strand) for ppm in plan.ppms]
        replaced = {}
        for layout in plan.layouts:
            places = plan.places(layout)
            term = np.full((len(block), len(places)), layout.probability / len(places))
            for offset, probability in zip(layout.offsets, sites):
                term *= probability[:, offset + places.start : offset + places.stop]
            for offset, width in _stretches(layout.offsets, [len(ppm) for ppm in plan.ppms]):
                if width not in replaced:
                    replaced[width] = _replaced_probability(block, width, plan.background)
                term /= replaced[width][:, offset + places.start : offset + places.stop]
            ratio[start : start + rows] += term.sum(axis=1)
    return ratio


def _site_probability(codes: np.ndarray, ppm: np.ndarray, strand: str) -> np.ndarray:
    """The probability that a site reads as each window does: ``(N, windows)``."""
    turned = ppm[::-1, ::-1]  # the motif as it reads on the other strand
    motifs = {"+": [ppm], "-": [turned], "either": [ppm, turned]}[strand]
    windows = codes.shape[1] - len(ppm) + 1
    total = 0
    for motif in motifs:
        probability = motif[0].take(codes[:, :windows])
        for position in range(1, len(motif)):
            probability *= motif[position].take(codes[:, position : position + windows])
        total = total + probability / len(motifs)
    return total


def _stretches(offsets: Sequence[int], widths: Sequence[int]) -> list[tuple[int, int]]:
    """Offset and width of each stretch that is replaced; motifs that touch make one."""
    stretches = []
    for offset, width in sorted(zip(offsets, widths)):
        if stretches and sum(stretches[-1]) == offset:
            offset, width = stretches[-1][0], stretches.pop()[1] + width
        stretches.append((offset, width))
    return stretches


def _replaced_probability(codes: np.ndarray, width: int, background: np.ndarray) -> np.ndarray:
    """The probability of each window in the background, given the bases on both sides: ``(N, windows)``."""
    first, chain = check_chain(background)
    windows = codes.shape[1] - width + 1
    # Bases that do not depend on each other are looked up in one step, which is quicker.
    steps = _steps(codes, first, chain) if background.ndim == 2 else first.take(codes)
    probability = steps[:, :windows].copy()
    for position in range(1, width):
        probability *= steps[:, position : position + windows]
    if background.ndim == 2 and windows > 1:
        # The base that follows depends on the window, too: times the step to it, over its probability if
        # the window is not known. That is a leap from the base before the window, which the first has not.
        across = np.linalg.matrix_power(chain, width + 1)
        leap = across[codes[:, : windows - 2], codes[:, width + 1 :]]
        probability[:, :-1] *= steps[:, width:]
        probability[:, 1:-1] /= leap
        probability[:, 0] /= first[codes[:, width]]
    return probability


def _steps(codes: np.ndarray, first: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """The probability of each base, given the one before it: ``(N, L)``."""
    steps = np.empty(codes.shape)
    steps[:, 0] = first[codes[:, 0]]
    steps[:, 1:] = chain[codes[:, :-1], codes[:, 1:]]
    return steps


def _log_background(codes: np.ndarray, background: np.ndarray) -> np.ndarray:
    first, chain = check_chain(background)
    pairs = (4 * codes[:, :-1] + codes[:, 1:]).astype(np.intp)
    return np.log(first)[codes[:, 0]] + np.log(chain).ravel().take(pairs).sum(axis=1)


# --- shuffled negatives --------------------------------------------------------------------------


def _log_shuffled(codes: np.ndarray, plan: Plan) -> np.ndarray:
    """Logarithm of the probability of a shuffled positive, ``(N,)``.

    A shuffle keeps the counts of the four bases and makes all orders equally likely. So it is the
    probability that a positive has these counts, over the number of orders. The counts of a positive
    are those of its sites and those of its other bases, added up over all ways to share them out.
    """
    counts = np.stack([(codes == base).sum(axis=1) for base in range(4)], axis=1)  # (N, 4)
    counts, which = np.unique(counts, axis=0, return_inverse=True)
    site_counts, site_probability = _counts_of_sites(plan)
    composition, _ = check_chain(plan.background)
    factorial = np.array([lgamma(number + 1) for number in range(plan.length + 1)])  # logarithms
    others = plan.length - site_counts[0].sum()
    found = np.empty(len(counts))
    rows = max(1, _BLOCK // len(site_counts))
    for start in range(0, len(counts), rows):
        left = counts[start : start + rows, None, :] - site_counts  # (rows, ways, 4)
        possible = (left >= 0).all(axis=2)
        left = np.maximum(left, 0)
        logs = np.log(site_probability) + factorial[others] - factorial[left].sum(axis=2)
        logs = np.where(possible, logs + left @ np.log(composition), -np.inf)
        with np.errstate(divide="ignore"):  # counts that no positive has
            found[start : start + rows] = np.logaddexp.reduce(logs, axis=1)
    orders = factorial[plan.length] - factorial[counts].sum(axis=1)
    return (found - orders)[which.ravel()]  # numpy 2.0 gives `which` a second axis


def _counts_of_sites(plan: Plan) -> tuple[np.ndarray, np.ndarray]:
    """How many A, C, G, T the sites of a positive have together: ``(ways, 4)``, and each way's probability."""
    total = {(0, 0, 0, 0): 1.0}
    for ppm in plan.ppms:
        own = {(0, 0, 0, 0): 1.0}
        for row in ppm:
            own = _added(own, {one: p for one, p in zip(_ONE_BASE, row) if p})
        turned = {counts[::-1]: probability for counts, probability in own.items()}
        if plan.strand == "either":
            ways = own.keys() | turned.keys()
            own = {way: (own.get(way, 0) + turned.get(way, 0)) / 2 for way in ways}
        total = _added(total, turned if plan.strand == "-" else own)
    return np.array(list(total)), np.array(list(total.values()))


def _added(one: dict, other: dict) -> dict:
    """The distribution of the sum of two independent sets of four counts."""
    total = {}
    for a, p in one.items():
        for b, q in other.items():
            both = tuple(map(sum, zip(a, b)))
            total[both] = total.get(both, 0.0) + p * q
    return total
