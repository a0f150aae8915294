"""The exercises of lesson 10: loss and schedule in this file, augmentation, measure and baseline in others.

They are four files for their length alone: the lesson finds all of them here.
"""

from collections.abc import Callable
from math import cos, log, pi, radians

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_10_augmentation import (
    reverse_complement_window,
    shift_with_padding,
)
from course_utils.exercises._lesson_10_baseline import beat_the_baseline
from course_utils.exercises._lesson_10_measure import _quiet, pearson_per_track

__all__ = [
    "log_poisson",
    "cosine_with_warmup",
    "reverse_complement_window",
    "shift_with_padding",
    "pearson_per_track",
    "beat_the_baseline",
]


# --- log_poisson: 0 at the best rates ------------------------------------------------------------


def _log_poisson(log_rates, counts):
    total = 0.0
    for log_rate, count in zip(log_rates.ravel(), counts.ravel()):
        smallest = count - count * log(count) if count > 0 else 0.0
        total += np.exp(log_rate) - count * log_rate - smallest
    return total / counts.size


def _poisson_cases(rng):
    yield np.array([[[0.5, 1.0], [1.5, 0.2]]]), np.array([[[1.0, 2.0], [3.0, 4.0]]])  # no trap yet
    for windows, bins, tracks in [(2, 3, 2), (2, 5, 3), (4, 8, 10)]:
        rates = rng.gamma(1, 2, (windows, bins, tracks))
        counts = rng.poisson(rates) * 1.25  # coverage is no whole number in real tracks
        counts[0, 0, 0], counts[0, 1, 0] = 0, 0.5
        yield np.log(rates + 0.1) + rng.normal(0, 0.3, rates.shape), counts


def _core(log_rates, counts):
    return np.exp(log_rates) - counts * log_rates


def _t_log_t(counts):
    return counts * np.log(np.where(counts > 0, counts, 1))


def _less(offset: Callable, core: Callable = _core, total: Callable = np.mean) -> Callable:
    """The loss with another offset, another first part, or another way to add up."""
    return _quiet(lambda s, t: float(total(core(s, t)) - total(offset(t))))


log_poisson = Exercise(
    oracle=_log_poisson,
    cases=_poisson_cases,
    mistakes=[
        Mistake(
            _less(lambda t: 0 * t),
            "the offset is left out, so that the best rates there are do not get 0.",
        ),
        Mistake(
            _less(_t_log_t),
            "the offset is t log t, as the lecture's text has it (mistake M26). Put the best log rate, log t, "
            "into exp(s) - t s: what comes out?",
        ),
        Mistake(
            _less(lambda t: -_t_log_t(t)),
            "the offset is - t log t; exp(log t) leaves something beside it.",
        ),
        Mistake(
            _less(lambda t: _t_log_t(t) - t),
            "the offset has the wrong sign: the smallest value is subtracted, not added.",
        ),
        Mistake(
            _less(lambda t: t + _t_log_t(t)),
            "one sign in the offset is wrong: exp(s) gives + t, and - t s gives - t log t.",
        ),
        Mistake(
            _less(lambda t: t),
            "t log t is missing in the offset.",
        ),
        Mistake(
            _less(lambda t: t - t * np.log(t)),
            "NaN: log(0) is minus infinity, and 0 times that is NaN. For a count of 0 the product is to be 0.",
        ),
        Mistake(
            _quiet(lambda s, t: float(_core(s, t).mean() - (t - _t_log_t(t))[t > 0].mean())),
            "the offset is a mean over the bins with a count alone, and the loss a mean over all bins. A bin with "
            "a count of 0 has the offset 0, and counts as one.",
        ),
        Mistake(
            _quiet(lambda s, t: float((_core(s, t) - t + _t_log_t(t))[t > 0].mean())),
            "bins with a count of 0 are left out of the mean, as np.ma.log and np.nanmean do it. They count, too: "
            "their loss is exp(s).",
        ),
        Mistake(
            _less(lambda t: t - t * np.log(t + 1)),
            "log(t + 1) avoids log(0) and is another number for every other count, too.",
        ),
        *[
            Mistake(
                _less(lambda t, small=float(small): t - t * np.log(t + small)),
                f"log(t + {small}) avoids log(0) and changes the log of every other count a little, too. Take "
                "another number only where the count is 0.",
            )
            for small in ("0.1", "0.01", "0.001", "1e-4", "1e-5", "1e-6")
        ],
        Mistake(
            _quiet(lambda s, t: float(_core(s, t).mean() - _core(s, t).min())),
            "the smallest of the numbers that came in is subtracted. Each bin has an offset of its own: the "
            "smallest value that any log rate could give for its count.",
        ),
        Mistake(
            _less(lambda t: t - t * np.log(np.maximum(t, 1))),
            "counts between 0 and 1 are raised to 1; only a count of 0 needs care.",
        ),
        Mistake(
            _less(lambda t: t - _t_log_t(t), core=lambda s, t: s - t * s),
            "exp is missing: what comes in is the log of the rate.",
        ),
        Mistake(
            _less(lambda t: t - _t_log_t(t), core=lambda s, t: s - t * np.log(s)),
            "what comes in is taken for the rate; it is its log, so no log is needed, and an exp is.",
        ),
        Mistake(
            _less(lambda t: t - _t_log_t(t), core=lambda s, t: np.exp(s) - t * np.exp(s)),
            "the count is multiplied with the rate; it is multiplied with the log of it, which is what came in.",
        ),
        Mistake(
            _less(lambda t: t - _t_log_t(t), total=np.sum),
            "this is the sum over all bins; the mean is asked.",
        ),
        Mistake(
            _quiet(lambda s, t: (_core(s, t) - t + _t_log_t(t)).mean(axis=(0, 1))),
            "this is the loss of each track; one number for all of them is asked.",
        ),
        Mistake(
            _quiet(lambda s, t: _core(s, t) - t + _t_log_t(t)),
            "these are the losses of all bins one by one; take their mean.",
        ),
    ],
)

# --- cosine_with_warmup: the factor of the learning rate -----------------------------------------


def _factor(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + cos(pi * (step - warmup) / (steps - warmup)))


def _rising(rise: Callable) -> Callable:
    """Right but for the warm-up."""
    return lambda step, steps, warmup: (
        rise(step, steps, warmup) if step < warmup else _factor(step, steps, warmup)
    )


def _dividing(rise: Callable) -> Callable:
    """The same, worked out before anyone asks whether there is a warm-up."""

    def slip(step, steps, warmup):
        risen = rise(step, steps, warmup)
        return risen if step < warmup else _factor(step, steps, warmup)

    return slip


def _falling(fall: Callable) -> Callable:
    """Right but for the cosine after it."""
    return lambda step, steps, warmup: (
        _factor(step, steps, warmup) if step < warmup else fall(step, steps, warmup)
    )


def _schedule_cases(rng):
    cases = [(step, 10, 3) for step in (0, 2, 3, 6, 9)]  # a division by warmup = 0 is not the first slip to tell
    cases += [(0, 10, 0), (5, 10, 0), (9, 10, 0)]
    for steps in (20, 100, 1000):
        warmup = int(rng.integers(2, steps // 4))
        cases += [(int(step), steps, warmup) for step in rng.integers((0, warmup + 1), (warmup, steps))]
    return cases


def _half(step, steps, warmup):
    return 0.5 * (1 + cos(pi * (step - warmup) / (steps - warmup)))


cosine_with_warmup = Exercise(
    oracle=_factor,
    cases=_schedule_cases,
    mistakes=[
        Mistake(
            _falling(lambda i, n, w: cos(pi / 2 * (i - w) / (n - w))),
            "this is the cosine from 0 to 90 degrees, as the lecture's text has it (mistake M30): it ends in a "
            "fall. From 0 to 180 degrees it also levels out, between 1 and -1; bring that to 1 and 0.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(pi / 2 * (i - w) / (n - w)))),
            "the angle stops at 90 degrees, so that the factor ends at a half.",
        ),
        Mistake(
            _falling(lambda i, n, w: cos(pi * (i - w) / (n - w))),
            "the cosine goes on to -1, and a negative rate walks uphill: add 1 and take the half.",
        ),
        Mistake(
            _falling(lambda i, n, w: 1 + cos(pi * (i - w) / (n - w))),
            "it starts at 2; take the half.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 - cos(pi * (i - w) / (n - w)))),
            "it rises where it should fall.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(radians(pi * (i - w) / (n - w))))),
            "cos takes radians, so 180 degrees are pi, and no more is to be converted.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(180 * (i - w) / (n - w)))),
            "cos takes radians: 180 degrees are pi.",
        ),
        Mistake(
            _half,
            "there is no warm-up: during the first steps the cosine runs as if it had begun before.",
        ),
        Mistake(
            lambda i, n, w: 0.5 * (1 + cos(pi * i / n)),
            "the cosine runs from the first step on, with no warm-up.",
        ),
        Mistake(
            _rising(lambda i, n, w: i / w),
            "the warm-up starts at 0, and a step of length 0 is wasted: w + 1 equal parts lead from 0 to 1, "
            "and step 0 takes the first of them.",
        ),
        Mistake(
            _dividing(lambda i, n, w: i / w),
            "two slips. The warm-up starts at 0, and a step of length 0 is wasted: the factor is (i + 1) / (w + 1). "
            "And where w is 0, you divide by it.",
        ),
        Mistake(
            _dividing(lambda i, n, w: (i + 1) / w),
            "two slips. The last step of the warm-up is at 1, as is the cosine's first: w + 1 parts lead there, "
            "not w. And where w is 0, you divide by it.",
        ),
        Mistake(
            _rising(lambda i, n, w: i / (w + 1)),
            "the warm-up starts at 0, and a step of length 0 is wasted; count the step that is being taken.",
        ),
        Mistake(
            _rising(lambda i, n, w: (i + 1) / w),
            "the warm-up is at 1 in its last step, and the cosine begins at 1, too; of w + 1 equal parts the "
            "last one belongs to the cosine's first step.",
        ),
        Mistake(
            _rising(lambda i, n, w: 1.0),
            "during the warm-up the factor is 1; it is to climb there.",
        ),
        Mistake(
            _rising(lambda i, n, w: 0.0),
            "during the warm-up the factor is 0, so nothing is learned; it is to climb.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(pi * (i - w) / n))),
            "the cosine takes `steps` steps from the end of the warm-up, so training ends before it is down; "
            "fewer are left.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(pi * i / n))),
            "the cosine counts from step 0, so it has begun to fall when the warm-up ends: the factor jumps.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(pi * i / (n - w)))),
            "the angle counts from step 0 and runs past 180 degrees; count from the end of the warm-up.",
        ),
        Mistake(
            _falling(lambda i, n, w: 0.5 * (1 + cos(pi * (i - w) / (n - w - 1)))),
            "the last step is at 0, and wasted: 180 degrees are reached at `steps`, one after the last step.",
        ),
        Mistake(
            _falling(lambda i, n, w: 1 - (i - w) / (n - w)),
            "this falls in a straight line; half a cosine wave is asked.",
        ),
    ],
)
