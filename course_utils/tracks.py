"""How good are predicted tracks? Measures for each track, and two rules that use no network.

* Tracks are ``(N, bins, T)``: windows, bins, experiments. *Counts* were measured; *rates* are expected counts, never
  their logs: a network that puts out log rates needs ``exp`` first.
* All measures go over the windows and bins of a track together. Where something is constant (or varies by less
  than 1e-154, whose squares vanish) there is no correlation, and the answer is NaN.
* `predicted` may have any shape that spreads to that of `observed`, such as ``(T,)``, one number a track.

Explained in lesson 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from course_utils.windows import Windows

#: Neighbourhoods, in bins, over which composition is counted: the bin, about 1,200 bp and about 8,300 bp.
SCALES = (1, 9, 65)


class TrackError(ValueError):
    """Tracks, rates or sequences that cannot be compared or learned from."""


# --- measures ------------------------------------------------------------------------------------


def pearson_per_track(observed: np.ndarray, predicted: np.ndarray, log1p: bool = False) -> np.ndarray:
    """Pearson's r of each track, ``(T,)``, over all windows and bins; NaN where one side is constant.

    The r of raw counts is that of a few high bins. With `log1p` both sides become ``log(1 + x)`` first, and low
    bins have their say.

    Args:
        observed: counts, ``(N, bins, T)``.
        predicted: rates of the same shape.
        log1p: whether to compare logs.

    Raises:
        TrackError: for shapes that do not fit, NaN, infinity or, for logs, numbers below 0 (lesson 10).
    """
    observed, predicted = _checked_pair(observed, predicted, negative=not log1p)
    if log1p:
        observed, predicted = np.log1p(observed), np.log1p(predicted)
    scatters = _scatter(observed), _scatter(predicted)
    observed, predicted = observed - observed.mean(axis=0), predicted - predicted.mean(axis=0)
    together = (observed * predicted).sum(axis=0)
    apart = np.sqrt(scatters[0]) * np.sqrt(scatters[1])
    r = np.divide(together, apart, out=np.full_like(together, np.nan), where=apart > 0)
    return np.clip(r, -1, 1)


def r2_per_track(observed: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """R2, the share of variance explained, of each track, ``(T,)``; NaN where the observed track is constant.

    ``1 - sum (observed - predicted)**2 / sum (observed - mean)**2``, over all windows and bins. It is 1 at best, 0 for
    the observed mean, and below 0 for what is worse. Unlike r it also asks for the right height.

    Args:
        observed: counts, ``(N, bins, T)``.
        predicted: rates of the same shape.

    Raises:
        TrackError: for shapes that do not fit, NaN or infinity (lesson 10).
    """
    observed, predicted = _checked_pair(observed, predicted)
    missed = ((observed - predicted) ** 2).sum(axis=0)
    scatter = _scatter(observed)
    with np.errstate(over="ignore"):  # far off a track that hardly varies, R2 is -infinity
        return 1 - np.divide(missed, scatter, out=np.full_like(missed, np.nan), where=scatter > 0)


def _scatter(values: np.ndarray) -> np.ndarray:
    """The squared distances from the mean of each track, summed; 0 for a constant track, whose mean may be rounded.

    It is 0, too, where the squares are too small to be told from 0 (a track that varies by 1e-154 or less).
    """
    scatter = ((values - values.mean(axis=0)) ** 2).sum(axis=0)
    return np.where((np.ptp(values, axis=0) > 0) & (scatter >= np.finfo(float).tiny), scatter, 0)


def poisson_loss(counts: np.ndarray, rates: np.ndarray) -> float:
    """The mean of ``rate - count log(rate)`` minus its smallest value: 0 where each rate is its count.

    The smallest value is the mean of ``count - count log(count)``, 0 for a count of 0. This is half of the mean
    Poisson deviance; :func:`course_utils.losses.log_poisson` is the same for networks. A rate of 0 where something
    was counted costs infinity.

    Args:
        counts: ``(N, bins, T)``, from 0 up.
        rates: of the same shape, from 0 up.

    Raises:
        TrackError: for shapes that do not fit, NaN, infinity or numbers below 0 (lesson 10).
    """
    return float(_poisson_losses(counts, rates).mean())


def poisson_loss_per_track(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """As :func:`poisson_loss`, of each track, ``(T,)``; the mean of these is that of all.

    Args:
        counts: ``(N, bins, T)``, from 0 up.
        rates: of the same shape, from 0 up.

    Raises:
        TrackError: for shapes that do not fit, NaN, infinity or numbers below 0.
    """
    return _poisson_losses(counts, rates).mean(axis=0)


def _poisson_losses(counts: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Of each position and track, ``(positions, T)``."""
    counts, rates = _checked_pair(counts, rates, negative=False)
    losses, some = rates - counts, counts > 0
    with np.errstate(divide="ignore"):  # a rate of 0 where something was counted costs infinity
        losses[some] += counts[some] * np.log(counts[some] / rates[some])
    return losses


# --- rules without a network ---------------------------------------------------------------------


def constant_rates(counts: np.ndarray) -> np.ndarray:
    """The mean of each track, ``(T,)``: the rates of the best rule that does not look at the sequence.

    Args:
        counts: of the training windows, ``(N, bins, T)``.

    Raises:
        TrackError: for another shape, NaN, infinity or numbers below 0 (lesson 10).
    """
    return _checked(counts, "counts", negative=False).reshape(-1, np.shape(counts)[-1]).mean(axis=0)


def composition(one_hot: np.ndarray, bin_size: int = 128, scales: Sequence[int] = SCALES) -> np.ndarray:
    """GC share and CpGs per base around each bin, ``(N, bins, 2 * len(scales))``, float32.

    A scale is the number of bins, odd, around the bin in the middle; at the ends of a window only the bins that are
    there count. First come GC share and CpGs per base of the first scale, then those of the next. N is neither counted
    nor divided by; where there is nothing but N, both are 0. Half of a CpG belongs to the bin of its C and half to
    that of its G, so that the reverse complement has the same numbers in reverse order.

    Args:
        one_hot: ``(N, L, 4)``.
        bin_size: bases a bin.
        scales: odd numbers of bins.

    Raises:
        TrackError: for another shape, bins that do not divide L, or scales that are not odd (lesson 10).
    """
    one_hot, scales = _checked_one_hot(one_hot, bin_size), _checked_scales(scales)
    count, length = one_hot.shape[:2]
    c, g = one_hot[:, :, 1] > 0, one_hot[:, :, 2] > 0
    cpg = np.zeros((count, length), np.float32)
    pairs = c[:, :-1] & g[:, 1:]
    cpg[:, :-1] += 0.5 * pairs
    cpg[:, 1:] += 0.5 * pairs
    known = one_hot.any(axis=2)
    rows = [row.reshape(count, -1, bin_size).sum(axis=2, dtype=float) for row in (c | g, cpg, known)]
    of_bin = np.stack(rows, axis=-1)  # (N, bins, 3)
    up_to = np.concatenate([np.zeros((count, 1, 3)), of_bin.cumsum(axis=1)], axis=1)
    middle, bins = np.arange(of_bin.shape[1]), of_bin.shape[1]
    features = []
    for scale in scales:
        first, after = np.maximum(middle - scale // 2, 0), np.minimum(middle + scale // 2 + 1, bins)
        around = up_to[:, after] - up_to[:, first]
        features.append(around[..., :2] / np.maximum(around[..., 2:], 1))
    return np.concatenate(features, axis=-1).astype(np.float32)


@dataclass(frozen=True, eq=False, repr=False)
class CompositionRule:
    """A Poisson regression for each of T tracks on F composition features, as :func:`fit_composition` makes it.

    Attributes:
        bin_size, scales: what the features are.
        mean, spread: of each feature in the training windows, ``(F,)``.
        weights: change of the log rate for one spread more of a feature, ``(F, T)``.
        bias: log rate where all features are at their mean, ``(T,)``.
    """

    bin_size: int
    scales: tuple[int, ...]
    mean: np.ndarray
    spread: np.ndarray
    weights: np.ndarray
    bias: np.ndarray

    def predict(self, one_hot: np.ndarray) -> np.ndarray:
        """The rates ``(N, bins, T)`` of sequences ``(N, L, 4)``, float32.

        Raises:
            TrackError: for another shape, or a length that is no multiple of the bin size.
        """
        features = composition(one_hot, self.bin_size, self.scales)
        log_rates = (features - self.mean) / self.spread @ self.weights + self.bias
        return np.exp(log_rates).astype(np.float32)

    def __repr__(self) -> str:
        features, tracks = self.weights.shape
        return f"Poisson regression of {tracks} tracks on {features} numbers of composition"


def fit_composition(windows: Windows, scales: Sequence[int] = SCALES, penalty: float = 0.01) -> CompositionRule:
    """Fit a Poisson regression of each track on GC share and CpGs around the bin.

    The features are brought to mean 0 and spread 1 first, as the penalty on the squared weights asks for.

    Args:
        windows: the training windows.
        scales: as for :func:`composition`.
        penalty: scikit-learn's `alpha`, from 0 up.

    Raises:
        TrackError: for scales that are not odd, a penalty below 0, or a track without a single count (lesson 10).
    """
    if isinstance(penalty, bool) or not isinstance(penalty, int | float | np.number) or not 0 <= penalty < np.inf:
        raise TrackError(f"the penalty is {penalty!r}; a number from 0 up is expected")
    scales = _checked_scales(scales)
    features = composition(windows.one_hot, windows.bin_size, scales)
    features = features.reshape(-1, features.shape[-1]).astype(float)
    counts = windows.tracks.reshape(len(features), -1)
    empty = np.flatnonzero(counts.sum(axis=0) == 0)
    if len(empty):
        raise TrackError(f"track {empty[0]} ({windows.labels[empty[0]]}) is 0 in all bins: there is nothing to learn")
    from sklearn.linear_model import PoissonRegressor  # here, because to import it takes a second

    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread < 1e-9] = 1  # a constant feature explains nothing and stays 0
    standard = (features - mean) / spread
    fits = [PoissonRegressor(alpha=penalty, max_iter=300).fit(standard, track) for track in counts.T]
    return CompositionRule(
        windows.bin_size, scales, mean, spread,
        weights=np.stack([fit.coef_ for fit in fits], axis=1),
        bias=np.array([fit.intercept_ for fit in fits]),
    )  # fmt: skip


# --- checks --------------------------------------------------------------------------------------


def _checked(values, name: str, negative: bool = True) -> np.ndarray:
    """Finite real numbers, as floats; windows, bins and tracks."""
    array = _as_array(values, name)
    if array.ndim != 3 or 0 in array.shape:
        raise TrackError(f"the {name} have the shape {array.shape}; (windows, bins, tracks) is expected")
    return _finite(array, name, negative)


def _checked_pair(observed, predicted, negative: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Both as ``(positions, T)``."""
    names = ("observed counts", "predicted rates")
    observed = _checked(observed, names[0], negative)
    predicted = _as_array(predicted, names[1])
    try:
        predicted = np.broadcast_to(predicted, observed.shape)
    except ValueError:
        raise TrackError(
            f"the observed counts have the shape {observed.shape} and the predicted rates {predicted.shape}; one "
            "shape, (windows, bins, tracks), is expected"
        ) from None
    tracks = observed.shape[2]
    return observed.reshape(-1, tracks), _finite(predicted, names[1], negative).reshape(-1, tracks)


def _as_array(values, name: str) -> np.ndarray:
    if hasattr(values, "detach"):  # a torch tensor, which may hold a graph
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
    except ValueError:  # rows of unequal length
        raise TrackError(f"the {name} cannot be made an array; (windows, bins, tracks) is expected") from None
    if array.dtype.kind not in "biuf":
        raise TrackError(f"the {name} hold {array.dtype}; numbers are expected")
    return array.astype(float)


def _finite(array: np.ndarray, name: str, negative: bool) -> np.ndarray:
    right = np.isfinite(array) & (negative | (array >= 0))
    if not right.all():
        place = np.argwhere(~right)[0]
        value = array[tuple(place)]
        where = ", ".join(f"{what} {number}" for what, number in zip(("window", "bin", "track"), place))
        wanted = "finite numbers are expected" if negative else "finite numbers from 0 up are expected"
        hint = "; are these log rates? rates are their exp" if value < 0 and name.endswith("rates") else ""
        raise TrackError(f"the {name} hold {value:g} (first in {where}); {wanted}{hint}")
    return array


def _checked_one_hot(one_hot, bin_size: int) -> np.ndarray:
    one_hot = np.asarray(one_hot)
    if one_hot.ndim != 3 or one_hot.shape[2] != 4 or 0 in one_hot.shape:
        hint = "; the bases belong in the last axis" if one_hot.shape[1:2] == (4,) else ""
        raise TrackError(f"one_hot has the shape {one_hot.shape}; (windows, length, 4) is expected{hint}")
    if isinstance(bin_size, bool) or not isinstance(bin_size, int | np.integer) or bin_size < 1:
        raise TrackError(f"the bin size is {bin_size!r}; a whole number from 1 up is expected")
    if one_hot.shape[1] % bin_size:
        raise TrackError(f"windows of {one_hot.shape[1]} bases cannot be divided into bins of {bin_size}")
    if one_hot.dtype != bool:
        strange = one_hot[(one_hot != 0) & (one_hot != 1)]
        if len(strange):
            raise TrackError(f"one_hot holds {strange[0]:g}; 0 or 1 is expected, and four zeros for an N")
    return one_hot


def _checked_scales(scales) -> tuple[int, ...]:
    scales = tuple(np.atleast_1d(scales).tolist())
    for scale in scales:
        if isinstance(scale, bool) or not isinstance(scale, int) or scale < 1 or scale % 2 == 0:
            raise TrackError(f"a scale is {scale!r}; an odd number of bins, with one in the middle, is expected")
    if not scales:
        raise TrackError("there are no scales; at least one odd number of bins is expected")
    return scales
