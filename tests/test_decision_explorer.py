"""The explorer of lesson 05: what it computes, says and draws, at its extremes too."""

import re
from math import sqrt
from statistics import NormalDist
from xml.etree import ElementTree

import numpy as np
import pytest
from test_explorer_parts import Reader, part
from test_motif_explorers import check_markup

from course_utils.evaluation import confusion_at, curves
from course_utils.explorers import decision
from course_utils.intervals import auc_interval, wilson

SVG = "{http://www.w3.org/2000/svg}"


def scores_of(prevalence, auc, examples, number):
    """Labels and scores as :mod:`decision` draws them."""
    many = round(prevalence * examples)
    half = NormalDist().inv_cdf(auc) / sqrt(2)
    negative, positive = decision._drawn(number)
    labels = np.repeat([0, 1], [examples - many, many])
    return labels, np.concatenate([negative[: examples - many] - half, positive[:many] + half])


@pytest.mark.parametrize("prevalence, auc", [(0.5, 0.9), (0.02, 0.97), (0.1, 0.5)])
@pytest.mark.parametrize("threshold", [-5.0, -0.3, 1.2, 5.0])
def test_what_it_counts_and_computes_is_what_evaluation_gives(threshold, prevalence, auc):
    labels, scores = scores_of(prevalence, auc, 1000, 3)
    view = decision.compute(threshold, prevalence, auc, 1000, 3)
    table = confusion_at(labels, scores, threshold)
    assert view.counts == table
    expected = curves(labels, scores)
    found = view.sample.curves
    np.testing.assert_allclose(found.thresholds, expected.thresholds)
    np.testing.assert_array_equal(found.tp, expected.tp)
    np.testing.assert_array_equal(found.fp, expected.fp)
    assert found.auc == pytest.approx(expected.auc)
    assert found.average_precision == pytest.approx(expected.average_precision)
    assert view.sample.auc_interval == pytest.approx(auc_interval(labels, scores))
    assert view.intervals["accuracy"] == wilson(table.tp + table.tn, 1000)
    assert view.intervals["recall"] == wilson(table.tp, table.positives)
    assert ("precision" in view.intervals) == (table.tp + table.fp > 0)


@pytest.mark.parametrize("auc", decision.AUCS)
def test_the_endless_test_has_the_auc_that_was_asked_for(auc):
    drawn = decision.sample(0.1, auc, 1000, 1)
    across, up = drawn.true_false_positive_rate, drawn.true_recall
    area = (np.diff(across) * (up[1:] + up[:-1]) / 2).sum()
    assert area == pytest.approx(auc, abs=0.001)
    large = [decision.sample(0.5, auc, 10_000, number).curves for number in (1, 2, 3)]
    assert np.mean([one.auc for one in large]) == pytest.approx(auc, abs=0.005)
    average = decision.sample(0.5, auc, 10_000, 1)
    assert average.true_average_precision == pytest.approx(
        average.curves.average_precision, abs=0.01
    )


def test_the_open_dot_is_what_an_endless_test_would_count():
    view = decision.compute(1.0, 0.1, 0.9, 1000, 1)
    normal, half = NormalDist(), NormalDist().inv_cdf(0.9) / sqrt(2)
    recall, rate = 1 - normal.cdf(1 - half), 1 - normal.cdf(1 + half)
    assert (view.true_recall, view.true_false_positive_rate) == pytest.approx((recall, rate))
    assert view.true_precision == pytest.approx(0.1 * recall / (0.1 * recall + 0.9 * rate))
    assert view.sample.negative_shape.sum() == pytest.approx(900, rel=1e-4)
    assert view.sample.positive_shape.sum() == pytest.approx(100, rel=1e-4)
    assert view.sample.negative_bins.sum() == 900 and view.sample.positive_bins.sum() == 100


def test_the_threshold_cuts_a_column_in_two():
    from course_utils.explorers._decision_picture import split_bins

    pale, dark = split_bins(np.array([4.0, 0.0, 6.0]), left=0, column=10, base=100, up=1, cut=24)
    assert pale == "M0.0 100v-4.0h10.0V100zM20.0 100v-6.0h4.0V100z"
    assert dark == "M30.0 100v-6.0h-6.0V100z"


def test_the_prevalence_moves_the_precision_and_leaves_the_endless_roc_curve():
    common, rare = (decision.compute(1.0, share, 0.95, 10_000, 1) for share in (0.5, 0.01))
    np.testing.assert_array_equal(common.sample.true_recall, rare.sample.true_recall)
    assert (common.true_recall, common.true_false_positive_rate) == (
        rare.true_recall,
        rare.true_false_positive_rate,
    )
    assert common.counts.precision > 0.9 and rare.counts.precision < 0.4
    assert rare.counts.recall == pytest.approx(common.counts.recall, abs=0.1)


def test_fewer_examples_are_a_part_of_more():
    few, many = (decision.sample(0.5, 0.9, size, 4).curves.thresholds for size in (100, 1000))
    assert np.isin(few, many).all()
    assert not np.isin(few[1:], decision.sample(0.5, 0.9, 100, 5).curves.thresholds).any()


def test_the_confusion_table_stands_in_words_with_the_truth_in_rows():
    panels = decision.draw(decision.compute(0.0, 0.1, 0.95, 1000, 1))
    words = Reader(panels.numbers).words
    assert words[:3] == ["truth", "called positive", "called negative"]
    assert words[3] == "positive" and words[4].endswith("true positives")
    assert words[6] == "negative" and words[7].endswith("false positives")
    counts = decision.compute(0.0, 0.1, 0.95, 1000, 1).counts
    for count in (counts.tp, counts.fn, counts.fp, counts.tn):
        assert f">{count:,}</text>" in panels.picture
        assert f"{count:,}" in panels.summary
    assert "\n" not in panels.summary


def test_undefined_measures_are_said_and_have_no_dot():
    view = decision.compute(5.0, 0.1, 0.9, 100, 1)
    assert view.counts.tp + view.counts.fp == 0
    panels = decision.draw(view)
    assert "precision undefined (0 of 0)" in panels.summary
    assert "undefined (0 of 0)" in panels.numbers
    dots = panels.picture.count("r='3.5'")
    assert dots == 6 - 2  # neither precision nor MCC
    assert panels.picture.count("r='5'") == 3  # nor a point of this test among precisions


def test_a_single_positive_has_no_interval_and_is_still_drawn():
    view = decision.compute(0.0, 0.001, 0.9, 1000, 1)
    assert view.counts.positives == 1 and view.sample.auc_interval is None
    panels = decision.draw(view)
    assert "not computed" in panels.numbers
    check_markup(panels.picture)


@pytest.mark.parametrize("auc", [0.5, 0.9, 0.997])
@pytest.mark.parametrize(
    "prevalence, examples", [(0.5, 100), (0.5, 10_000), (0.01, 100), (0.001, 10_000)]
)
def test_the_picture_is_sound_at_its_extremes(auc, prevalence, examples):
    for threshold in (-5.0, 0.0, 0.7, 5.0):
        panels = decision.draw(decision.compute(threshold, prevalence, auc, examples, 2))
        check_markup(panels.picture)
        assert "nan" not in panels.summary + panels.numbers
        for element in ElementTree.fromstring(panels.picture).iter(f"{SVG}path"):
            numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", element.get("d"))]
            assert all(-300 <= number <= 700 for number in numbers)


def test_the_thin_curve_keeps_its_corners():
    """On pixels, only points on a straight line between their neighbours are left out."""
    from course_utils.explorers._decision_picture import SIDE, TOP, _line

    across, up = np.array([0, 0, 0, 0.5, 0.5, 1]), np.array([0, 0.2, 0.5, 0.5, 1, 1])
    ends = [tuple(map(float, pair.split())) for pair in _line(across, up, 0)[1:].split("L")]
    corners = [(0, 0), (0, 0.5), (0.5, 0.5), (0.5, 1), (1, 1)]
    assert ends == [(x * SIDE, TOP + SIDE - y * SIDE) for x, y in corners]


def test_a_class_without_examples_is_told_and_the_picture_stays():
    explorer = decision.decision_explorer()
    explorer.controls["prevalence"].value = 0.001
    before = part(explorer, "course-picture")
    explorer.controls["examples"].value = 400
    assert "has no positives" in part(explorer, "course-message")
    assert part(explorer, "course-picture") == before
    explorer.controls["prevalence"].value = 0.01
    assert "400 examples, 4 of them positive" in repr(explorer)
    assert part(explorer, "course-message") == '<p role="status"></p>'


def test_every_mark_of_every_control_leads_to_its_own_picture():
    explorer = decision.decision_explorer()
    for name, control in explorer.controls.items():
        marks = (
            [value for _, value in control.options] if hasattr(control, "options") else range(1, 21)
        )
        kept, seen = control.value, set()
        for mark in marks:
            control.value = mark
            seen.add(part(explorer, "course-picture") + part(explorer, "course-message"))
        control.value = kept
        assert len(seen) == len(marks), name
