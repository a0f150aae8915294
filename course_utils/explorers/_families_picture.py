"""The picture and the numbers of the families explorer: what :mod:`.families` computes, drawn."""

from __future__ import annotations

from math import ceil, log
from typing import TYPE_CHECKING

import numpy as np

from course_utils import plotting
from course_utils.explorers import Panels, fitted, table
from course_utils.explorers._words import write_many

if TYPE_CHECKING:  # the other way round when it runs
    from course_utils.explorers.families import FamiliesView, Network

POSITIVE, NEGATIVE = "#0072B2", "#D55E00"
SHOWN, CEILING = plotting.ACCENT, "#8a1c00"
BEHIND, OTHER_RUNS = plotting.tint(SHOWN, 0.14), plotting.tint(SHOWN, 0.55)
VALIDATION = f"stroke='{SHOWN}' stroke-width='2.4'"
TRAINING = f"stroke='{plotting.INK}' stroke-width='1.6' stroke-dasharray='5 3'"
GUESSING = f"stroke='{plotting.FAINT}' stroke-width='1.6' stroke-dasharray='1.6 3.2'"
COIN = log(2)  # the loss of a network that says 1/2 of everything
WIDTH, HEIGHT = 520, 524
SMALL = {"size": 11, "fill": plotting.FAINT}
#: What a task asks, in few words.
QUESTIONS = {
    "place": "the motif at its place, or anywhere else?",
    "anywhere": "a motif anywhere, or none?",
    "order": "A before B, or B before A?",
}
UNITS = {"DNN": "hidden unit", "CNN": "filter", "GRU": "number of memory"}
NOTE = (
    "<p style='max-width:600px'>AUC: mean of five runs, each with data and first weights of its own, on 4,000 "
    "held-out sequences. ✓: within 0.01 of the best possible. (shown): in the picture. "
    "A coin: the loss of whoever says one half of everything. What a network says is its logit, what the best "
    "rule says is the logarithm of the ratio of the two likelihoods; the colours say what is true.</p>"
)


def draw(view: FamiliesView) -> Panels:
    """Everyone's AUC against the ceiling; of the chosen network, losses and what it says of 200 sequences."""
    network, answers = view.network, view.answers
    losses = network.valid_loss[0]
    here = [
        ("AUC", f"{np.mean(network.auc):.3f} ({_range(network.auc)})"),
        ("best possible AUC", f"{answers.ceiling_auc:.3f}"),
        ("accuracy", f"{np.mean(network.accuracy):.3f} ({_range(network.accuracy)})"),
        ("best possible accuracy", f"{answers.ceiling_accuracy:.3f}"),
        ("parameters", f"{network.parameters:,} ({_size(view)})"),
        ("epochs, run by run", ", ".join(str(len(run)) for run in network.valid_loss)),
        ("lowest validation loss, run 1", f"{min(losses):.3f} in epoch {int(np.argmin(losses)) + 1}"),
        ("training loss there, run 1", f"{network.train_loss[0][int(np.argmin(losses))]:.3f}"),
        ("of 200 sequences, run 1 has right", str(_right(network.logits, answers.labels))),
        ("and the best rule", str(_right(answers.best, answers.labels))),
        ("seconds of a training", f"{np.mean(network.seconds):.1f}"),
    ]
    budgets = list(answers.networks[view.family])
    rows = [
        (family, *(_cell(view, family, budget) for budget in budgets)) for family in answers.networks
    ]
    head = (f"{view.family}, {view.task}", "five runs: mean (lowest to highest)")
    numbers = table(here, head, name="the network shown")
    numbers += table(rows, head=("AUC", *(f"about {budget:,}" for budget in budgets)), name="all networks") + NOTE
    summary = describe(view)
    body = _titles(view) + _strips(view) + _losses(network) + _histograms(view)
    return Panels(plotting.svg(WIDTH, HEIGHT, body, summary), fitted(numbers), summary)


def describe(view: FamiliesView) -> str:
    """The picture in words."""
    network, answers = view.network, view.answers
    others = "; ".join(
        f"{family} {np.mean(of[view.budget].auc):.3f}"
        for family, of in answers.networks.items()
        if family != view.family
    )
    lowest = int(np.argmin(network.valid_loss[0]))
    reaches = "reaches" if view.reaches(view.family, view.budget) else "does not reach"
    return (
        f"Task {view.task}: {QUESTIONS[view.task]} {view.family} with {network.parameters:,} parameters "
        f"({_size(view)}): AUC {np.mean(network.auc):.3f}, mean of five runs ({_range(network.auc)}); "
        f"it {reaches} the best possible {answers.ceiling_auc:.3f}. "
        f"Others at about {view.budget:,} parameters: {others}. Run 1: lowest validation loss "
        f"{network.valid_loss[0][lowest]:.3f} in epoch {lowest + 1} of {len(network.valid_loss[0])}; "
        f"{_right(network.logits, answers.labels)} of 200 held-out sequences right, the best rule "
        f"{_right(answers.best, answers.labels)}."
    )


def _size(view: FamiliesView) -> str:
    first = view.family.split(",")[0]
    words = write_many(view.network.size, UNITS[first]).replace("number of memorys", "numbers of memory")
    return f"{words} in each layer" if "layers" in view.family else words


def _range(values: list[float]) -> str:
    return f"{min(values):.3f} to {max(values):.3f}"


def _right(logits: np.ndarray, labels: np.ndarray) -> int:
    return int(((logits > 0) == (labels > 0)).sum())


def _cell(view: FamiliesView, family: str, budget: int) -> str:
    words = f"{np.mean(view.answers.networks[family][budget].auc):.3f}"
    words += " ✓" if view.reaches(family, budget) else ""
    return words + (" (shown)" if (family, budget) == (view.family, view.budget) else "")


# --- the picture ---------------------------------------------------------------------------------


def _titles(view: FamiliesView) -> str:
    """The question above everything, and above the lower half the network that is shown."""
    chosen = f"{view.family}, {view.network.parameters:,} parameters: {_size(view)}"
    y = LOWER_TOP - 60
    return (
        plotting.text(12, 15, f"{view.task}: {QUESTIONS[view.task]}", size=13, anchor="start", bold=True)
        + f"<rect x='6' y='{y - 10}' width='{WIDTH - 14}' height='20' rx='3' fill='{BEHIND}'/>"
        + plotting.text(12, y, chosen, anchor="start", bold=True)
    )


STRIP_LEFT, STRIP_RIGHT, STRIP_TOP, LINE, GAP = 168, 446, 66, 14, 8


def _strips(view: FamiliesView) -> str:
    """For each family and budget a line with the AUC of five runs; the ceiling goes through all of them."""
    networks, ceiling = view.answers.networks, view.answers.ceiling_auc
    lowest = min(auc for of in networks.values() for one in of.values() for auc in one.auc)
    low = min(0.5, np.floor(20 * lowest) / 20)  # chance leaves runs a little below 0.5

    def place(auc: float) -> float:
        return STRIP_LEFT + (STRIP_RIGHT - STRIP_LEFT) * (auc - low) / (1 - low)

    lines, y = [], STRIP_TOP + LINE / 2
    for family, of in networks.items():
        lines.append(plotting.text(12, y, family, anchor="start", bold=family == view.family))
        for budget, one in of.items():
            lines.append(_strip(view, y, family, budget, one, place))
            y += LINE
        y += GAP
    bottom = y - GAP - LINE / 2 + 3
    marks = [mark / 10 for mark in range(11) if mark / 10 >= low - 1e-9]
    words = [plotting.short_number(mark) for mark in marks]
    rules = "".join(f"M{place(mark):.1f} {STRIP_TOP - 3}V{bottom:g}" for mark in marks)
    x, side = place(ceiling), "end" if ceiling > 0.75 else "middle"
    return "".join(
        [
            plotting.text(12, 43, "AUC, held out: five runs each", anchor="start", bold=True),
            f"<path d='{rules}' stroke='#e2e2e2'/>",
            plotting.text_row([round(place(mark), 1) for mark in marks], bottom + 9, words, **SMALL),
            plotting.text(STRIP_LEFT - 10, 60, "parameters", anchor="end", **SMALL),
            plotting.text(STRIP_RIGHT + 12, 60, "mean", anchor="start", **SMALL),
            plotting.text(x, 43, f"best possible {ceiling:.3f}", anchor=side, fill=CEILING),
            *lines,
            f"<path d='M{x:.1f} {STRIP_TOP - 10}V{bottom:g}' stroke='{CEILING}' stroke-width='2' "
            "stroke-dasharray='2 3'/>",
        ]
    )


def _strip(view: FamiliesView, y: float, family: str, budget: int, one: Network, place) -> str:
    """One line: the parameters, a mark for each run, the mean."""
    shown = (family, budget) == (view.family, view.budget)
    mean = float(np.mean(one.auc))
    colour = SHOWN if shown else plotting.FAINT
    parts = []
    if shown:
        parts.append(
            f"<rect x='116' y='{y - LINE / 2:g}' width='{WIDTH - 124}' height='{LINE}' rx='3' "
            f"fill='{BEHIND}'/>"
        )
    parts.append(plotting.text(STRIP_LEFT - 10, y, f"{one.parameters:,}", size=11, anchor="end", bold=shown))
    dots = "".join(f"M{place(auc) - 3.5:.1f} {y:g}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z" for auc in one.auc)
    fill = f"fill='{colour}' fill-opacity='.45'" if shown else "fill='none'"
    parts.append(f"<path d='{dots}' {fill} stroke='{colour}' stroke-width='1.2'/>")
    parts.append(f"<path d='M{place(mean):.1f} {y - 6:g}v12' stroke='{colour}' stroke-width='2.4'/>")
    words = f"{mean:.3f}" + (" ✓" if view.reaches(family, budget) else "")
    parts.append(plotting.text(STRIP_RIGHT + 12, y, words, size=11, anchor="start", bold=shown))
    return "".join(parts)


LOSS_LEFT, LOSS_WIDE, LOWER_TOP, LOWER_HIGH = 40, 206, 350, 130
MOST_LOSS, TALLEST_LOSS = 0.8, 1.2  # the axis is the same wherever it can be, and no higher than the second


def _losses(network: Network) -> str:
    """Validation loss of all five runs, the first one thick, and its training loss."""
    longest = max(map(len, network.valid_loss))
    highest = min(max(MOST_LOSS, *map(max, network.valid_loss), *network.train_loss[0]), TALLEST_LOSS)
    marks = plotting.ticks(0, highest, 4)
    top, bottom = LOWER_TOP, LOWER_TOP + LOWER_HIGH

    def height(loss: float) -> float:
        return bottom - LOWER_HIGH * min(loss, marks[-1]) / marks[-1]

    def across(epoch: int) -> float:
        return LOSS_LEFT + LOSS_WIDE * (epoch - 0.5) / longest

    def curve(values: list[float], look: str) -> str:
        points = " ".join(f"{across(i):.1f},{height(value):.1f}" for i, value in enumerate(values, 1))
        return f"<polyline points='{points}' fill='none' {look}/>"

    parts = [plotting.text(12, top - 37, "loss, by epoch", anchor="start")]
    for words, x, look, colour in (
        ("validation", LOSS_LEFT, VALIDATION, SHOWN),
        ("training", LOSS_LEFT + 88, TRAINING, plotting.INK),
        ("a coin", LOSS_LEFT + 164, GUESSING, plotting.FAINT),
    ):
        parts.append(f"<path d='M{x} {top - 18}h20' {look}/>")
        parts.append(plotting.text(x + 24, top - 18, words, size=11, anchor="start", fill=colour))
    for mark in marks:
        parts.append(f"<path d='M{LOSS_LEFT} {height(mark):.1f}h{LOSS_WIDE}' stroke='#e2e2e2'/>")
        words = plotting.short_number(mark)
        parts.append(plotting.text(LOSS_LEFT - 6, height(mark), words, anchor="end", **SMALL))
    parts.append(f"<path d='M{LOSS_LEFT} {height(COIN):.1f}h{LOSS_WIDE}' {GUESSING}/>")
    step = next(step for step in (1, 2, 5, 10, 20, 50, 100, 1000) if longest / step <= 6)
    epochs = [1, *range(step, longest + 1, step)] if step > 1 else list(range(1, longest + 1))
    places = [round(across(epoch), 1) for epoch in epochs]
    parts.append(plotting.text_row(places, bottom + 11, map(str, epochs), **SMALL))
    parts += [curve(values, f"stroke='{OTHER_RUNS}' stroke-width='1'") for values in network.valid_loss[1:]]
    parts += [curve(network.train_loss[0], TRAINING), curve(network.valid_loss[0], VALIDATION)]
    lowest = int(np.argmin(network.valid_loss[0]))
    x, y = across(lowest + 1), height(network.valid_loss[0][lowest])
    parts.append(
        f"<circle cx='{x:.1f}' cy='{y:.1f}' r='4.5' fill='{plotting.PAPER}' stroke='{SHOWN}' stroke-width='2'/>"
        f"<path d='M{LOSS_LEFT} {top}v{LOWER_HIGH}h{LOSS_WIDE}' fill='none' stroke='{plotting.FAINT}'/>"
    )
    words = "thick: run 1; ring: the epoch that is kept"
    parts.append(plotting.text(LOSS_LEFT, HEIGHT - 12, words, anchor="start", **SMALL))
    return "".join(parts)


HIST_LEFT, HIST_WIDE = 296, 212
BINS, MOST = 32, 12  # of the axis, and its end at most, in nats; what lies beyond is in the last bin


def _histograms(view: FamiliesView) -> str:
    """What the network says of each class, and below it what the best rule says, on the same axis."""
    top = LOWER_TOP
    labels = view.answers.labels > 0
    rows = {"network": view.network.logits, "best rule": view.answers.best}
    furthest = float(np.abs(view.answers.best).max())  # the same for all networks of a task
    reach = max(4, min(4 * ceil(furthest / 4), MOST))
    counts = [[bins_of(scores[chosen], reach) for chosen in (labels, ~labels)] for scores in rows.values()]
    high = LOWER_HIGH / 4 - 3
    parts = [plotting.text(HIST_LEFT - 16, top - 37, "what it says of 200 sequences", anchor="start")]
    for across, colour, words in ((0, POSITIVE, "↑ positives"), (96, NEGATIVE, "↓ negatives")):
        x = HIST_LEFT + across
        parts.append(f"<rect x='{x}' y='{top - 24}' width='11' height='11' fill='{colour}'/>")
        parts.append(plotting.text(x + 16, top - 18, words, size=11, anchor="start"))
    zero = HIST_LEFT + HIST_WIDE / 2
    for number, (name, pair) in enumerate(zip(rows, counts)):
        middle = top + LOWER_HIGH * (0.25 + 0.5 * number)
        scale = high / max(map(max, pair))  # of its own: a network that says 0 of all has two high columns
        for bins, colour, up in zip(pair, (POSITIVE, NEGATIVE), (1, -1)):
            parts.append(f"<path d='{_columns(bins, middle, up, scale)}' fill='{colour}'/>")
        parts.append(f"<path d='M{HIST_LEFT} {middle:g}h{HIST_WIDE}' stroke='{plotting.INK}'/>")
        parts.append(
            f"<g transform='translate({HIST_LEFT - 9} {middle:g}) rotate(-90)'>"
            + plotting.text(0, 0, name, size=11, bold=not number)
            + "</g>"
        )
    parts.append(f"<path d='M{zero:g} {top}v{LOWER_HIGH}' stroke='{plotting.INK}' stroke-dasharray='4 3'/>")
    marks = (-reach, -reach // 2, 0, reach // 2, reach)
    words = [plotting.short_number(mark) for mark in marks]
    words[0], words[-1] = f"≤ {words[0]}", f"≥ {words[-1]}"
    places = [HIST_LEFT + HIST_WIDE * (0.5 + mark / (2 * reach)) for mark in marks]
    places[0], places[-1] = places[0] + 8, places[-1] - 12
    parts.append(plotting.text_row(places, top + LOWER_HIGH + 11, words, **SMALL))
    parts.append(
        plotting.text(HIST_LEFT, HEIGHT - 12, "← says negative", anchor="start", **SMALL)
        + plotting.text(zero, HEIGHT - 12, "logit", **SMALL)
        + plotting.text(HIST_LEFT + HIST_WIDE, HEIGHT - 12, "says positive →", anchor="end", **SMALL)
    )
    return "".join(parts)


def bins_of(scores: np.ndarray, reach: float) -> np.ndarray:
    """How many scores lie in each bin; 0 is an edge, and the ends hold what lies beyond them."""
    numbers = np.floor((np.clip(scores, -reach, reach) + reach) * (BINS / (2 * reach))).astype(int)
    return np.bincount(np.minimum(numbers, BINS - 1), minlength=BINS)


def _columns(bins: np.ndarray, middle: float, up: int, scale: float) -> str:
    wide = HIST_WIDE / BINS
    return "".join(
        f"M{HIST_LEFT + number * wide:.1f} {middle:g}v{-up * scale * many:.1f}h{wide - 0.6:.1f}V{middle:g}z"
        for number, many in enumerate(bins.tolist())
        if many
    )
