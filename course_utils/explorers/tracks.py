"""The tracks explorer of lesson 10: any track of any window, observed beside predicted, near and far.

* Arrays are ``(N, bins, T)``: windows, bins, tracks. A *mark* is an element worth a symbol, at a bin.
* Each window and track has one scale, whatever part of it and whichever lines are shown: higher is more.
* Where there are more bins than pixels, a step shows the largest of a few, and the picture says of how many.

:func:`tracks_picture` draws the same as a still picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import ipywidgets
import numpy as np

from course_utils.explorers import Explorer, Panels, table
from course_utils.explorers._tracks_data import Mark, TrackSet, TrackView, check_tracks, view_of
from course_utils.explorers._tracks_picture import describe, track_svg, write_count
from course_utils.genomes import SimulatedGenome
from course_utils.plotting import Picture
from course_utils.tracks import TrackError, pearson_per_track, poisson_loss_per_track

FEWEST = 16  # bins in the closest view
POSITIONS = 256  # of the slider that moves the centre
NOTE = (
    "<p>r: Pearson's, over all bins; none where one side is the same in all of them. Logs: log(1 + count). "
    "Loss: log-Poisson, 0 at best.</p>"
)


@dataclass(frozen=True, eq=False)
class Score:
    """How well a prediction does on each track.

    Attributes:
        r, r_log: Pearson r, and r of log(1 + count); NaN where one side is the same everywhere.
        loss: the log-Poisson loss above its optimum; infinite where a rate is 0 and the count is not.
        largest: the largest rate.
    """

    r: np.ndarray
    r_log: np.ndarray
    loss: np.ndarray
    largest: np.ndarray


@dataclass(frozen=True, eq=False)
class TracksView:
    """One track of one window, with the figures of its predictions.

    Attributes:
        view: what is drawn.
        here: name -> figures over the bins of each window and track, ``(N, T)``.
        everywhere: name -> figures over the bins of all windows, ``(T,)``.
    """

    view: TrackView
    here: dict[str, Score]
    everywhere: dict[str, Score]


def score(observed: np.ndarray, predicted: np.ndarray) -> Score:
    """The figures of tracks ``(N, bins, T)`` over all windows and bins, ``(T,)`` each."""
    return Score(
        r=pearson_per_track(observed, predicted),
        r_log=pearson_per_track(observed, predicted, log1p=True),
        loss=poisson_loss_per_track(observed, predicted),
        largest=predicted.max(axis=(0, 1)),
    )


def score_windows(observed: np.ndarray, predicted: np.ndarray) -> Score:
    """The same over the bins of each window, ``(N, T)`` each."""
    windows, bins, tracks = observed.shape
    # To the function above, each track of each window is a track of its own.
    apart = [
        np.moveaxis(one, 0, 1).reshape(1, bins, windows * tracks) for one in (observed, predicted)
    ]
    found = vars(score(*apart)).items()
    return Score(**{name: figures.reshape(windows, tracks) for name, figures in found})


def compute(
    data: TrackSet,
    here: dict[str, Score],
    everywhere: dict[str, Score],
    window: int = 0,
    track: int = 0,
    zoom: int = 1,
    centre: int = 0,
    log: bool = False,
    hidden: frozenset[str] = frozenset(),
) -> TracksView:
    """Choose a track of a window, and the bins to show.

    Args:
        data: observed and predicted tracks.
        here, everywhere: the figures of each prediction, computed once (:class:`TracksView`).
        window, track: which.
        zoom: this part of the window is shown: 1 for all, 2 for a half, ...
        centre: the bin in the middle of it, as far as the window's ends allow.
        log: draw log(1 + count).
        hidden: names of predictions, or ``"observed"``, that are not drawn.

    Raises:
        TrackError: for a window, a track, a zoom or a centre that is not there.
    """
    length = data.observed.shape[1]
    if not 1 <= zoom <= length or not 0 <= centre < length:
        raise TrackError(
            f"zoom {zoom} around bin {centre}; a zoom from 1 and a bin from 0 to {length - 1} are expected"
        )
    many = -(-length // zoom)
    start = min(max(centre - many // 2, 0), length - many)
    r = {}
    if window in range(len(data.observed)) and track in range(len(data.labels)):
        figures = {name: one.r_log if log else one.r for name, one in here.items()}
        r = {name: float(one[window, track]) for name, one in figures.items()}
    view = view_of(
        data, window, track, (start, start + many), log=log, centre=centre, hidden=hidden, r=r
    )
    return TracksView(view, here, everywhere)


def draw(shown: TracksView) -> Panels:
    """The track as a genome browser shows it; the figures of this window and of all of them."""
    view = shown.view
    place, windows = (view.window, view.track), len(view.data.observed)
    alone = f"window {view.window}"
    rows = [(f"observed: {alone}", "–", "–", "–", write_count(view.observed.max()))]
    rows += [(f"{_cut(name, 26)}: {alone}", *_figures(one, place)) for name, one in shown.here.items()]
    if windows > 1:
        rows += [
            (f"{_cut(name, 26)}: all {windows} windows", *_figures(one, view.track))
            for name, one in shown.everywhere.items()
        ]
    # Five narrow columns fit a telephone; what their heads leave out stands beneath.
    numbers = table(rows, head=("track", "r", "r of logs", "loss", "largest value"), name="figures of the track") + NOTE
    summary = describe(view)
    return Panels(track_svg(view, summary), numbers, summary)


def _figures(score: Score, place) -> tuple[str, ...]:
    r, r_log, loss = (float(figure[place]) for figure in (score.r, score.r_log, score.loss))
    # Of a loss far off, more digits would only widen the table.
    digits = 3 if loss < 10 else 1 if loss < 100 else 0
    lost = f"{round(loss, 3) + 0.0:,.{digits}f}" if np.isfinite(loss) else "∞"
    return _write_r(r), _write_r(r_log), lost.replace("-", "−"), write_count(score.largest[place])


def _write_r(r: float) -> str:
    return "none" if np.isnan(r) else f"{round(r, 2) + 0.0:.2f}".replace("-", "−")


def tracks_picture(
    observed: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    window: int = 0,
    track: int = 0,
    *,
    labels: Sequence[str] | None = None,
    marks: Sequence[Sequence[tuple[int, str, str]]] | None = None,
    bin_size: int = 128,
    bins: tuple[int, int] | None = None,
    log: bool = False,
) -> Picture:
    """Draw one track of one window: observed counts filled in grey, predictions as lines.

    Args:
        observed, predicted, labels, marks, bin_size: as for :func:`check_tracks`.
        window, track: which.
        bins: the first bin to show, and the one after the last; by default all.
        log: draw log(1 + count), and give r of it.

    Raises:
        TrackError: as :func:`check_tracks` does, and for a window, a track or bins that are not there (lesson 10).
    """
    data = check_tracks(observed, predicted, labels, marks, bin_size)
    view = view_of(data, window, track, bins, log=log)
    alt = describe(view)
    return Picture(track_svg(view, alt), alt)


def marks_of(simulated: SimulatedGenome) -> list[list[Mark]]:
    """The promoters (P) and enhancers (A, B, ... by group) of simulated windows, as marks (lesson 10)."""
    return [
        [Mark(place, "promoter", "P") for place in promoters]
        + [
            Mark(place, f"enhancer of group {chr(65 + group)}", chr(65 + group))
            for place, group in zip(enhancers, groups)
        ]
        for promoters, enhancers, groups in zip(*(part.tolist() for part in simulated.elements))
    ]


# --- controls ------------------------------------------------------------------------------------


def tracks_explorer(
    observed: np.ndarray,
    predicted: Mapping[str, np.ndarray],
    *,
    labels: Sequence[str] | None = None,
    marks: Sequence[Sequence[tuple[int, str, str]]] | None = None,
    bin_size: int = 128,
    window: int = 0,
    track: int = 0,
) -> Explorer:
    """The explorer, starting with all bins of one track of one window (lesson 10).

    Args:
        observed: counts ``(N, bins, T)``.
        predicted: name -> rates of the same shape, or one that spreads to it such as ``(T,)``; one to three. Of a
            network, ``exp(log_rates)``.
        labels: names of the T tracks.
        marks: for each window a list of (bin, word, symbol), such as ``(12, "promoter", "P")``.
        bin_size: bases of a bin.
        window, track: which to start with.

    Raises:
        TrackError: for shapes that disagree, numbers that are negative, infinite or NaN, more or fewer than one
            to three predictions, labels and marks that do not belong to the tracks, or a window or a track
            that is not there.
    """
    data = check_tracks(observed, predicted, labels, marks, bin_size)
    view_of(data, window, track, r={})  # refuses those that are not there
    windows, length, tracks = data.observed.shape
    looks = {
        "style": {"description_width": "110px"},
        "layout": ipywidgets.Layout(width="520px", max_width="100%"),
    }
    step = max(1, length // POSITIONS)
    parts = [1]
    while -(-length // (2 * parts[-1])) >= FEWEST:
        parts.append(2 * parts[-1])
    controls: dict[str, ipywidgets.Widget] = {}
    if windows > 1:
        controls["window"] = ipywidgets.IntSlider(
            int(window), min=0, max=windows - 1, description="window", **looks
        )
    if tracks > 1:
        names = [  # the number keeps two tracks of one name apart
            (label if label == str(number) else f"{number}: {_cut(label, 22)}", number)
            for number, label in enumerate(data.labels)
        ]
        controls["track"] = ipywidgets.SelectionSlider(
            options=names, value=int(track), description="track", **looks
        )
    if len(parts) > 1:
        controls["zoom"] = ipywidgets.SelectionSlider(
            options=[("all" if part == 1 else f"1/{part}", part) for part in parts],
            value=1, description="zoom", **looks,
        )  # fmt: skip
    if length > 1:
        controls["centre"] = ipywidgets.IntSlider(
            length // 2 // step * step, min=0, max=(length - 1) // step * step, step=step,
            description="centre (bin)", **looks,
        )  # fmt: skip
    drawn = ["observed", *data.predicted]
    for number, name in enumerate(drawn):
        controls[f"show_{number}"] = ipywidgets.Checkbox(True, description=_cut(name, 40), **looks)
    controls["log"] = ipywidgets.Checkbox(False, description="log scale", **looks)
    pairs = data.predicted.items()
    here = {name: score_windows(data.observed, rates) for name, rates in pairs}
    everywhere = {name: score(data.observed, rates) for name, rates in pairs}
    settled = partial(compute, data, here, everywhere)

    def compute_here(**values) -> TracksView:
        show = [values.pop(f"show_{number}") for number in range(len(drawn))]
        hidden = frozenset(name for name, on in zip(drawn, show) if not on)
        return settled(**values, hidden=hidden)

    return Explorer("tracks explorer", controls, compute_here, draw)


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
