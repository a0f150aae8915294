"""data/basenji_runs.json holds what lesson 10 says of it, and comes from today's recipe."""

import json
import sys

import numpy as np
import pytest
from reading import ROOT

from course_utils.datasets import shipped

sys.path.insert(0, str(ROOT / "tools"))
import basenji_runs  # noqa: E402  (tools/ is no package: its files are commands)

KINDS = ("dilated", "plain")


@pytest.fixture(scope="module")
def stored() -> dict:
    return json.loads(shipped("basenji_runs.json").read_text("utf-8"))


def test_the_file_has_five_seeds_and_is_small(stored):
    assert list(stored["runs"]) == ["1", "2", "3", "4", "5"]
    assert shipped("basenji_runs.json").stat().st_size < 50_000
    for run in stored["runs"].values():
        assert run.keys() == {"ceiling", "local_ceiling", *KINDS}
        for of in run.values():
            assert len(of["r"]) == len(of["promoter_r"]) == 10
        for kind in KINDS:
            assert len(run[kind]["train_loss"]) == len(run[kind]["valid_loss"]) == basenji_runs.EPOCHS


def test_both_networks_have_the_stored_number_of_parameters(stored):
    for kind in KINDS:
        model = basenji_runs.network(1, kind)
        assert sum(parameter.numel() for parameter in model.parameters()) == stored["parameters"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_steps_of_the_file_are_those_of_the_recipe(stored, kind):
    assert basenji_runs.first_steps(1, kind) == pytest.approx(
        stored["runs"]["1"][kind]["first_losses"], rel=1e-3
    )


def test_the_stored_ceilings_are_those_of_the_windows(stored):
    test = basenji_runs.genome_of(4)[2]
    for name, rates in (("ceiling", test.rate), ("local_ceiling", test.local_rate)):
        for over, r in basenji_runs.judge(test, rates).items():
            assert r == pytest.approx(stored["runs"]["4"][name][over], abs=1e-4)


def test_with_dilation_the_ceiling_is_nearly_reached_and_without_it_the_local_one_is_not_passed(stored):
    for run in stored["runs"].values():
        r = {name: np.mean(of["r"]) for name, of in run.items()}
        at_promoters = {name: np.mean(of["promoter_r"]) for name, of in run.items()}
        assert 0.97 * r["ceiling"] < r["dilated"] < r["ceiling"]
        assert r["local_ceiling"] - 0.02 < r["plain"] < r["local_ceiling"]
        assert at_promoters["dilated"] > 0.7 and at_promoters["plain"] < 0.2
