"""data/cage_runs.json holds what lesson 10 says of it, and comes from today's recipe and data."""

import json
import sys

import numpy as np
import pytest
from reading import ROOT

from course_utils.datasets import DataUnavailable, shipped
from course_utils.intervals import paired_interval
from course_utils.models.basenji import Basenji
from course_utils.tracks import fit_composition

sys.path.insert(0, str(ROOT / "tools"))
import cage_runs  # noqa: E402  (tools/ is no package: its files are commands)

METHODS = ("constant", "composition", "dilated", "average", "plain")


@pytest.fixture(scope="module")
def folds() -> list[dict]:
    return json.loads(shipped("cage_runs.json").read_text("utf-8"))["folds"]


@pytest.fixture(scope="module")
def windows():
    try:
        return cage_runs.read_cage()
    except DataUnavailable as error:
        pytest.skip(str(error))


def test_the_folds_hold_out_each_window_once_and_neighbours_together(folds):
    assert sorted(number for fold in folds for number in fold["held_out"]) == list(range(20))
    assert [tuple(fold["held_out"]) for fold in folds] == list(cage_runs.FOLDS)
    assert any({15, 17} <= set(held_out) for held_out in cage_runs.FOLDS)


def test_every_fold_has_every_method_with_each_track_and_the_file_is_small(folds):
    assert shipped("cage_runs.json").stat().st_size < 50_000
    for fold in folds:
        assert fold.keys() == {"held_out", *METHODS}
        for method in METHODS:
            assert fold[method]["loss"] > 0
            for kind in ("raw", "log1p"):
                assert len(fold[method][kind]) == 10
                assert all((r is None) == (method == "constant") for r in fold[method][kind])


@pytest.mark.parametrize("number", [0, 3])
def test_the_rules_of_the_file_are_those_of_today(folds, windows, number):
    training, test = cage_runs.split(windows, cage_runs.FOLDS[number])
    found = cage_runs.judge_rules(training, test, fit_composition(training))
    for method, values in found.items():
        kept = folds[number][method]
        assert values["loss"] == pytest.approx(kept["loss"], abs=1e-4)
        if method == "composition":
            for kind in ("raw", "log1p"):
                assert values[kind] == pytest.approx(kept[kind], abs=2e-3)


@pytest.mark.parametrize("kind", cage_runs.DILATIONS)
def test_the_first_steps_of_the_file_are_those_of_the_recipe(folds, windows, kind):
    training, _ = cage_runs.split(windows, cage_runs.FOLDS[0])
    assert cage_runs.first_steps(training, kind) == pytest.approx(folds[0][kind]["first_losses"], abs=1e-3)


def test_a_network_starts_near_the_mean_of_each_track(windows):
    model = cage_runs.network(windows, "plain")
    assert isinstance(model, Basenji) and sum(p.numel() for p in model.parameters()) == 81_398
    rates = cage_runs.rates_of(model, windows.subset([0])).mean(axis=(0, 1))
    assert rates == pytest.approx(windows.tracks.mean(axis=(0, 1)), rel=0.3)


def test_what_lesson_10_says_of_the_folds(folds):
    """All rules beat the mean of the training windows in every fold; which of them is best, five folds cannot tell."""
    loss = {method: np.array([fold[method]["loss"] for fold in folds]) for method in METHODS}
    for method in METHODS[1:]:
        assert (loss[method] < loss["constant"]).all()
    difference = paired_interval(loss["dilated"], loss["plain"])
    assert difference.low < 0 < difference.high
    assert loss["constant"].max() > 2 * loss["constant"].min(), "the windows differ more than the methods"
