"""data/ctcf_runs.json and the shipped network hold what lesson 06 says, and come from today's recipe and data."""

import json
import sys

import numpy as np
import pytest
from reading import ROOT

from course_utils.checkpoints import load_weights
from course_utils.datasets import DataUnavailable, shipped
from course_utils.intervals import paired_interval
from course_utils.models.peaks import BothStrandsCNN
from course_utils.regions import in_both

sys.path.insert(0, str(ROOT / "tools"))
import ctcf_runs  # noqa: E402  (tools/ is no package: its files are commands)

RUNGS = ctcf_runs.RUNGS
SEED, RUNG = ctcf_runs.SHIPPED


@pytest.fixture(scope="module")
def runs() -> list[dict]:
    return json.loads(shipped("ctcf_runs.json").read_text("utf-8"))["runs"]


@pytest.fixture(scope="module")
def peaks():
    try:
        return ctcf_runs.read_peaks()
    except DataUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def ladder(peaks):
    try:
        return ctcf_runs.Ladder(SEED, peaks, ctcf_runs.read_real(peaks))
    except DataUnavailable as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def network() -> BothStrandsCNN:
    model = BothStrandsCNN()
    load_weights(model, shipped("ctcf_network.pt"))
    return model


def column(runs: list[dict], rung: str, *path: str) -> np.ndarray:
    """An area for each seed."""
    found = []
    for run in runs:
        value = run[rung]
        for name in path:
            value = value[name]
        found.append(value[0])
    return np.array(found)


# --- the file ------------------------------------------------------------------------------------


def test_every_seed_has_every_rung_with_every_judgement_and_the_file_is_small(runs):
    assert shipped("ctcf_runs.json").stat().st_size < 60_000
    assert [run["seed"] for run in runs] == list(ctcf_runs.SEEDS) and len(runs) == 5
    for run in runs:
        assert run.keys() == {"seed", *RUNGS}
        for rung in RUNGS:
            row = run[rung]
            assert row["network"].keys() == set(RUNGS) and len(row["losses"]) == ctcf_runs.EPOCHS
            areas = [row["gc"], row["scan"], row["kmers"], row["unbound"], *row["network"].values()]
            assert all(0 < low < estimate < high < 1 for estimate, low, high in areas)
            assert row["training"][0] == row["training"][1] and row["test"][0] == row["test"][1]


def test_each_network_was_trained_in_thirty_seconds_of_one_thread(runs):
    assert max(run[rung]["seconds"] for run in runs for rung in RUNGS) < 30


def test_the_counts_are_those_of_the_peaks_and_real_regions(runs, ladder):
    for rung in RUNGS:
        assert runs[0][rung]["training"] == ladder.training[rung].counts
        assert runs[0][rung]["test"] == ladder.test[rung].counts


def test_no_sequence_of_the_test_is_in_the_training_set_on_either_strand(ladder):
    for rung in RUNGS:
        assert len(in_both(ladder.training[rung].sequences, ladder.test[rung].sequences)) == 0


@pytest.mark.parametrize("rung", ["dinucleotides", "genomic"])
def test_the_first_steps_of_the_file_are_those_of_the_recipe(runs, ladder, rung):
    found = ctcf_runs.first_steps(ladder.training[rung], SEED)
    assert found == pytest.approx(runs[0][rung]["first_losses"], abs=1e-3)


@pytest.mark.parametrize("rung", RUNGS)
def test_the_rivals_of_the_file_are_those_of_today(runs, ladder, rung):
    found = ctcf_runs.judge_rivals(ladder.training[rung], ladder.test[rung])
    for name, area in found.items():
        assert area == pytest.approx(runs[0][rung][name], abs=1e-3), name


@pytest.mark.parametrize("rung", RUNGS)
def test_the_shipped_network_has_the_areas_of_the_file(runs, ladder, network, rung):
    kept = runs[0][RUNG]["network"][rung]
    assert ctcf_runs.auc_of(network, ladder.test[rung]) == pytest.approx(kept, abs=2e-4)


def test_the_shipped_network_hardly_tells_real_regions_from_their_shuffles(runs, ladder, network):
    assert ctcf_runs.auc_of(network, ladder.unbound) == pytest.approx(runs[0][RUNG]["unbound"], abs=1e-3)


# --- what the lessons say ------------------------------------------------------------------------


def test_the_network_beats_the_scan_and_the_words_on_dinucleotide_shuffles(runs):
    """Above 0.964 with every seed, and above both rivals with an interval over the seeds far from 0."""
    network = column(runs, RUNG, "network", RUNG)
    assert network.min() > 0.975
    assert min(run[RUNG]["network"][RUNG][1] for run in runs) > 0.964, "the lower end of each interval, too"
    for rival in ("scan", "kmers"):
        assert paired_interval(network, column(runs, RUNG, rival)).low > 0.02


def test_easy_negatives_flatter_every_classifier(runs):
    """On its own rung each gets the more the easier the negatives are."""
    for name in ("scan", "kmers"):
        means = [column(runs, rung, name).mean() for rung in RUNGS[:3]]
        assert means[0] > means[1] > means[2] + 0.01, name
    own = [column(runs, rung, "network", rung).mean() for rung in RUNGS[:3]]
    assert own[0] > own[1] > own[2] + 0.01
    assert own[0] > 0.997


def test_a_network_trained_on_easy_negatives_loses_to_the_scan_on_hard_ones(runs):
    """0.998 on its own rung; on the other two no better than a matrix that has learned nothing."""
    for tested in ("dinucleotides", "genomic"):
        easy, hard = (column(runs, rung, "network", tested) for rung in ("uniform", tested))
        assert paired_interval(hard, easy).low > 0.03
        assert paired_interval(easy, column(runs, tested, "scan")).high < 0


def test_the_shuffle_trained_network_holds_on_real_regions_and_the_other_way_round(runs):
    for trained, tested in (("dinucleotides", "genomic"), ("genomic", "dinucleotides")):
        crossed, own = column(runs, trained, "network", tested), column(runs, tested, "network", tested)
        assert crossed.min() > 0.964
        assert paired_interval(own, crossed).low > 0, "each is best on the rung it was trained on"


def test_composition_alone_scores_on_the_uniform_rung_and_nowhere_else(runs):
    assert column(runs, "uniform", "gc").min() > 0.6
    for rung in RUNGS[1:]:
        assert column(runs, rung, "gc") == pytest.approx(0.5, abs=1e-9)


def test_part_of_the_score_is_knowledge_of_shuffles(runs):
    """Real regions without a peak against their own shuffles: a network that knew CTCF alone would be near 0.5."""
    shuffles, real = (column(runs, rung, "unbound") for rung in ("dinucleotides", "genomic"))
    assert shuffles.min() > 0.55 and shuffles.max() < 0.65
    assert real.max() < 0.45, "trained on real regions, it calls them unbound"
