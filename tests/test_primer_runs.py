"""data/primer_runs.json holds what lesson 06 says of it, and comes from today's recipe and data."""

import json
import sys

import numpy as np
import pytest
import torch
from reading import ROOT
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from course_utils.datasets import DataUnavailable, shipped
from course_utils.intervals import paired_interval, wilson
from course_utils.models import seeded
from course_utils.models.binding import MotifDetector, ReportCNN
from course_utils.training import fit

sys.path.insert(0, str(ROOT / "tools"))
import primer_runs  # noqa: E402  (tools/ is no package: its files are commands)
from side_by_side import SideBySide  # noqa: E402


@pytest.fixture(scope="module")
def kept() -> dict:
    return json.loads(shipped("primer_runs.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def primer():
    try:
        return primer_runs.read_primer()
    except DataUnavailable as error:
        pytest.skip(str(error))


def as_fit_does(primer, model, number: int, loss, rate: float, epochs: int = 1):
    """One run as the lesson trains it."""
    inputs, labels = primer
    labels = labels if model(inputs[:1]).dim() == 2 else labels.float()
    train, valid, _ = (TensorDataset(inputs[rows], labels[rows]) for rows in primer_runs.split(number))
    return fit(
        model, train, valid, loss=loss, optimizer=torch.optim.Adam(model.parameters(), lr=rate), epochs=epochs,
        batch_size=primer_runs.BATCH, generator=torch.Generator().manual_seed(number), progress=False,
    )  # fmt: skip


# --- the tool ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, loss",
    [
        (ReportCNN, primer_runs.squared_error),
        (lambda: ReportCNN(padded=True, pool=5, outputs=2, deep=True), primer_runs.cross_entropy),
        (MotifDetector, primer_runs.cross_entropy),
    ],
)
def test_networks_trained_side_by_side_take_the_steps_that_fit_takes(primer, make, loss):
    runs = primer_runs.Runs(make, [2, 5], loss, 1e-3, primer=primer)
    runs.epoch()
    for copy, number in enumerate([2, 5]):
        with seeded(number):
            model = make()
        history = as_fit_does(primer, model, number, loss, 1e-3)
        steps = [float(losses[copy]) for losses in runs.batch_loss]
        assert steps == pytest.approx(history.batch_loss, abs=1e-4)
        assert runs.losses(runs.valid)[copy] == pytest.approx(history.valid_loss[0], abs=1e-4)
        torch.testing.assert_close(runs.weights["conv.weight"][copy], model.conv.weight, atol=1e-3, rtol=0)


def test_copies_that_are_kept_go_on_as_if_nothing_had_happened():
    inputs = torch.randn(40, 4, 20, generator=torch.Generator().manual_seed(1))
    labels = (inputs[:, 0, 3] > 0).long()
    rows = torch.arange(40).repeat(3, 1)
    settings = (lambda: MotifDetector(2, 5), [4, 5, 6], inputs, labels, rows, primer_runs.cross_entropy, 1e-2, 10)
    whole, part = SideBySide(*settings), SideBySide(*settings)
    for runs in (whole, part):
        runs.epoch()
    part.keep([2, 0])
    for runs in (whole, part):
        runs.epoch()
    for name, weight in part.weights.items():
        torch.testing.assert_close(weight, whole.weights[name][[2, 0]])


def test_the_losses_are_those_of_the_lesson():
    logits = torch.randn(6, 2, generator=torch.Generator().manual_seed(1))
    labels = torch.tensor([0, 1, 1, 0, 1, 0])
    both = F.mse_loss(logits.softmax(dim=1), F.one_hot(labels, 2).float())
    torch.testing.assert_close(primer_runs.squared_error(logits, labels), both)
    one = logits[:, 1] - logits[:, 0]
    torch.testing.assert_close(primer_runs.squared_error(one, labels), both)
    torch.testing.assert_close(primer_runs.cross_entropy(one, labels), primer_runs.cross_entropy(logits, labels))
    nothing = torch.zeros(6)
    assert float(primer_runs.squared_error(nothing, labels)) == pytest.approx(0.25)
    assert float(primer_runs.cross_entropy(nothing, labels)) == pytest.approx(np.log(2))


def test_split_42_is_the_report_s(primer):
    """241 positives in its test (lesson 05), and the validation accuracies 0.4867 and 0.5133 of a constant answer."""
    train, valid, test = primer_runs.split(42)
    assert [len(rows) for rows in (train, valid, test)] == [1350, 150, 500]
    assert sorted(np.concatenate([train, valid, test]).tolist()) == list(range(2000))
    truth = primer[1].numpy()
    assert truth[test].sum() == 241
    assert round(truth[valid].mean(), 4) == 0.4867 and round(1 - truth[valid].mean(), 4) == 0.5133


# --- the file ------------------------------------------------------------------------------------


def test_the_first_steps_of_the_file_are_those_of_fit(kept, primer):
    for make, loss, rate, losses in (
        (ReportCNN, primer_runs.squared_error, primer_runs.RATE, kept["report"]["first_losses"]),
        (MotifDetector, primer_runs.cross_entropy, primer_runs.DETECTOR_RATE, kept["detector"]["first_losses"]),
    ):
        with seeded(0):
            model = make()
        history = as_fit_does(primer, model, 0, loss, rate)
        assert history.batch_loss[: primer_runs.FIRST] == pytest.approx(losses, abs=1e-3)


@pytest.mark.parametrize("loss, chance", [("cross_entropy", np.log(2)), ("squared_error", 0.25)])
def test_the_deep_runs_of_the_file_start_from_the_recipe(kept, primer, loss, chance):
    """After that, the dropout of `fit` draws other numbers; the next test follows a run without."""
    numbers = [0, 24, 57]
    runs = primer_runs.Runs(primer_runs.second_network, numbers, getattr(primer_runs, loss), primer=primer)
    assert sum(weight[0].numel() for weight in runs.weights.values()) == 128_050
    assert runs.losses(runs.test) == pytest.approx([chance] * 3, abs=0.01)
    assert runs.all_the_same() == [kept["deep"][loss]["same_at_first"][number] for number in numbers] == [0, 1, 1]
    assert kept["deep"][loss]["first_losses"][:5] == pytest.approx([chance] * 5, abs=0.05)


def test_a_deep_run_of_the_file_without_dropout_is_that_of_fit(kept, primer):
    with seeded(0):
        model = ReportCNN(**primer_runs.networks()["all but dropout"])
    history = as_fit_does(primer, model, 0, primer_runs.squared_error, primer_runs.RATE)
    assert history.valid_loss[0] == pytest.approx(kept["changes"]["all but dropout"]["valid"][0][0], abs=2e-3)


def test_every_part_has_all_its_runs_and_the_file_is_small(kept):
    assert shipped("primer_runs.json").stat().st_size < 60_000
    assert kept.keys() == primer_runs.PARTS.keys()
    few, many, epochs = primer_runs.FEW, primer_runs.RUNS, primer_runs.EPOCHS
    for name in ("auc", "average_precision", "auc_later", "average_precision_later"):
        assert len(kept["report"][name]) == few
    for runs in kept["deep"].values():
        assert {len(runs[name]) for name in ("left", "auc", "same_at_first", "same_after_ten", "valid")} == {many}
        assert {len(row) for row in runs["valid"]} == {epochs}
    assert len(kept["detector"]["left"]) == len(kept["detector"]["auc"]) == many
    assert kept["changes"].keys() == primer_runs.networks().keys()
    for runs in kept["changes"].values():
        assert np.shape(runs["auc"]) == (few,)
        assert np.shape(runs["train"]) == np.shape(runs["valid"]) == (few, epochs)
    assert kept["remedies"].keys() == primer_runs.REMEDIES.keys()
    assert all(len(runs["left"]) == many for runs in kept["remedies"].values())


def test_the_changes_are_alone_and_all_but_one():
    networks = primer_runs.networks()
    assert len(networks) == 12 and networks["original"] == {} and len(networks["all five"]) == 5
    assert all(len(networks[f"{name} alone"]) == 1 for name in primer_runs.CHANGES)
    assert all(len(networks[f"all but {name}"]) == 4 for name in primer_runs.CHANGES)
    for settings in networks.values():
        assert ReportCNN(**settings)(torch.zeros(1, 4, 50)).shape[0] == 1


# --- what lesson 06 says -------------------------------------------------------------------------


def test_the_first_network_has_the_auc_of_the_report(kept):
    for name, of_the_report in (("auc", 0.9971), ("average_precision", 0.9969)):
        values = np.array(kept["report"][name])
        assert abs(values.mean() - 0.995) < 0.004
        assert values.min() < of_the_report < values.max()


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
def test_some_of_80_deep_runs_never_leave_chance_and_six_is_not_ruled_out(kept, loss):
    runs = kept["deep"][loss]
    never = primer_runs.stuck(runs["left"])
    interval = wilson(never, len(runs["left"]))
    assert never > 0 and interval.low <= 6 / 80 <= interval.high
    for left, auc in zip(runs["left"], runs["auc"]):
        assert left is not None or auc == 0.5
    assert np.median(runs["auc"]) > 0.999, "those that leave do well"


def test_a_run_that_never_leaves_says_the_same_of_every_sequence(kept):
    for runs in kept["deep"].values():
        stuck = [number for number, left in enumerate(runs["left"]) if left is None]
        assert all(runs["same_after_ten"][number] for number in stuck)


def test_no_run_of_the_remedy_stays_at_chance_and_all_have_an_auc_above_0_9999(kept):
    assert primer_runs.stuck(kept["detector"]["left"]) == 0
    assert len(kept["detector"]["left"]) == 80
    assert min(kept["detector"]["auc"]) > 0.9999
    without_padding = np.array(kept["detector"]["auc_without_padding"])
    assert len(without_padding) == 80 and (without_padding <= 0.9999).sum() == 17, "as the docstring says"


def test_what_unsticks_the_deep_network(kept):
    """Dead units are the cause: without ReLU's flat half, or without narrow layers, none is stuck. He's first weights
    do not help, and dropout is no culprit: without it, more are stuck."""
    never = {name: primer_runs.stuck(runs["left"], 20) for name, runs in kept["remedies"].items()}
    before = primer_runs.stuck(kept["deep"]["cross_entropy"]["left"], 20)
    assert never["leaky ReLU"] == never["batch normalisation"] == never["six layers"] == 0 < before
    low = wilson(before, 80).low
    assert wilson(0, 80).high < low, "the intervals do not touch"
    assert wilson(never["He's first weights"], 80).high > wilson(before, 80).estimate
    assert wilson(never["no dropout"], 80).low > wilson(before, 80).estimate


def test_padding_helps_a_little_and_depth_is_what_hurts(kept):
    """Of the five changes alone, in 20 pairs: the AUC and how many runs stay at chance."""
    auc = {name: np.array(runs["auc"]) for name, runs in kept["changes"].items()}
    difference = {name: paired_interval(auc[f"{name} alone"], auc["original"]) for name in primer_runs.CHANGES}
    assert 0 < difference["padding"].low and difference["padding"].high < 0.003
    assert difference["depth"].high < 0
    for name in ("pool of 5", "two outputs", "dropout"):
        assert difference[name].low < 0 < difference[name].high
    at_chance = {name: int((values == 0.5).sum()) for name, values in auc.items()}
    assert all((many > 0) <= (name in deep_ones()) for name, many in at_chance.items())
    assert at_chance["depth alone"] == 6 and at_chance["all five"] == 2


def deep_ones() -> set[str]:
    return {name for name, settings in primer_runs.networks().items() if settings.get("deep")}


def test_a_validation_loss_that_goes_up_and_down_is_no_overfitting_here(kept):
    """It rises in most runs and still ends near its lowest; where it rises, the training loss often does; and the five
    changes do not calm it."""
    valid, train = (np.array(kept["changes"]["original"][kind]) for kind in ("valid", "train"))
    assert ((np.diff(valid, axis=1) > 0).any(axis=1)).mean() >= 0.5
    assert (valid[:, -1] - valid.min(axis=1)).mean() < 0.002
    assert (valid[:, -1] > train[:, -1]).all(), "there is a gap: it knows its training sequences better"
    up, train_up = (np.diff(losses[:, 3:], axis=1) > 0 for losses in (valid, train))
    assert train_up[up].mean() > 5 * train_up[~up].mean()
    rises = {
        name: np.clip(np.diff(kept["changes"][name]["valid"], axis=1), 0, None).sum(axis=1)
        for name in ("original", "all five")
    }
    assert rises["all five"].mean() > rises["original"].mean()
