"""The exercise of lesson 10 that judges predicted tracks: Pearson's r of each."""

from collections.abc import Callable
from functools import wraps

import numpy as np

from course_utils.exercises import Exercise, Mistake


def _quiet(slip: Callable) -> Callable:
    """Some slips divide by zero or take the log of it; that is what is wrong with them."""

    @wraps(slip)
    def answer(*arguments):
        with np.errstate(all="ignore"):
            return slip(*arguments)

    return answer


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


def _scrambled(*arrays):
    return [array.reshape(array.shape[2], -1) for array in arrays]


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
            _quiet(lambda o, p: _r_over(1, *_scrambled(o, p))),
            "reshape(T, -1) cuts the numbers in T pieces in the order in which they lie, and each piece holds all "
            "tracks. The tracks are the last axis: reshape(-1, T), and then the columns.",
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
