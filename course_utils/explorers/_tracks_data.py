"""Observed and predicted tracks that fit together, and the part of one that the tracks explorer shows."""

import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from course_utils.tracks import TrackError, pearson_per_track

MOST = 3  # predictions in a picture
STEPS = 566  # of a line: as many as the plot is wide in pixels


class Mark(NamedTuple):
    """An element of a window: its bin, what it is ("promoter"), and its symbol of one or two letters ("P")."""

    bin: int
    word: str
    symbol: str


@dataclass(frozen=True, eq=False)
class TrackSet:
    """Observed and predicted tracks that fit together.

    Attributes:
        observed: ``(N, bins, T)``, float32.
        predicted: name -> the same.
        labels: of the T tracks.
        marks: of each window.
        kinds: word and symbol of each kind of mark, the same for all windows.
        bin_size: bases of a bin.
    """

    observed: np.ndarray
    predicted: dict[str, np.ndarray]
    labels: tuple[str, ...]
    marks: tuple[tuple[Mark, ...], ...]
    kinds: tuple[tuple[str, str], ...]
    bin_size: int


@dataclass(frozen=True, eq=False)
class TrackView:
    """One track of one window, and the part of it to show.

    Attributes:
        data: where it is from.
        window, track: which.
        start, stop: the bins to show, half-open.
        centre: the bin to point at in the strip of the whole window, or None: no strip.
        log: heights are log(1 + count).
        hidden: names of predictions, or ``"observed"``, that are not drawn.
        r: name -> Pearson r with the observed counts over the whole window, of log(1 + count) if `log`;
            NaN where it is undefined.
    """

    data: TrackSet
    window: int
    track: int
    start: int
    stop: int
    centre: int | None
    log: bool
    hidden: frozenset[str]
    r: dict[str, float]

    @property
    def observed(self) -> np.ndarray:
        """All bins of the track: ``(bins,)``."""
        return self.data.observed[self.window, :, self.track]

    @property
    def predicted(self) -> dict[str, np.ndarray]:
        """The same of each prediction."""
        return {name: one[self.window, :, self.track] for name, one in self.data.predicted.items()}

    @property
    def marks(self) -> list[Mark]:
        """Of the bins that are shown, from left to right."""
        marks = self.data.marks[self.window]
        return sorted(mark for mark in marks if self.start <= mark.bin < self.stop)

    @property
    def merged(self) -> int:
        """How many bins share a step of the picture; it shows the largest of them."""
        return -(-(self.stop - self.start) // STEPS)


def check_tracks(
    observed: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    labels: Sequence[str] | None = None,
    marks: Sequence[Sequence[tuple[int, str, str]]] | None = None,
    bin_size: int = 128,
) -> TrackSet:
    """Check that observed and predicted tracks fit together.

    Args:
        observed: counts ``(N, bins, T)``.
        predicted: name -> rates of the same shape, or one that spreads to it such as ``(T,)``; one to three.
        labels: names of the T tracks; by default their numbers.
        marks: for each window a list of (bin, word, symbol), such as ``(12, "promoter", "P")``.
        bin_size: bases of a bin.

    Raises:
        TrackError: for shapes that disagree, numbers that are negative, infinite or NaN, more or fewer than one
            to three predictions, or labels and marks that do not belong to the tracks (lesson 10).
    """
    observed = _check_counts("the observed tracks", observed)
    if observed.ndim != 3 or not observed.size:
        raise TrackError(
            f"the observed tracks have the shape {observed.shape}; (windows, bins, tracks) is expected"
        )
    windows, bins, tracks = observed.shape
    if not isinstance(predicted, Mapping) or not 1 <= len(predicted) <= MOST:
        many = f"a dict of {len(predicted)}" if isinstance(predicted, Mapping) else None
        came = many or f"of the type {type(predicted).__name__}"
        raise TrackError(
            f"predicted is {came}; a dict of one to {MOST} names with their rates is expected"
        )
    checked = {}
    for name, rates in predicted.items():
        if not isinstance(name, str) or not name.strip() or name == "observed":
            raise TrackError(f"a prediction is called {name!r}; a name other than 'observed' is expected")
        rates = _check_counts(f"the prediction {name!r}", rates)
        try:
            checked[name] = np.broadcast_to(rates, observed.shape)
        except ValueError:
            raise TrackError(
                f"the prediction {name!r} has the shape {rates.shape}, the observed tracks have "
                f"{observed.shape}; the same is expected"
            ) from None
    labels = tuple(map(str, range(tracks) if labels is None else labels))
    if len(labels) != tracks:
        raise TrackError(f"{len(labels)} labels came for {tracks} tracks; one for each is expected")
    marks = [()] * windows if marks is None else marks
    if len(marks) != windows:
        raise TrackError(
            f"marks of {len(marks)} windows came for {windows} windows; one list for each is expected"
        )
    if isinstance(bin_size, bool) or not isinstance(bin_size, int | np.integer) or bin_size < 1:
        raise TrackError(f"the bin size is {bin_size!r}; a whole number of bases from 1 up is expected")
    found = tuple(
        tuple(_check_mark(mark, window, bins) for mark in ones) for window, ones in enumerate(marks)
    )
    first, *others = dict.fromkeys((mark.word, mark.symbol) for one in found for mark in one) or [None]
    kinds = (first, *sorted(others, key=lambda kind: kind[1])) if first else ()
    return TrackSet(observed, checked, labels, found, kinds, int(bin_size))


def _check_counts(name: str, counts: np.ndarray) -> np.ndarray:
    if hasattr(counts, "detach"):  # a torch tensor
        counts = counts.detach().cpu()
    counts = np.asarray(counts)
    if counts.dtype.kind not in "fiub":
        raise TrackError(f"{name}: the type is {counts.dtype}; numbers are expected")
    counts = counts.astype(np.float32, copy=False)
    wrong = ~(np.isfinite(counts) & (counts >= 0))
    if wrong.any():
        place = tuple(int(i) for i in np.argwhere(wrong)[0])
        raise TrackError(
            f"{name}: {counts[place]:g} at {place} of (window, bin, track); finite numbers from 0 up are "
            "expected: of a network, exp(log_rates)"
        )
    return counts


def _check_mark(mark: tuple[int, str, str], window: int, bins: int) -> Mark:
    try:
        place, word, symbol = mark
        place = operator.index(place)
    except (TypeError, ValueError):
        raise TrackError(
            f"a mark of window {window} is {mark!r}; (bin, word, symbol) is expected, such as "
            "(12, 'promoter', 'P')"
        ) from None
    if not 0 <= place < bins:
        raise TrackError(f"a mark of window {window} is at bin {place}; 0 to {bins - 1} is expected")
    if not 1 <= len(str(symbol)) <= 2:
        raise TrackError(f"the symbol of a mark is {symbol!r}; one or two letters are expected")
    return Mark(place, str(word), str(symbol))


def view_of(
    data: TrackSet,
    window: int,
    track: int,
    bins: tuple[int, int] | None = None,
    *,
    log: bool = False,
    centre: int | None = None,
    hidden: frozenset[str] = frozenset(),
    r: dict[str, float] | None = None,
) -> TrackView:
    """Choose what to draw; r, if it is not known yet, is computed.

    Raises:
        TrackError: for a window, a track or bins that are not there (lesson 10).
    """
    windows, length, tracks = data.observed.shape
    for name, number, many in (("window", window, windows), ("track", track, tracks)):
        if not isinstance(number, int | np.integer) or not 0 <= number < many:
            raise TrackError(f"the {name} is {number}; 0 to {many - 1} is expected")
    start, stop = (0, length) if bins is None else bins
    whole = isinstance(start, int | np.integer) and isinstance(stop, int | np.integer)
    if not whole or not 0 <= start < stop <= length:
        raise TrackError(
            f"the bins are {start} to {stop}; a first bin from 0 up and a later end, up to {length}, are "
            "expected"
        )
    if r is None:
        one = np.s_[window : window + 1, :, track : track + 1]
        r = {
            name: float(pearson_per_track(data.observed[one], rates[one], log1p=log)[0])
            for name, rates in data.predicted.items()
        }
    return TrackView(data, window, track, int(start), int(stop), centre, log, hidden, r)
