"""The exercise of lesson 10 whose answer is judged by what can be predicted from it: beat the CpG baseline.

The reader writes features of a window. The check draws windows, fits a Poisson regression to the counts of
some from these features, and looks at its loss on others. The same regression is fitted to the lesson's
baseline, the composition of each bin. And because the windows are simulated, the loss of the true rates is
known, below which no features can lead except by luck.
"""

import warnings
from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from course_utils.exercises import CORRECT, Exercise, Feedback, _kind, is_untouched, not_yet
from course_utils.exercises._judging import Unfit, result_of

BIN_SIZE, BINS = 128, 24  # bases in a bin, bins in a window
TO_LEARN = TO_JUDGE = 120  # windows
FAR_ENOUGH = 0.7  # of the way from the baseline's loss to that of the true rates
MOST_FEATURES = 100
LARGEST = 1e100  # of a feature; the square of a larger one may be infinite
_BASES = "ACGT"


class _Drawn(NamedTuple):
    one_hot: np.ndarray  # (N, L, 4) float32
    rates: np.ndarray  # (N, bins)
    counts: np.ndarray  # (N, bins)


# --- the windows, and the rule -------------------------------------------------------------------


def _codes(windows: int, rng: np.random.Generator) -> np.ndarray:
    """Sequences ``(N, L)`` as base numbers: poor in CpG, with islands that are not."""
    shape = windows, BIN_SIZE * BINS
    codes = rng.choice(4, size=shape, p=(0.29, 0.21, 0.21, 0.29))
    in_island = np.zeros(shape, dtype=bool)
    for row in in_island:
        for _ in range(rng.integers(0, 3)):
            start = rng.integers(0, len(row))
            row[start : start + rng.integers(200, 900)] = True
    codes[in_island] = rng.choice(4, size=in_island.sum(), p=(0.19, 0.31, 0.31, 0.19))
    cpg = (codes[:, :-1] == 1) & (codes[:, 1:] == 2) & ~in_island[:, :-1]
    codes[:, :-1][cpg & (rng.random(cpg.shape) < 0.75)] = 3  # most C of a CpG turn into T in time
    return codes


def _per_bin(codes: np.ndarray, word: str) -> np.ndarray:
    """How often a word begins in each bin, ``(N, bins)``."""
    places = codes.shape[1] - len(word) + 1
    begins = np.zeros(codes.shape, dtype=bool)
    begins[:, :places] = True
    for offset, base in enumerate(word):
        begins[:, :places] &= codes[:, offset : offset + places] == _BASES.index(base)
    return begins.reshape(len(codes), BINS, BIN_SIZE).sum(axis=2).astype(float)


def _beside(numbers: np.ndarray) -> np.ndarray:
    """The sum of the two neighbours of each bin; outside the window there is nothing."""
    padded = np.pad(numbers, ((0, 0), (1, 1)))
    return padded[:, :-2] + padded[:, 2:]


def _rates(codes: np.ndarray) -> np.ndarray:
    """The rule: CpGs of a bin, its TATA boxes, and, weaker, those of the bins beside."""
    boxes = _per_bin(codes, "TATAAA") + _per_bin(codes, "TTTATA")
    return np.exp(-1.5 + 0.2 * _per_bin(codes, "CG") + boxes + 0.6 * _beside(boxes))


def _draw(windows: int, rng: np.random.Generator) -> _Drawn:
    codes = _codes(windows, rng)
    rates = _rates(codes)
    return _Drawn(np.eye(4, dtype=np.float32)[codes], rates, rng.poisson(rates))


# --- features, and what a regression makes of them -----------------------------------------------


def _features(answer: Callable, drawn: _Drawn) -> np.ndarray:
    """What the answer gives for all windows, ``(N, bins, F)``."""
    found = []
    for one_hot in drawn.one_hot:
        features = result_of(answer, one_hot.copy(), BIN_SIZE)
        _check_features(features)
        if found and features.shape != found[0].shape:
            raise Unfit(
                f"an array {found[0].shape} for the first window and {features.shape} for another",
                "each window is to have the same features.",
            )
        found.append(np.array(features, dtype=float))
    return np.stack(found)


def _check_features(features: Any) -> None:
    """Say so unless it is an array (bins, F) of numbers."""
    if not isinstance(features, np.ndarray):
        hint = f"an array is expected, and {_kind(features)} came."
        if features is None:
            hint = "your function gives back nothing; does it end with `return`?"
        elif isinstance(features, list):
            hint = "a list came; make it an array with np.array(...) or np.stack(...)."
        raise Unfit(_kind(features), hint)
    came = f"an array of shape {features.shape}"
    if features.shape == (BINS,):
        raise Unfit(came, "one number for each bin is a feature without a column: make it (bins, 1).")
    if features.ndim != 2:
        raise Unfit(came, "two axes are expected: (bins, features).")
    if len(features) == BINS * BIN_SIZE:
        raise Unfit(came, f"there is a row for each base; a row for each bin of {BIN_SIZE} bases is asked.")
    if len(features) != BINS and features.shape[1] == BINS:
        raise Unfit(came, "transposed: a row for each bin and a column for each feature is asked.")
    if len(features) != BINS:
        raise Unfit(came, f"{BINS * BIN_SIZE:,} bases in bins of {BIN_SIZE} make {BINS} rows.")
    if features.shape[1] == 0:
        raise Unfit(came, "there is no feature in it: make a column for each.")
    if features.shape[1] > MOST_FEATURES:
        raise Unfit(
            came,
            f"so many features learn the training windows by heart; {MOST_FEATURES} is the most, and a few "
            "will do.",
        )
    if features.dtype.kind not in "fiub":
        raise Unfit(f"{came} that holds {features.dtype}", "numbers are expected.")
    if not np.isfinite(features).all():
        raise Unfit(came, "it holds NaN or infinity, as a ratio does in a bin where its divisor is 0.")
    if (np.abs(features.astype(float)) > LARGEST).any():
        raise Unfit(came, f"it holds numbers beyond {LARGEST:g}, which no regression can take; counts will do.")


def _predict(learn: np.ndarray, counts: np.ndarray, judge: np.ndarray) -> np.ndarray:
    """The rates ``(N, bins)`` that a Poisson regression predicts from features ``(N, bins, F)``."""
    from sklearn.linear_model import PoissonRegressor

    rows, others = learn.reshape(-1, learn.shape[2]), judge.reshape(-1, judge.shape[2])
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    spread[spread < 1e-9 * (1 + np.abs(mean))] = np.inf  # a column that never varies says nothing
    model = PoissonRegressor(alpha=1e-4, solver="newton-cholesky", max_iter=50)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # features of any kind come here; some converge slowly
        model.fit((rows - mean) / spread, counts.ravel())
    log_rates = (others - mean) / spread @ model.coef_ + model.intercept_
    return np.exp(np.clip(log_rates, -10, np.log(10 * counts.max()))).reshape(judge.shape[:2])


def _scores(rates: np.ndarray, counts: np.ndarray) -> tuple[float, float]:
    """The lesson's loss, 0 for rates equal to the counts, and Pearson's r."""
    from course_utils.tracks import pearson_per_track, poisson_loss

    counts, rates = counts[..., None], rates[..., None]  # one track
    return poisson_loss(counts, rates), float(pearson_per_track(counts, rates)[0])


# --- the exercise --------------------------------------------------------------------------------


class _Judge:
    """Windows to learn from and to judge by, and how good features are there."""

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        self.learn, self.judge = _draw(TO_LEARN, rng), _draw(TO_JUDGE, rng)

    @cached_property
    def baseline(self) -> np.ndarray:
        """The rates that the composition of the bins predicts."""
        from course_utils.tracks import composition

        return self.predict(*(composition(drawn.one_hot, BIN_SIZE) for drawn in (self.learn, self.judge)))

    def predict(self, learn: np.ndarray, judge: np.ndarray) -> np.ndarray:
        return _predict(learn, self.learn.counts, judge)

    def way(self, rates: np.ndarray) -> float:
        """How much of the way from the baseline's loss, 0, to that of the true rates, 1."""
        base, best, loss = (
            _scores(some, self.judge.counts)[0] for some in (self.baseline, self.judge.rates, rates)
        )
        return (base - loss) / (base - best)


class _BaselineExercise(Exercise):
    """An exercise whose answer gives features, which are judged by a regression on held-out windows."""

    def __call__(self, answer: Callable, seed: int = 0) -> Feedback:
        if is_untouched(answer) or not callable(answer):
            return super().__call__(answer, seed)
        judge = _Judge(seed)
        try:
            learned, judged = _features(answer, judge.learn), _features(answer, judge.judge)
        except Unfit as unfit:
            came, hint = unfit.args
            tried = f"a window of {BINS * BIN_SIZE:,} bases, in bins of {BIN_SIZE}"
            return not_yet(tried, came, f"an array of shape ({BINS}, features)", hint)
        rates = judge.predict(learned, judged)
        base, best, yours = (
            "loss {:.3f}, r {:.2f}".format(*_scores(some, judge.judge.counts))
            for some in (judge.baseline, judge.judge.rates, rates)
        )
        way = judge.way(rates)
        compared = f"CpG baseline: {base}; the true rates: {best}"
        if way >= FAR_ENOUGH:
            return Feedback(
                CORRECT,
                (
                    f"On {TO_JUDGE} held-out windows: {yours}.",
                    f"{compared}.",
                    f"Your features go {way:.0%} of the way from the one to the other.",
                ),
            )
        return not_yet(
            f"{TO_LEARN} windows to fit a Poisson regression, {TO_JUDGE} others to judge it",
            yours,
            f"{FAR_ENOUGH:.0%} of the way between these losses. {compared}",
            _hint(judge, learned, judged, way),
        )


def _hint(judge: _Judge, learned: np.ndarray, judged: np.ndarray, way: float) -> str:
    """What features lack, found by asking how well they tell what the rule uses."""
    if not np.ptp(learned, axis=(0, 1)).any():
        return "your features are the same in every bin of every window, so they tell no two bins apart."
    if not np.ptp(learned, axis=0).any():
        return "your features are the same for every window, whatever its bases are."
    if not np.ptp(learned, axis=1).any():
        return "your features differ between windows, and within a window all bins have the same."
    for move, words in [
        (lambda x: x[:, ::-1], "the last bin comes first. Row 0 is the bin at the left end."),
        (lambda x: np.roll(x, -1, axis=1), "each row describes the bin to its left."),
        (lambda x: np.roll(x, 1, axis=1), "each row describes the bin to its right."),
    ]:
        if judge.way(judge.predict(move(learned), move(judged))) > max(way + 0.2, 0.3):
            return f"your features stand in the wrong bins: {words}"
    codes = judge.learn.one_hot.argmax(axis=2)
    plus, minus, cpg = (_per_bin(codes, word) for word in ("TATAAA", "TTTATA", "CG"))

    def known(numbers: np.ndarray) -> float:
        """R2 of a linear regression of these numbers on the features."""
        rows = np.column_stack([learned.reshape(-1, learned.shape[2]), np.ones(numbers.size)])
        rows /= np.abs(rows).max(axis=0).clip(1e-12)
        fitted = rows @ np.linalg.lstsq(rows, numbers.ravel(), rcond=None)[0]
        return 1 - np.mean((numbers.ravel() - fitted) ** 2) / numbers.var()

    # One column that counts both strands knows half of each.
    if max(known(plus), known(minus)) < 0.35:
        return (
            "of the TATA boxes they know next to nothing. GC and CpG by themselves are what the baseline "
            "counts."
        )
    if min(known(plus), known(minus)) < 0.35:
        return (
            "they know the TATA boxes of one strand. A box of the other is written backwards with the "
            "partner letters, and counts as much."
        )
    if known(cpg) < 0.9:
        return "they know the TATA boxes, and less of the CpGs than the baseline does: use both."
    if known(_beside(plus + minus)) < 0.35:
        return "they know the boxes of each bin. A box in the next bin acts, too, and more weakly."
    return (
        "CpGs and boxes of both strands are in it, also those of the bins beside. Count them (two boxes do "
        "more than one), and keep a bin's own apart from its neighbours': they are not equally strong."
    )


def _counted(one_hot: np.ndarray, bin_size: int) -> np.ndarray:
    """CpGs and TATA boxes of each bin, and boxes of those beside, by going along the sequence."""
    sequence = "".join(_BASES[code] for code in one_hot.argmax(axis=1))
    bins = len(sequence) // bin_size
    features = np.zeros((bins, 3))
    for start in range(len(sequence)):
        here = start // bin_size
        features[here, 0] += sequence.startswith("CG", start)
        if sequence.startswith(("TATAAA", "TTTATA"), start):
            features[here, 1] += 1
            for neighbour in (here - 1, here + 1):
                if 0 <= neighbour < bins:
                    features[neighbour, 2] += 1
    return features


# The class draws and judges by itself; what stands here is for the tests that all exercises share.
beat_the_baseline = _BaselineExercise(
    oracle=_counted,
    cases=lambda rng: [(_draw(1, rng).one_hot[0], BIN_SIZE) for _ in range(3)],
)
