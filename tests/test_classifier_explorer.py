"""The classifier explorer of lesson 04: its kept runs, the button, what the picture and the numbers say."""

import json
import re
from itertools import product
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from test_explorer_parts import part

from course_utils.ceilings import ceiling
from course_utils.datasets import shipped
from course_utils.explorers import _classifier_picture, classifier
from course_utils.explorers.classifier import FILTERS, PLACES, POOLINGS, WIDTHS, compute, draw
from course_utils.simulation import CCGGAA
from course_utils.plotting import contrast

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = list(product(FILTERS, WIDTHS, POOLINGS, PLACES))
every_setting = pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: " ".join(map(str, s)))
#: Settings that are trained again; training goes another way after a rounding error, so not to the digit.
AGAIN = [(4, 7, "flatten", "fixed"), (8, 5, "max", "anywhere")]
MOTIF = CCGGAA / CCGGAA.sum(axis=1, keepdims=True)


def accuracy(*setting) -> float:
    return compute(*setting).run.test_accuracy


# --- the kept runs -------------------------------------------------------------------------------


def test_there_is_a_run_for_each_setting_of_the_sliders_and_no_other():
    kept = json.loads(shipped(classifier.RUNS).read_text("utf-8"))
    assert set(kept["runs"]) == {" ".join(map(str, setting)) for setting in SETTINGS}
    assert shipped(classifier.RUNS).stat().st_size < 100_000
    controls = classifier.classifier_explorer().controls
    options = [[value for _, value in control.options] for control in controls.values()]
    assert list(product(*options)) == SETTINGS


@every_setting
def test_a_kept_run_is_a_whole_run_and_does_not_exceed_the_ceiling(setting):
    filters, width, _, _ = setting
    run, view = compute(*setting).run, compute(*setting)
    for curve in (run.train_loss, run.valid_loss, run.valid_accuracy):
        assert len(curve) == classifier.EPOCHS
    assert 0.49 <= run.test_accuracy <= view.ceiling  # on 20,000 sequences, a coin's error is 0.0035
    assert len(run.filters) == min(run.used, classifier.SHOWN) <= filters
    effects = [one.effect for one in run.filters]
    assert effects == sorted(effects, reverse=True)
    for one in run.filters:
        pfm = np.array(one.pfm)
        assert pfm.shape == (width, 4)
        assert len(set(pfm.sum(axis=1).tolist())) == 1 and 0 < pfm.sum(axis=1)[0] <= classifier.TEST


@pytest.mark.parametrize("setting", AGAIN)
def test_training_again_gives_the_kept_run(setting):
    kept, again = compute(*setting).run, classifier.train(*setting, seed=1)
    assert again.test_accuracy == pytest.approx(kept.test_accuracy, abs=0.01)
    for curve in ("train_loss", "valid_loss"):
        np.testing.assert_allclose(getattr(again, curve)[:3], getattr(kept, curve)[:3], atol=0.02)
    assert again.used == kept.used
    np.testing.assert_allclose(
        classifier_ppm(again.filters[0]), classifier_ppm(kept.filters[0]), atol=0.1
    )


def classifier_ppm(one: classifier.Filter) -> np.ndarray:
    return np.array(one.pfm) / np.sum(one.pfm[0])


def test_the_tool_writes_what_the_explorer_reads():
    tool = (ROOT / "tools/classifier_runs.py").read_text("utf-8")
    assert "make_runs(list(product(FILTERS, WIDTHS, POOLINGS, PLACES)))" in tool
    assert f"`{classifier.RUNS}`" in (ROOT / "data/README.md").read_text("utf-8")


@pytest.mark.parametrize("place", PLACES)
def test_the_ceiling_is_that_of_lesson_03(place):
    view = compute(4, 7, "flatten", place)
    rng = np.random.default_rng(8)
    best = ceiling(MOTIF, start=classifier.STARTS[place], sample=50_000, rng=rng)
    assert view.ceiling == pytest.approx(best.accuracy, abs=4 * best.accuracy_se + 1e-5)
    assert (view.ceiling_se == 0) == (best.accuracy_se == 0)


# --- what lesson 04 shows with it ----------------------------------------------------------------


def test_a_weight_for_each_position_helps_only_if_the_motif_has_a_place():
    for filters in (4, 8, 16):
        assert accuracy(filters, 7, "flatten", "fixed") > accuracy(filters, 7, "max", "fixed") + 0.04
        assert accuracy(filters, 7, "flatten", "anywhere") < accuracy(filters, 7, "max", "anywhere")


def test_a_filter_that_is_narrower_than_the_motif_costs_accuracy_where_the_place_is_forgotten():
    for filters in (8, 16):
        assert accuracy(filters, 3, "max", "anywhere") < accuracy(filters, 7, "max", "anywhere") - 0.02


def test_over_fitting_shows_in_the_loss_of_the_largest_network():
    run = compute(16, 9, "flatten", "anywhere").run
    assert run.train_loss[-1] < 0.5 * run.valid_loss[-1]
    assert run.valid_loss[-1] > min(run.valid_loss) + 0.05


def test_the_filter_with_the_largest_effect_shows_the_motif():
    first = compute(8, 7, "max", "anywhere").run.filters[0]
    assert "CCGGAA" in _classifier_picture.consensus(classifier_ppm(first)) and first.speaks_for


@pytest.mark.parametrize("filters, width, pooling", [(4, 7, "flatten"), (16, 9, "max"), (1, 3, "max")])
def test_the_parameters_are_those_of_the_layers(filters, width, pooling):
    features = 20 * filters if pooling == "flatten" else filters
    layers = torch.nn.Conv1d(4, filters, width), torch.nn.Linear(features, 2)
    many = sum(p.numel() for layer in layers for p in layer.parameters())
    assert classifier.count_parameters(filters, width, pooling) == many


# --- filters -------------------------------------------------------------------------------------


def test_windows_of_a_filter_are_the_best_of_each_sequence_and_lie_inside():
    one_hot = np.eye(4)[np.random.default_rng(0).integers(0, 4, (3, 20))]
    activations = np.zeros((3, 2, 20))
    activations[0, 1, [0, 5, 9]] = 9, 4, 3  # the one at 0 is of a window over the end
    activations[1, 1, 18] = 3  # from 17 to 20, the last window
    activations[2, 1, 7] = 2  # not above half of the highest
    added = activations.max(axis=2) * [0, -2]
    used, (one,) = classifier._describe(one_hot, activations, added, 3)
    assert used == 1 and not one.speaks_for
    np.testing.assert_array_equal(one.pfm, one_hot[0, 4:7] + one_hot[1, 17:20])


def test_a_network_whose_filters_are_all_stuck_is_shown_as_it_is():
    stuck = [setting for setting in SETTINGS if not compute(*setting).run.used]
    assert stuck, "a single filter can get stuck, and the file holds such runs"
    panels = draw(compute(*stuck[0]))
    assert "no filter responds" in panels.picture and "no filter responds" in panels.summary


# --- the button ----------------------------------------------------------------------------------


def test_each_press_trains_another_network_and_a_slider_brings_the_kept_one_back(monkeypatch):
    seeds = []

    def quick(*setting, seed):
        seeds.append(seed)
        return compute(8, 5, "max", "anywhere").run

    monkeypatch.setattr(classifier, "train", quick)
    explorer = classifier.classifier_explorer()
    assert "trained beforehand, seed 1" in repr(explorer)
    button = explorer.buttons["presses"]
    assert button in explorer.view.children and button.description
    button.click()
    button.click()
    assert seeds == [2, 3] and "trained just now, seed 3" in repr(explorer)
    assert "trained just now, seed 3" in part(explorer, "course-picture")
    assert part(explorer, "course-message") == '<p role="status"></p>'
    explorer.controls["filters"].value = 8
    assert "trained beforehand, seed 1" in repr(explorer)
    button.click()
    assert seeds == [2, 3, 2]


def test_a_press_says_at_once_that_it_works(monkeypatch):
    explorer, seen = classifier.classifier_explorer(), []

    def slow(*setting, seed):
        seen.append(part(explorer, "course-message"))
        return compute(8, 5, "max", "anywhere").run

    monkeypatch.setattr(classifier, "train", slow)
    explorer.buttons["presses"].click()
    assert seen == ['<p role="status">Working …</p>']


def test_another_seed_is_another_run_on_the_same_sequences_and_leaves_torchs_own_numbers_alone():
    before = torch.get_rng_state()
    runs = [classifier.train(1, 3, "flatten", "fixed", seed=seed) for seed in (2, 2, 3)]
    assert torch.equal(torch.get_rng_state(), before)
    assert runs[0] == runs[1] != runs[2]


# --- markup --------------------------------------------------------------------------------------


@every_setting
def test_the_picture_can_be_read_and_is_small(setting):
    panels = draw(compute(*setting))
    assert len(panels.picture) + len(panels.numbers) < 40_000
    root = ElementTree.fromstring(panels.picture)
    texts = [node for node in root.iter() if node.tag.endswith("}text")]
    assert min(float(node.get("font-size")) for node in texts) >= 10
    assert min(contrast(node.get("fill"), "#ffffff") for node in texts) >= 4.5
    assert not re.search(r"\bnan\b|\binf\b|-0\.0+ ", panels.picture + panels.numbers + panels.summary)


@every_setting
def test_no_curve_leaves_its_frame(setting):
    root = ElementTree.fromstring(draw(compute(*setting)).picture)
    lines = [node.get("points") for node in root.iter() if node.tag.endswith("}polyline")]
    picture = _classifier_picture
    tops = (picture.LOSS_TOP, picture.LOSS_TOP, picture.ACCURACY_TOP)
    assert len(lines) == 3
    for points, top in zip(lines, tops):
        for x, y in (map(float, pair.split(",")) for pair in points.split()):
            assert picture.LEFT <= x <= picture.LEFT + picture.PLOT_WIDE
            assert top <= y <= top + picture.PLOT_HIGH


def test_picture_numbers_and_summary_agree():
    panels = draw(compute(4, 7, "flatten", "fixed"))
    for shown in (panels.picture, panels.numbers, panels.summary):
        assert f"{100 * accuracy(4, 7, 'flatten', 'fixed'):.1f} %" in shown and "97.90 %" in shown
        assert "278" in shown and "for the motif" in shown
