"""Lesson 06: the report's networks, their figures, and the remedy. Its mistakes are in test_lesson_06.py."""

import re
from math import log

import numpy as np
import pytest
import reading
import torch
from reading import said
from sklearn.model_selection import train_test_split
from test_lesson_06 import (  # noqa: F401  (fixtures among them)
    CODE,
    EVERYTHING,
    NAME,
    PROSE,
    claims,
    found,
    inputs,
    never,
    numbers,
    primer,
    runs,
)
from torch import nn
from torch.nn import functional as F

from course_utils.exercises import _lesson_06_unstick as unstick
from course_utils.models import seeded
from course_utils.models.binding import DEEP, MotifDetector, ReportCNN

# pytest finds a fixture by the name of an argument, which hides the import.
# ruff: noqa: F811

pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_classes_are_counted_as_in_the_report(primer):
    assert (
        found("seed:003-class-counts", r"0: (\d+), label 1: (\d+)")
        == np.bincount(primer[1]).tolist()
        == [1013, 987]
    )


def test_the_two_networks_have_the_parameters_that_arithmetic_gives():
    original = (4 * 12 * 32 + 32) + (9 * 32 * 16 + 16) + (16 + 1)
    sizes = [50 // 5 * 32, *DEEP, 2]
    deep = (4 * 12 * 32 + 32) + sum(a * b + b for a, b in zip(sizes, sizes[1:]))
    rows = dict(
        re.findall(r"^([a-z0-9 ]+?) +([\d,]+) parameters$", said(NAME, "seed:003-five-changes"), re.M)
    )
    assert rows["original"] == f"{original:,}" == "6,209" and rows["all five"] == f"{deep:,}" == "128,050"
    assert len(rows) == 7 and "Total params: 6,209" in said(NAME, "seed:003-original-network")
    units = re.search(
        r"ten further layers before the output, of ([\d, and]+) units, in place of the one of (\d+)", PROSE
    )
    assert [int(x) for x in re.findall(r"\d+", units[1])] == list(DEEP) and units[2] == "16"
    filters, width, places, last = numbers(
        r"It has (\d+) filters of width (\d+), a max-pool over (\w+) places, a layer of (\d+)"
    )
    assert (filters, width, places, last) == (32, 12, 4, 16)
    [share] = numbers(r"\*{0,2}dropout\*{0,2} of (0\.\d) after each of the first four of them")
    model = ReportCNN(**EVERYTHING)
    assert [layer.p for layer in model.modules() if isinstance(layer, nn.Dropout)] == [share] * 4


def test_split_42_fits_the_hidden_table_and_the_log(primer):
    rest, test = train_test_split(primer[1], test_size=500, random_state=42)
    positives, first, second = numbers(
        r"there are (\d+) positives in the test, and the shares (0\.\d+) and (0\.\d+) in val"
    )
    assert test.sum() == positives == 241
    assert round(rest[-150:].mean(), 4) == first and round(1 - rest[-150:].mean(), 4) == second
    steps, tests, valid, train = numbers(
        r"Its log .*?shows (\d+) steps .*? So: (\d+) for the test, (\d+) for validation, ([\d,]+) for"
    )
    assert steps * 10 == train == 2000 - tests - valid
    assert (
        claims(r"lesson 05 supposed (\d+) positives and (\d+) negatives, and got the AUC") == ["241", "259"]
        and tests == 241 + 259
    )
    evaluation = reading.prose("05_evaluation_and_thresholds")
    assert "241 of 241 positives and 5 of 259 negatives" in evaluation and "Both to the eighth digit" in evaluation
    assert found("seed:003-split", r"test: (\d+); .*?(0\.\d+)") == [positives, first]
    assert found("seed:003-split", r"on either strand: (\d+)\n") == [0]


def test_the_report_s_areas_are_in_the_middle_of_twenty_runs(runs):
    """The bar: an AUC of 0.995 ± 0.004."""
    claimed = numbers(r"The report has an AUC of (0\.\d+) and an AUPRC of (0\.\d+)")
    assert claimed == [0.9971, 0.9969]
    for name, kind, value in zip(("AUC", "AUPRC"), ("auc", "average_precision"), claimed):
        values = np.array(runs["report"][kind])
        assert len(values) == 20 and abs(values.mean() - 0.995) < 0.004
        middle = np.quantile(values, [0.2, 0.8])
        assert middle[0] < value < middle[1], "in the middle of what chance gives"
        assert found(
            "seed:003-original-auc", name + r" +(\S+) ± (\S+), from (\S+) to (\S+)\n"
        ) == pytest.approx([values.mean(), values.std(ddof=1), values.min(), values.max()], abs=0.00051)


def test_run_24_is_broken_before_the_first_step_and_nothing_below_its_last_layer_learns(primer, inputs, runs):
    on_the_test = runs["deep"]["cross_entropy"]["same_at_first"]  # of its 500 sequences
    left = runs["deep"]["cross_entropy"]["left"]

    def outputs(run_number):
        with seeded(run_number):
            model = ReportCNN(**EVERYTHING).eval()
        return model, model(inputs)

    with torch.no_grad():
        broken = [
            each for each in np.flatnonzero(on_the_test) if np.ptp(outputs(int(each))[1].numpy()[:, 0]) == 0
        ]
    assert 24 in broken and all(left[each] is None for each in broken), "none of them ever learns"
    assert "in some runs it is broken before the first step, in others it breaks on the way" in PROSE
    assert len(broken) < never(left), "in others it breaks on the way"
    assert found("dead-units", r"same of every test sequence: (\d+) of 80 runs\n") == [sum(on_the_test)]
    same_after_ten = sum(runs["deep"]["cross_entropy"]["same_after_ten"])
    assert found("dead-units", r"and after ten epochs: (\d+)\n") == [same_after_ten]
    assert same_after_ten > sum(on_the_test) >= len(broken)
    model, logits = outputs(24)
    F.cross_entropy(logits, torch.from_numpy(primer[1])).backward()
    moved = {name for name, weight in model.named_parameters() if weight.grad.any()}
    assert moved == {"output.bias"}, "only the last biases learn"
    counts = dict(re.findall(r"run (\d+): [^[]*\[([\d, ]+)\]", said(NAME, "dead-units")))
    assert counts["24"].endswith(" 0") and not counts["23"].endswith(" 0")
    assert left[23] is not None


def test_the_picture_of_twenty_deep_runs_says_how_many_stay(runs):
    part = runs["deep"]["cross_entropy"]
    [stuck] = found("seed:003-deep-training", r"stay at 0\.69, dashed: (\d+)")
    assert stuck == sum(part["left"][each] is None for each in range(20)) > 0
    claims(r"The same network was trained (80) times\. Look at the validation losses of (twenty) of the runs")
    at_once = sum((part["left"][each] or 99) <= 3 for each in range(20))
    assert at_once > 10, "most fall at once"


def test_the_report_s_second_network_sits_at_chance_for_six_epochs_and_falls_from_the_seventh():
    training = [
        0.6938,
        0.6935,
        0.6948,
        0.6952,
        0.6940,
        0.6929,
        0.6657,
        0.4345,
        0.2039,
        0.0726,
    ]  # as it prints them
    epochs, first = numbers(r"the loss stays at 0\.69 for (\w+) epochs and falls from the (\w+) on")
    at_chance = [abs(loss - log(2)) < 0.003 for loss in training]
    assert at_chance == [True] * int(epochs) + [False] * (10 - int(epochs)) and first == epochs + 1
    assert all(later < sooner for sooner, later in zip(training[5:], training[6:]))


def test_the_leaky_remedy_lets_a_tenth_through():
    assert "a ReLU that lets a tenth through below 0 (**leaky ReLU**)" in PROSE
    assert "nn.LeakyReLU(0.1)" in (reading.ROOT / "tools/primer_runs.py").read_text("utf-8")


def test_the_remedy_has_a_fraction_of_the_parameters(runs):
    size = sum(p.numel() for p in MotifDetector().parameters())
    assert size == 401 == 8 * (4 * 12 + 1) + 8 + 1
    [part] = numbers(r"needs (?:about )?a (\w+) of the parameters of the report's first network")
    assert part == round(6209 / size), "6,209 / 401"
    assert found("detector", r"(\d+) parameters, AUC (\S+)\n") == [401, 1]
    assert "none of its 80 runs got stuck" in PROSE and "learned in each of 80 runs" in PROSE
    times, more = numbers(r"\(Its learning rate is (\d+) times larger, and it has (\w+) epochs more\.\)")
    assert "epochs=10, seed=1, lr=0.001" in CODE and "epochs=15, lr=0.02" in CODE
    assert (times, more) == (0.02 / 0.001, 15 - 10)
    [lowest] = found("detector", r"lowest AUC (0\.\d+|1\.0+)")
    assert lowest == round(min(runs["detector"]["auc"]), 4) > 0.9999


def test_exercise_2_runs_as_its_text_says():
    letters, times, epochs, rate = numbers(
        r"([\d,]+) sequences of 50 letters, half of them with the word\. It calls your function (\w+) times, "
        r".*? trains each network for (\w+) epochs with a learning rate of (0\.\d+)\."
    )
    assert (letters, times, epochs, rate) == (unstick.TO_LEARN, unstick.RUNS, unstick.EPOCHS, unstick.RATE)
    percent, fresh = numbers(r"is right in at least (\d+) percent of ([\d,]+) fresh")
    assert (percent / 100, fresh) == (unstick.GOOD, unstick.TO_JUDGE)
    stuck, of = numbers(r"is stuck more often than not: it ended at chance in (\d+) of (\d+) runs")
    in_the_room = re.search(
        r"below the mark in (\d+)\s+of (\d+) runs and its first network in (\d+) of (\d+)", unstick.__doc__
    )
    assert stuck > of / 2 and [int(in_the_room[1]) - stuck, int(in_the_room[2])] == [
        pytest.approx(0, abs=1),
        of,
    ]
    passes, tries = numbers(r"The report's first network does in (\d+) of (\d+) runs")
    assert [tries - passes, tries] == [int(in_the_room[3]), int(in_the_room[4])]


def test_every_decimal_and_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    code_free = re.sub(r"```.*?```", "", PROSE)
    decimals = set(re.findall(r"(?<![\w.])0\.\d+|\d{1,3},\d{3}", code_free))
    known = (
        "0.997 0.9971 0.9969 0.4867 0.5133 0.79 0.25 0.6931 0.6938 0.09 0.325 0.5 0.2 0.69 0.693 0.001 0.01 0.64 "
        "0.84 0.88 0.81 0.03 0.85 0.998 0.93 0.98 0.95 0.47 0.60 0.37 2,000 1,350 1,500 1,000 39,184 32,896 65,536 "
        "1,600 4,705"
    ).split()
    assert decimals <= set(known), decimals - set(known)
