"""Three tasks that ask different questions of a sequence, made to tell families of networks apart, with their ceilings.

* ``"place"``: positives have the motif at one place, negatives have it at any other one. Only the place tells.
* ``"anywhere"``: positives have it at any place, negatives have none. Only its presence tells.
* ``"order"``: positives have two motifs, A before B, negatives B before A; distances and places vary. Both have
  both, so that no presence tells anything; places tell something, as what comes first tends to stand farther left.

All are drawn by :func:`course_utils.simulation.simulate`, and both classes are known exactly, so that the
log-likelihood ratio is, too: no classifier ranks better than it does (:mod:`course_utils.ceilings`). Explained in
lesson 08.
"""

from functools import cache

import numpy as np

from course_utils.backgrounds import check_whole
from course_utils.ceilings import Ceiling, ceiling_of_ratios
from course_utils.likelihoods import planted_ratio
from course_utils.sequences import to_codes
from course_utils.shuffles import as_codes, check_generator
from course_utils.simulation import make_plan, simulate

TASKS = ("place", "anywhere", "order")
LENGTH = 50  # bases of a sequence
PLACE = 20  # where the motif of the task "place" starts
GAP = (6, 18)  # fewest and most bases between the two motifs of the task "order"
CONSERVED = 0.85  # the probability of the motif's base at each of its positions


def _motif(word: str) -> np.ndarray:
    ppm = np.full((len(word), 4), (1 - CONSERVED) / 3)
    ppm[np.arange(len(word)), to_codes(word)] = CONSERVED
    return ppm


A_WORD, B_WORD = "TGACTCA", "CCGGAAG"  # near the sites of AP-1 and of ETS factors
A, B = _motif(A_WORD), _motif(B_WORD)


def draw(task: str, many: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Codes ``(many, 50)`` and labels ``(many,)`` of a task, half of them positives, which come first.

    Args:
        task: one of TASKS.
        many: how many sequences, an even number.
        rng: numpy's generator of random numbers.

    Raises:
        SimulationError: for a number that is none.
        ValueError: for another task, an odd number, or no numpy Generator (lesson 08).
    """
    _check_task(task)
    check_whole("the number of sequences", many, 2)
    if many % 2:
        raise ValueError(f"the number of sequences is {many}; an even one is expected, half of them positives")
    check_generator(rng)
    half = many // 2
    if task == "anywhere":
        drawn = simulate(A, positives=half, negatives=half, length=LENGTH, rng=rng)
        return drawn.codes, drawn.labels
    if task == "place":
        positives = _planted(A, half, rng, start=PLACE)
        negatives = _planted(A, half, rng, but_at=PLACE)
    else:
        positives = _planted([A, B], half, rng, gap=GAP)
        negatives = _planted([B, A], half, rng, gap=GAP)
    return np.concatenate([positives, negatives]), np.repeat([1, 0], half)


def _planted(ppm, many: int, rng: np.random.Generator, but_at: int | None = None, **choices) -> np.ndarray:
    """Sequences with motifs; those that have it at `but_at` are drawn anew."""
    drawn = simulate(ppm, positives=many, negatives=0, length=LENGTH, rng=rng, **choices)
    codes, again = drawn.codes, np.flatnonzero(drawn.starts[:, 0] == but_at)
    if but_at is not None and len(again):
        codes[again] = _planted(ppm, len(again), rng, but_at)
    return codes


def log_ratio(task: str, sequences) -> np.ndarray:
    """The best score there is: ln P(x | positive) / P(x | negative), exact, ``(N,)``.

    Args:
        task: one of TASKS.
        sequences: of 50 bases, as codes ``(N, 50)`` or text.

    Raises:
        ValueError: for another task or another length.
        SequenceError: for what is no sequence (lesson 08).
    """
    _check_task(task)
    codes = as_codes(sequences)
    if codes.shape[1] != LENGTH:
        raise ValueError(f"the sequences have {codes.shape[1]} bases; the tasks' sequences have {LENGTH}")
    anywhere = make_plan(A, length=LENGTH)
    if task == "anywhere":
        return np.log(planted_ratio(codes, anywhere))
    if task == "place":
        here = planted_ratio(codes, make_plan(A, length=LENGTH, start=PLACE))
        places = LENGTH - len(A) + 1
        elsewhere = (places * planted_ratio(codes, anywhere) - here) / (places - 1)  # the mean over all other places
        return np.log(here) - np.log(elsewhere)
    ab, ba = (planted_ratio(codes, make_plan(pair, length=LENGTH, gap=GAP)) for pair in ([A, B], [B, A]))
    return np.log(ab) - np.log(ba)


@cache
def task_ceiling(task: str, sample: int = 40_000) -> Ceiling:
    """The accuracy and the AUC that no classifier exceeds in a task, from so many sequences drawn for it.

    Raises:
        SimulationError: for a sample that is none.
        ValueError: for another task, or an odd sample (lesson 08).
    """
    codes, _ = draw(task, sample, np.random.default_rng(808))
    return ceiling_of_ratios(log_ratio(task, codes))


def _check_task(task) -> None:
    if task not in TASKS:
        raise ValueError(f"the task is {task!r}; one of {', '.join(map(repr, TASKS))} is expected")
