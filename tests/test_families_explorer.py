"""The families explorer of lesson 08: its numbers are those of the file, and every setting has its picture."""

import json
import re
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from test_explorer_parts import Reader, other_values, part
from test_motif_explorers import check_markup

from course_utils.datasets import shipped
from course_utils.explorers import _families_picture, families
from course_utils.explorers._families_picture import QUESTIONS, UNITS, bins_of, describe
from course_utils.explorers.families import FamiliesView, Network, Task, compute, draw, families_explorer
from course_utils.plotting import contrast

SVG = "{http://www.w3.org/2000/svg}"
FILE = json.loads(shipped(families.RUNS).read_text("utf-8"))
SETTINGS = list(product(FILE["tasks"], FILE["families"], FILE["budgets"]))
every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: " ".join(map(str, s)))


def in_file(task: str, family: str, budget: int) -> dict:
    return FILE["sequences"][task][family][str(budget)]


# --- what it computes ----------------------------------------------------------------------------


@every_setting
def test_it_tells_what_the_file_holds(setting):
    task, family, budget = setting
    view, kept = compute(*setting), in_file(*setting)
    assert (view.task, view.family, view.budget) == setting
    for name in ("parameters", "size", "seconds", "auc", "accuracy", "train_loss", "valid_loss"):
        assert getattr(view.network, name) == kept[name]
    np.testing.assert_array_equal(view.network.logits, kept["logits"])
    np.testing.assert_array_equal(view.answers.labels, FILE["labels"][task])
    np.testing.assert_array_equal(view.answers.best, FILE["best"][task])
    assert view.answers.ceiling_auc == FILE["ceilings"][task]["auc"]
    assert view.answers.ceiling_accuracy == FILE["ceilings"][task]["accuracy"]
    assert len(view.network.auc) == len(view.network.valid_loss) == 5, "the words speak of five runs"
    assert len(view.network.logits) == len(view.answers.labels) == 200, "and of 200 sequences"
    assert view.answers.labels.sum() == 100


def test_the_words_know_every_task_and_family_of_the_file():
    assert list(QUESTIONS) == FILE["tasks"]
    assert {family.split(",")[0] for family in FILE["families"]} == set(UNITS)


def test_within_a_hundredth_of_the_ceiling_is_at_the_ceiling():
    view = compute(*SETTINGS[0])
    for family, of in view.answers.networks.items():
        for budget, network in of.items():
            distance = view.answers.ceiling_auc - np.mean(network.auc)
            assert view.reaches(family, budget) == (distance <= families.NEAR)


@pytest.mark.parametrize(
    "setting, words",
    [
        (("palce", "DNN", 2000), "the task is 'palce'; choose one of 'place', 'anywhere', 'order'"),
        ((0, "DNN", 2000), "the task is 0; choose one of 'place'"),
        (("place", "LSTM", 2000), "the family is 'LSTM'; choose one of 'DNN', 'CNN', 'GRU', 'CNN, two layers'"),
        (("place", ["DNN"], 2000), "the family is ['DNN']; choose one of"),
        (("place", "DNN", 1000), "the budget of parameters is 1000; choose one of "),
        (("place", "DNN", "2000"), "the budget of parameters is '2000'; choose one of "),
        (("place", "DNN", True), "the budget of parameters is True; choose one of "),
    ],
)
def test_a_choice_that_is_not_there_is_told_in_a_sentence(setting, words):
    for function in (compute, families_explorer):
        with pytest.raises(ValueError, match=re.escape(words)):
            function(*setting)


def test_a_number_of_numpy_is_a_number_too():
    assert compute("place", "DNN", np.int64(2000)).budget == 2000


# --- what it says and draws ----------------------------------------------------------------------


@every_setting
def test_the_numbers_of_picture_table_and_words_are_those_of_the_file(setting):
    task, family, budget = setting
    kept, panels = in_file(*setting), draw(compute(*setting))
    words = Reader(panels.numbers).words
    mean = f"{np.mean(kept['auc']):.3f}"
    spread = f"{mean} ({min(kept['auc']):.3f} to {max(kept['auc']):.3f})"
    assert words[words.index("AUC") + 1] == spread
    assert f"AUC {mean}, mean of five runs" in panels.summary
    accuracy = words[words.index("accuracy") + 1]
    assert accuracy.startswith(f"{np.mean(kept['accuracy']):.3f} ({min(kept['accuracy']):.3f}")
    assert words[words.index("parameters") + 1].startswith(f"{kept['parameters']:,} ({kept['size']} ")
    labels = np.array(FILE["labels"][task]) > 0
    right = [int(((np.array(said) > 0) == labels).sum()) for said in (kept["logits"], FILE["best"][task])]
    assert words[words.index("of 200 sequences, run 1 has right") + 1] == str(right[0])
    assert words[words.index("and the best rule") + 1] == str(right[1])
    assert f"{right[0]} of 200 held-out sequences right, the best rule {right[1]}." in panels.summary
    losses = kept["valid_loss"][0]
    where = f"{min(losses):.3f} in epoch {losses.index(min(losses)) + 1}"
    assert words[words.index("lowest validation loss, run 1") + 1] == where and where in panels.summary
    ceiling = f"{FILE['ceilings'][task]['auc']:.3f}"
    assert f"best possible {ceiling}" in panels.summary and f">best possible {ceiling}<" in panels.picture


@every_setting
def test_all_the_others_stand_beside_it(setting):
    task, family, budget = setting
    panels = draw(compute(*setting))
    words = Reader(panels.numbers).words
    table = words[len(words) - 1 - words[::-1].index("AUC") :]
    root = ElementTree.fromstring(panels.picture)
    texts = ["".join(element.itertext()) for element in root.iter(f"{SVG}text")]
    reached = FILE["ceilings"][task]["auc"] - families.NEAR
    for other, size in product(FILE["families"], FILE["budgets"]):
        mean = np.mean(in_file(task, other, size)["auc"])
        told = f"{mean:.3f}" + (" ✓" if mean >= reached else "")
        assert told in texts and other in texts and f"{in_file(task, other, size)['parameters']:,}" in texts
        cell = table[table.index(other) + 1 + FILE["budgets"].index(size)]
        assert cell == told + (" (shown)" if (other, size) == (family, budget) else "")
        if size == budget and other != family:
            assert f"{other} {mean:.3f}" in panels.summary


@every_setting
def test_the_picture_is_sound(setting):
    panels = draw(compute(*setting))
    check_markup(panels.picture)
    assert len(panels.picture) < 30_000 and "\n" not in panels.summary
    root = ElementTree.fromstring(panels.picture)
    assert root.get("aria-label") == panels.summary == describe(compute(*setting))
    assert float(root.get("width")) <= 520, "at 400 pixels its words have 8 or more"
    for element in root.iter(f"{SVG}path"):  # where paths begin
        for x, y in re.findall(r"M(-?[\d.]+) (-?[\d.]+)", element.get("d")):
            assert 0 <= float(x) <= 520 and 0 <= float(y) <= 524
    for element in root.iter(f"{SVG}polyline"):
        points = np.array(re.findall(r"[\d.]+", element.get("points")), dtype=float).reshape(-1, 2)
        assert points.min() >= 0 and points[:, 0].max() <= 260 and points[:, 1].max() <= 524


def test_each_mark_of_a_run_stands_at_its_auc():
    setting = SETTINGS[0]
    root = ElementTree.fromstring(draw(compute(*setting)).picture)
    task = setting[0]
    aucs = [auc for pair in product(FILE["families"], FILE["budgets"]) for auc in in_file(task, *pair)["auc"]]
    low = min(0.5, np.floor(20 * min(aucs)) / 20)
    marks = [path.get("d") for path in root.iter(f"{SVG}path") if "a3.5 3.5" in path.get("d")]
    assert len(marks) == len(FILE["families"]) * len(FILE["budgets"])
    drawn = [float(x) + 3.5 for mark in marks for x in re.findall(r"M([\d.]+)", mark)]
    left, right = _families_picture.STRIP_LEFT, _families_picture.STRIP_RIGHT
    expected = left + (right - left) * (np.array(aucs) - low) / (1 - low)
    np.testing.assert_allclose(drawn, expected, atol=0.06)
    full = [path for path in root.iter(f"{SVG}path") if path.get("fill-opacity")]
    assert len(full) == 1 and full[0].get("d") == marks[0], "the one that is shown, and no other"


def test_there_is_a_curve_for_each_run_and_the_training_loss_of_the_first():
    for setting in SETTINGS:
        root = ElementTree.fromstring(draw(compute(*setting)).picture)
        curves = [line.get("points").split() for line in root.iter(f"{SVG}polyline")]
        kept = in_file(*setting)
        lengths = [len(losses) for losses in kept["valid_loss"]]
        assert [len(curve) for curve in curves] == [*lengths[1:], len(kept["train_loss"][0]), lengths[0]]


def test_bins_lose_no_score_and_zero_is_an_edge():
    bins = bins_of(np.array([-99.0, -8, -0.001, 0, 7.99, 8, 1e9]), 8)
    assert bins.sum() == 7 and len(bins) == _families_picture.BINS
    middle = _families_picture.BINS // 2
    assert (bins[0], bins[middle - 1], bins[middle], bins[-1]) == (2, 1, 1, 3)


def made_up(auc: float, losses: list[float], logits: np.ndarray) -> FamiliesView:
    network = Network(12, 1, [0.1] * 5, [auc] * 5, [0.5] * 5, [losses] * 5, [losses] * 5, logits)
    labels = np.repeat([1, 0], 100)
    return FamiliesView("place", "DNN", 12, Task(0.7, 0.6, labels, logits, {"DNN": {12: network}}))


@pytest.mark.parametrize("auc", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("losses", [[0.7], [3.0, 40.0], [0.0] * 400])
@pytest.mark.parametrize("logits", [np.zeros(200), np.linspace(-1e6, 1e6, 200)], ids=["all 0", "huge"])
def test_odd_runs_are_drawn_too(auc, losses, logits):
    panels = draw(made_up(auc, losses, logits))
    check_markup(panels.picture)
    assert "1 hidden unit)" in panels.summary


def test_what_is_told_by_colour_is_told_by_words_or_shapes_too():
    picture = draw(compute(*SETTINGS[0])).picture
    for words in ("↑ positives", "↓ negatives", "validation", "training", "best possible"):
        assert words in picture
    for colour in (_families_picture.SHOWN, _families_picture.CEILING, _families_picture.POSITIVE):
        assert contrast(colour, "#ffffff") > 4.5
    assert contrast(_families_picture.NEGATIVE, "#ffffff") > 3


# --- the controls --------------------------------------------------------------------------------


def test_there_is_a_mark_for_every_setting_of_the_file():
    controls = families_explorer().controls.values()
    assert list(product(*map(other_values, controls))) == SETTINGS


def test_it_starts_where_it_is_told_to():
    explorer = families_explorer()
    assert [control.value for control in explorer.controls.values()] == ["place", "DNN", 2000]
    explorer = families_explorer("order", "GRU", FILE["budgets"][-1])
    assert repr(explorer) == f"families explorer: {describe(compute('order', 'GRU', FILE['budgets'][-1]))}"


def test_every_setting_has_a_picture_of_its_own():
    explorer, seen = families_explorer(), set()
    for setting in SETTINGS:
        for control, value in zip(explorer.controls.values(), setting):
            control.value = value
        assert part(explorer, "course-message") == '<p role="status"></p>'
        assert explorer.panels == draw(compute(*setting))
        seen.add(part(explorer, "course-picture"))
    assert len(seen) == len(SETTINGS)
