"""Counts, curves, thresholds and other prevalences: what evaluation.py promises."""

from math import inf

import numpy as np
import pytest
from sklearn import metrics

from course_utils.evaluation import (
    Confusion,
    EvaluationError,
    confusion,
    confusion_at,
    curves,
    predictive_values,
    threshold_for_false_positives,
    threshold_for_recall,
)

REPORT_AUC, REPORT_AUPRC = 0.9903474903474904, 0.9796747967479674  # of the report's improved model


def scored(size=300, rarity=3, places=1, seed=0):
    """Labels, and scores with ties between the classes."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(size) % rarity == 0).astype(int)
    return labels, np.round(rng.normal(1.5 * labels, 1), places)


def hard_labels_of_the_report():
    labels = np.repeat([1, 0], [241, 259])
    return labels, np.repeat([1, 0, 1], [241, 254, 5])


# --- counts --------------------------------------------------------------------------------------


def test_the_measures_are_those_of_scikit_learn():
    labels, scores = scored()
    calls = scores >= 0.8
    found = confusion(labels, calls)
    assert found.accuracy == metrics.accuracy_score(labels, calls)
    assert found.recall == metrics.recall_score(labels, calls)
    assert found.precision == metrics.precision_score(labels, calls)
    assert found.specificity == metrics.recall_score(labels, calls, pos_label=0)
    assert found.negative_predictive_value == metrics.precision_score(labels, calls, pos_label=0)
    assert found.f1 == pytest.approx(metrics.f1_score(labels, calls))
    assert found.mcc == pytest.approx(metrics.matthews_corrcoef(labels, calls))
    assert found.false_positive_rate == pytest.approx(1 - found.specificity)
    assert found.false_negative_rate == pytest.approx(1 - found.recall)
    np.testing.assert_array_equal(found.table, metrics.confusion_matrix(labels, calls))
    assert found.undefined == ()


def test_a_table_says_which_side_is_the_truth():
    lines = str(Confusion(tp=188, fn=6, fp=11, tn=195)).splitlines()
    assert lines[0].split("   ")[0] == "truth" and "called positive" in lines[0]
    assert "188 true positives" in lines[1] and lines[1].startswith("positive")
    assert "11 false positives" in lines[2] and lines[2].startswith("negative")


@pytest.mark.parametrize(
    "counts, undefined",
    [
        ((0, 3, 0, 5), {"precision", "mcc"}),
        ((3, 0, 5, 0), {"negative_predictive_value", "mcc"}),
        ((0, 0, 2, 5), {"recall", "false_negative_rate", "mcc"}),
        ((0, 0, 0, 5), {"recall", "false_negative_rate", "precision", "f1", "mcc"}),
        ((4, 0, 0, 0), {"specificity", "false_positive_rate", "negative_predictive_value", "mcc"}),
    ],
)
def test_a_measure_that_divides_by_zero_is_zero_and_is_said_to_be_undefined(counts, undefined):
    found = Confusion(*counts)
    assert set(found.undefined) == undefined
    for name in undefined:
        assert getattr(found, name) == 0.0
        assert "undefined" in found.describe(name)
    assert "undefined" not in found.describe("accuracy")


def test_always_positive_has_recall_1_and_no_skill():
    found = confusion([1, 0, 0, 0], [1, 1, 1, 1])
    assert (found.recall, found.precision, found.specificity, found.mcc) == (1, 0.25, 0, 0)


def test_calls_may_be_true_and_false_and_scores_at_the_threshold_are_called():
    assert confusion([1, 0], [True, False]) == Confusion(1, 0, 0, 1)
    assert confusion_at([1, 1, 0, 0], [0.7, 0.4, 0.7, 0.1], 0.7) == Confusion(1, 1, 1, 1)


def test_large_counts_do_not_overflow():
    many = np.int64(3_000_000_000)
    assert Confusion(many, 1, 1, many).mcc == pytest.approx(1)


# --- curves --------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [0, 1, 8])
def test_curves_and_areas_are_those_of_scikit_learn(places):
    labels, scores = scored(places=places)
    found = curves(labels, scores)
    false, true, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_array_equal(found.thresholds, thresholds)
    np.testing.assert_allclose(found.false_positive_rate, false)
    np.testing.assert_allclose(found.recall, true)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    np.testing.assert_allclose(found.precision[::-1], precision)
    assert found.auc == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert found.average_precision == pytest.approx(metrics.average_precision_score(labels, scores))
    assert found.average_precision_at(found.prevalence) == pytest.approx(found.average_precision)


def test_the_auc_is_the_share_of_pairs_in_the_right_order():
    labels, scores = scored(60)
    pairs = [
        1.0 if positive > negative else 0.5 if positive == negative else 0.0
        for positive in scores[labels == 1]
        for negative in scores[labels == 0]
    ]
    assert curves(labels, scores).auc == pytest.approx(np.mean(pairs))


def test_the_operating_point_is_what_counting_gives():
    labels, scores = scored(80)
    found = curves(labels, scores)
    for threshold in (-inf, -9, scores.min(), 0.33, *scores[:9], scores.max(), 99, inf):
        assert found.at(threshold) == confusion_at(labels, scores, threshold)


def test_the_roc_curve_knows_no_prevalence_and_the_precision_does():
    """As if each negative stood for nine: counted, and computed from the curve."""
    labels, scores = scored(90, rarity=2)
    many_labels = np.concatenate([labels] + 8 * [labels[labels == 0]])
    many_scores = np.concatenate([scores] + 8 * [scores[labels == 0]])
    few, many = curves(labels, scores), curves(many_labels, many_scores)
    assert many.prevalence == pytest.approx(0.1)
    assert few.auc == pytest.approx(many.auc)
    np.testing.assert_allclose(few.precision_at(0.1), many.precision)
    assert few.average_precision_at(0.1) == pytest.approx(many.average_precision)
    assert many.average_precision < few.average_precision - 0.1


# --- hard labels ---------------------------------------------------------------------------------


def test_M15_the_reports_auc_and_auprc_are_those_of_hard_labels():
    labels, calls = hard_labels_of_the_report()
    found = curves(labels, calls, hard=True)
    assert found.auc == REPORT_AUC
    assert found.average_precision == REPORT_AUPRC
    table = confusion(labels, calls)
    assert table == Confusion(tp=241, fn=0, fp=5, tn=254)
    assert found.auc == pytest.approx((table.recall + table.specificity) / 2)
    assert found.average_precision == pytest.approx(table.precision)  # because the recall is 1
    assert len(found.thresholds) == 3, "nothing, one threshold, everything"


def test_M15_no_other_table_of_500_has_both_figures():
    fitting = []
    for positives in range(1, 500):
        negatives = 500 - positives
        fn, fp = np.meshgrid(np.arange(min(positives, 20)), np.arange(min(negatives, 20) + 1))
        recall, specificity = 1 - fn / positives, 1 - fp / negatives
        precision = (positives - fn) / (positives - fn + fp)
        area = precision * recall + (1 - recall) * positives / 500
        fits = (abs((recall + specificity) / 2 - REPORT_AUC) < 1e-9) & (
            abs(area - REPORT_AUPRC) < 1e-9
        )
        fitting += [(positives, int(a), int(b)) for a, b in zip(fn[fits], fp[fits])]
    assert fitting == [(241, 0, 5)]


@pytest.mark.parametrize("low, high", [(0, 1), (-1, 1), (0.2, 0.7)])
def test_M15_two_values_for_many_examples_are_refused_as_scores(low, high):
    labels, calls = hard_labels_of_the_report()
    scores = np.where(calls == 1, high, low)
    with pytest.raises(EvaluationError, match="like hard labels"):
        curves(labels, scores)
    assert curves(labels, scores, hard=True).auc == pytest.approx(REPORT_AUC)


def test_two_examples_and_a_network_that_says_always_the_same_are_no_hard_labels():
    assert curves([0, 1], [0.2, 0.9]).auc == 1
    dead = curves([0, 1, 1, 0], [0.5] * 4)
    assert dead.auc == 0.5 and dead.average_precision == 0.5


def test_M07_the_printed_accuracy_is_of_another_table():
    """The magazine prints 94.0 % beside [[188, 6], [11, 195]]."""
    table = Confusion(tp=188, fn=6, fp=11, tn=195)
    assert table.total == 400 and table.tp + table.tn == 383
    assert table.accuracy == 0.9575
    assert round(table.accuracy, 3) != 0.94
    assert [right for right in range(401) if round(right / 4, 1) == 94.0] == [376]


# --- thresholds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 0.01, 0.05, 0.29, 0.5, 1])
@pytest.mark.parametrize("places", [0, 1, 8])
def test_a_threshold_for_false_positives_never_exceeds_and_is_the_lowest(most, places):
    for seed in range(4):
        labels, scores = scored(150, places=places, seed=seed)
        negatives = scores[labels == 0]
        threshold = threshold_for_false_positives(labels, scores, most)
        assert (negatives >= threshold).sum() <= most * len(negatives) + 1e-9
        lower = scores[scores < threshold]
        if len(lower):
            assert (negatives >= lower.max()).sum() > most * len(negatives)


def test_a_share_that_is_a_whole_number_of_negatives_is_reached():
    labels = np.repeat([0, 1], [100, 1])
    scores = np.concatenate([np.arange(100), [200]])
    threshold = threshold_for_false_positives(labels, scores, 0.29)  # 0.29 * 100 < 29 in floats
    assert threshold == 71


def test_where_no_score_will_do_the_threshold_is_infinite():
    assert threshold_for_false_positives([0, 0, 1, 1], [9, 9, 1, 2], 0.4) == inf


def test_on_new_negatives_the_promise_is_kept_but_for_one_in_a_hundred_more():
    """With k of N called, (k + 1) / (N + 1) of new ones are: 3 / 260 for 1 % of 259."""
    rng = np.random.default_rng(1)
    labels = np.repeat([0, 1], [259, 3000])
    rates = []
    for _ in range(150):
        scores = np.concatenate([rng.random(259), rng.uniform(0.8, 1.1, 3000)])
        rates.append(1 - threshold_for_false_positives(labels, scores, 0.01))
    assert np.mean(rates) == pytest.approx(3 / 260, abs=0.0015)


@pytest.mark.parametrize("least", [0.01, 0.5, 0.9, 1])
@pytest.mark.parametrize("places", [0, 1, 8])
def test_a_threshold_for_recall_finds_enough_and_is_the_highest(least, places):
    labels, scores = scored(150, places=places)
    positives = scores[labels == 1]
    threshold = threshold_for_recall(labels, scores, least)
    assert (positives >= threshold).mean() >= least - 1e-12
    higher = scores[scores > threshold]
    if len(higher):
        assert (positives >= higher.min()).mean() < least


# --- another prevalence --------------------------------------------------------------------------


def test_predictive_values_are_what_counting_gives():
    table = Confusion(tp=90, fn=10, fp=45, tn=855)
    found = predictive_values(table.recall, table.specificity, table.prevalence)
    assert found.positive == pytest.approx(table.precision)
    assert found.negative == pytest.approx(table.negative_predictive_value)


def test_most_calls_of_a_good_model_are_wrong_where_positives_are_rare():
    assert predictive_values(1, 254 / 259, 0.5).positive == pytest.approx(0.981, abs=0.001)
    assert predictive_values(1, 254 / 259, 0.001).positive == pytest.approx(0.0493, abs=0.0001)


# --- what goes in --------------------------------------------------------------------------------


def test_lists_tensors_and_booleans_are_taken_and_nothing_is_changed():
    import torch

    labels, scores = scored(50)
    kept = scores.copy()
    same = curves(labels.tolist(), scores.tolist())
    tensors = curves(torch.tensor(labels), torch.tensor(scores, requires_grad=True))
    booleans = curves(labels.astype(bool), scores)
    for found in (same, tensors, booleans):
        assert found.auc == curves(labels, scores).auc
    np.testing.assert_array_equal(scores, kept)


def test_what_is_printed_holds_the_numbers():
    said = str(curves(*scored()))
    assert "AUC 0." in said and "a guess has 0.5 and 0.33" in said
