"""The exercises of lesson 10: loss, schedule and measure in this file, augmentation and baseline in others.

They are three files for their length alone: the lesson finds all of them here.
"""

from collections.abc import Callable
from functools import wraps
from math import cos, log, pi, radians

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_10_augmentation import (
    reverse_complement_window,
    shift_with_padding,
)
from course_utils.exercises._lesson_10_baseline import beat_the_baseline

__all__ = [
    "log_poisson",
    "cosine_with_warmup",
    "reverse_complement_window",
    "shift_with_padding",
    "pearson_per_track",
    "beat_the_baseline",
]


def _quiet(slip: Callable) -> Callable:
    """Some slips divide by zero or take the log of it; that is what is wrong with them."""

    @wraps(slip)
    def answer(*arguments):
        with np.errstate(all="ignore"):
            return slip(*arguments)

    return answer


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
            _less(lambda t: t - t * np.log(t + 1)),
            "log(t + 1) avoids log(0) and is another number for every other count, too.",
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


def _falling(fall: Callable) -> Callable:
    """Right but for the cosine after it."""
    return lambda step, steps, warmup: (
        _factor(step, steps, warmup) if step < warmup else fall(step, steps, warmup)
    )


def _schedule_cases(rng):
    cases = [(0, 10, 0), (5, 10, 0), (9, 10, 0), (0, 10, 3), (2, 10, 3), (3, 10, 3), (6, 10, 3), (9, 10, 3)]
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
            "the warm-up starts at 0, and a step of length 0 is wasted: w + 1 equal strides lead from 0 to 1, "
            "and step 0 takes the first of them.",
        ),
        Mistake(
            _rising(lambda i, n, w: i / (w + 1)),
            "the warm-up starts at 0, and a step of length 0 is wasted; count the step that is being taken.",
        ),
        Mistake(
            _rising(lambda i, n, w: (i + 1) / w),
            "the warm-up is at 1 in its last step, and the cosine begins at 1, too; of w + 1 equal strides the "
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

# --- pearson_per_track: one r for each track -----------------------------------------------------


def _pearson(observed, predicted):
    r = []
    for track in range(observed.shape[2]):
        pairs = []
        for window in range(observed.shape[0]):
            for at in range(observed.shape[1]):
                pairs.append((observed[window, at, track], predicted[window, at, track]))
        r.append(_r(pairs))
    return np.array(r)


def _r(pairs: list[tuple[float, float]]) -> float:
    if len({o for o, _ in pairs}) == 1 or len({p for _, p in pairs}) == 1:
        return float("nan")
    mean_o, mean_p = sum(o for o, _ in pairs) / len(pairs), sum(p for _, p in pairs) / len(pairs)
    together = sum((o - mean_o) * (p - mean_p) for o, p in pairs)
    squares = sum((o - mean_o) ** 2 for o, _ in pairs) * sum((p - mean_p) ** 2 for _, p in pairs)
    return together / squares**0.5


def _track_cases(rng):
    def pair(windows, bins, tracks, flat_observed=None, flat_predicted=None, silent=0):
        rates = rng.gamma(1, 3, (windows, bins, tracks)).round(1)
        rates *= rng.integers(1, 4, (windows, 1, 1))  # some windows are high altogether
        observed = (rates * rng.uniform(0.5, 1.5, rates.shape)).round(1)
        if flat_observed is not None:
            observed[:, :, flat_observed] = 0
        if flat_predicted is not None:
            rates[:, :, flat_predicted] = 2
        observed[:silent, :, -1] = 0  # nothing in one window alone, as is usual
        return observed, rates

    return [pair(2, 3, 2), pair(3, 4, 3), pair(4, 6, 3, 1), pair(5, 8, 4, 0, 2, 1), pair(8, 16, 10, 8)]


def _centred(x, axis):
    return x - x.mean(axis=axis, keepdims=True)


def _r_over(axis, x, y):
    """Pearson's r over these axes."""
    x, y = _centred(x, axis), _centred(y, axis)
    return (x * y).sum(axis=axis) / np.sqrt((x**2).sum(axis=axis) * (y**2).sum(axis=axis))


def _r2_over(axis, x, y):
    """R2 of predictions y for x."""
    return 1 - ((x - y) ** 2).sum(axis=axis) / (_centred(x, axis) ** 2).sum(axis=axis)


def _mean_of_known(r):
    return np.nansum(r, axis=0) / (~np.isnan(r)).sum(axis=0)


def _without_nan(r):
    return r[~np.isnan(r)]


def _covariance(x, y):
    """As np.cov has it, divided by n - 1."""
    return (_centred(x, (0, 1)) * _centred(y, (0, 1))).sum(axis=(0, 1)) / (x.shape[0] * x.shape[1] - 1)


def _spread(x):
    return x.std(axis=(0, 1))


pearson_per_track = Exercise(
    oracle=_pearson,
    cases=_track_cases,
    mistakes=[
        Mistake(
            _quiet(lambda o, p: float(_r_over(None, o, p))),
            "everything is in one list here, the tracks too. That one track is high and another low is then "
            "taken for skill; one r for each track is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: _r_over(1, o, p).mean(axis=0)),
            "this is the mean of each window's own r. Whether high windows are predicted higher is lost: one r "
            "over the bins of all windows is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: _mean_of_known(_r_over(1, o, p))),
            "this is the mean of each window's own r, without those that are not defined; one r over the bins "
            "of all windows is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: _r_over(0, o, p).mean(axis=0)),
            "each bin has its own r over the windows here, and the mean of them came. Bin 7 of one window has "
            "nothing to do with bin 7 of another: put all windows' bins in one list.",
        ),
        Mistake(
            _quiet(lambda o, p: _r2_over(0, o, p).mean(axis=0)),
            "this is R2 over the batch axis, as in the lecture (mistake M27): each bin is compared with itself in "
            "other windows. Put all windows' bins in one list, and take r.",
        ),
        Mistake(
            _quiet(lambda o, p: _r_over(0, o, p)),
            "there is an r for each bin and track, over the windows; one for each track is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: _r_over(1, o, p)),
            "there is an r for each window and track; one for each track is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: np.nan_to_num(_r_over((0, 1), o, p))),
            "0 stands where a track is constant. 0 means that the two have nothing in common, and here nobody can "
            "know: NaN.",
        ),
        Mistake(
            _quiet(lambda o, p: _without_nan(_r_over((0, 1), o, p))),
            "the constant tracks are missing, so that the others move up; leave their place, with NaN in it.",
        ),
        Mistake(
            _quiet(lambda o, p: _r2_over((0, 1), o, p)),
            "this is R2, the share of variance explained, which also asks for the right height; r is asked.",
        ),
        Mistake(
            _quiet(lambda o, p: _r_over((0, 1), o, p) ** 2),
            "this is the square of r; a track predicted upside down would look as good.",
        ),
        Mistake(
            _quiet(lambda o, p: np.where(_spread(o) * _spread(p) > 0, _covariance(o, p), np.nan)),
            "this is the covariance; divide it by both standard deviations.",
        ),
        Mistake(
            _quiet(lambda o, p: _covariance(o, p) / (_spread(o) * _spread(p))),
            "a little too large: np.cov divides by n - 1 and np.std by n; use one of them throughout.",
        ),
        Mistake(
            _quiet(lambda o, p: (o * p).sum(axis=(0, 1)) / np.sqrt((o**2).sum((0, 1)) * (p**2).sum((0, 1)))),
            "the means are not subtracted, so any two positive tracks look alike.",
        ),
        Mistake(
            lambda o, p: _pearson(np.log1p(o), np.log1p(p)),
            "this is the r of the logs; a good thing to look at, too, but the counts themselves are asked.",
        ),
    ],
)  # fmt: skip
