"""Intervals, repeated seeds and calibration: what intervals.py promises."""

from math import comb, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from sklearn import metrics
from test_evaluation import REPORT_AUC, hard_labels_of_the_report, scored

from course_utils.evaluation import EvaluationError
from course_utils.intervals import auc_interval, calibration, over_seeds, wilson

# --- calibration ---------------------------------------------------------------------------------


def test_calibration_agrees_with_scikit_learn_and_keeps_the_empty_bins():
    from sklearn.calibration import calibration_curve

    rng = np.random.default_rng(0)
    probabilities = rng.uniform(0.2, 1, 500)
    labels = (rng.random(500) < probabilities).astype(int)
    found = calibration(labels, probabilities)
    observed, predicted = calibration_curve(labels, probabilities, n_bins=10)
    some = found.counts > 0
    assert some.tolist() == [False] * 2 + [True] * 8
    np.testing.assert_allclose(found.observed[some], observed)
    np.testing.assert_allclose(found.predicted[some], predicted)
    assert np.isnan(found.observed[~some]).all()
    weighted = found.counts[some] * abs(observed - predicted)
    assert found.error == pytest.approx(weighted.sum() / 500)
    assert found.counts.sum() == 500


def test_probabilities_0_and_1_have_a_bin():
    found = calibration([0, 1, 1], [0.0, 1.0, 0.5], bins=2)
    assert found.counts.tolist() == [1, 2]
    assert found.error == pytest.approx(0.5 / 3)


def test_perfect_probabilities_have_the_error_of_luck():
    rng = np.random.default_rng(3)
    errors, luck = [], []
    for _ in range(200):
        probabilities = rng.beta(1, 2, 400)
        found = calibration((rng.random(400) < probabilities).astype(int), probabilities)
        errors.append(found.error)
        luck.append(found.by_chance)
    assert np.mean(errors) == pytest.approx(np.mean(luck), rel=0.05)
    assert np.mean(errors) > 0.03


# --- intervals -----------------------------------------------------------------------------------


def test_the_interval_of_an_accuracy_is_wilsons():
    """Worked by hand from the formula: 383 and 376 of 400."""
    assert [round(number, 4) for number in wilson(383, 400)] == [0.9575, 0.9330, 0.9733]
    assert [round(number, 4) for number in wilson(376, 400)] == [0.94, 0.9123, 0.9594]
    for right, n in ((3, 10), (383, 400)):
        for end in wilson(right, n)[
            1:
        ]:  # the shares that lie 1.96 of their own standard errors away
            assert abs(right / n - end) == pytest.approx(
                1.959964 * sqrt(end * (1 - end) / n), rel=1e-6
            )


def test_the_interval_stays_in_range_and_has_a_width_at_its_ends():
    assert wilson(0, 10).low == 0 and 0.2 < wilson(0, 10).high < 0.3
    assert wilson(10, 10).high == 1 and 0.7 < wilson(10, 10).low < 0.8
    assert wilson(5, 10, 0.99).low < wilson(5, 10).low < wilson(5, 10, 0.5).low


@pytest.mark.parametrize("n", [20, 100, 400])
def test_wilsons_interval_holds_the_truth_as_often_as_it_says(n):
    """Exactly: the binomial probabilities of all counts whose interval holds the truth."""
    intervals = [wilson(right, n) for right in range(n + 1)]

    def coverage(share):
        return sum(
            comb(n, right) * share**right * (1 - share) ** (n - right)
            for right, (_, low, high) in enumerate(intervals)
            if low <= share <= high
        )

    covered = [coverage(share) for share in np.linspace(0.5, 0.99, 50).tolist()]
    assert 0.94 < np.mean(covered) < 0.965
    assert min(covered) > 0.9


def test_the_widths_of_the_lesson():
    """A test of 400: +- 1.4 % at 97.9 %, +- 2.3 % at 94 %; a standard deviation of 0.9 at 96.4 %."""
    for share, half in ((0.979, 0.014), (0.94, 0.023)):
        assert 1.96 * sqrt(share * (1 - share) / 400) == pytest.approx(half, abs=0.0005)
        _, low, high = wilson(round(share * 400), 400)
        assert (high - low) / 2 == pytest.approx(half, abs=0.0015)
    assert sqrt(0.964 * 0.036 / 400) == pytest.approx(0.0093, abs=0.00005)


@pytest.mark.parametrize(
    "auc, positives, negatives", [(0.8, 60, 60), (0.97, 200, 200), (0.9, 100, 900)]
)
def test_the_interval_of_an_auc_holds_the_truth_about_as_often_as_it_says(
    auc, positives, negatives
):
    rng = np.random.default_rng(7)
    apart = sqrt(2) * NormalDist().inv_cdf(auc)
    labels = np.repeat([1, 0], [positives, negatives])
    held = 0
    for _ in range(400):
        scores = rng.normal(apart * labels, 1)
        _, low, high = auc_interval(labels, scores)
        held += low <= auc <= high
    assert 0.92 < held / 400 < 0.98  # 400 trials: 0.95 +- 0.022


def test_the_interval_of_an_auc_is_around_scikit_learns_estimate():
    labels, scores = scored()
    estimate, low, high = auc_interval(labels, scores)
    assert estimate == pytest.approx(metrics.roc_auc_score(labels, scores))
    assert 0 < low < estimate < high < 1
    assert auc_interval(1 - labels, -scores) == pytest.approx((estimate, low, high))
    assert auc_interval(labels, -scores) == pytest.approx((1 - estimate, 1 - high, 1 - low))


def test_delongs_variance_is_that_of_the_paper_in_plain_loops():
    labels, scores = scored(40)
    positive, negative = scores[labels == 1], scores[labels == 0]
    wins = [[(p > n) + 0.5 * (p == n) for n in negative] for p in positive]
    of_positives, of_negatives = np.mean(wins, axis=1), np.mean(wins, axis=0)
    auc = np.mean(wins)
    error = sqrt(
        of_positives.var(ddof=1) / len(positive) + of_negatives.var(ddof=1) / len(negative)
    )
    _, low, high = auc_interval(labels, scores)
    logit = np.log([auc / (1 - auc), low / (1 - low), high / (1 - high)])
    np.testing.assert_allclose(
        logit[1:] - logit[0], np.array([-1, 1]) * 1.959964 * error / (auc * (1 - auc)), rtol=1e-6
    )


def test_where_every_pair_is_right_the_interval_has_a_width():
    labels, scores = np.repeat([0, 1], [50, 20]), np.arange(70.0)
    estimate, low, high = auc_interval(labels, scores)
    assert (estimate, high) == (1, 1)
    assert low**20 == pytest.approx(0.025)
    assert auc_interval(labels, -scores) == pytest.approx((0, 0, 1 - low))


# --- repeated seeds ------------------------------------------------------------------------------


def test_the_scatter_of_fresh_tests_is_luck_and_models_together():
    rng = np.random.default_rng(5)
    truth = rng.normal(0.9, 0.02, 2000)
    fresh = over_seeds(rng.binomial(400, truth) / 400, 400)
    assert fresh.luck == pytest.approx(sqrt(0.9 * 0.1 / 400), rel=0.02)
    assert fresh.models == pytest.approx(0.02, rel=0.05)
    assert fresh.sd**2 == pytest.approx(fresh.luck**2 + fresh.models**2)
    assert fresh.error == pytest.approx(fresh.sd / sqrt(2000))


def test_less_scatter_than_luck_leaves_nothing_for_the_models():
    assert over_seeds([0.95, 0.951, 0.949], 400).models == 0


def test_the_luck_of_a_shared_test_does_not_go_away_with_more_runs():
    few, many = (over_seeds([0.95, 0.96] * n, 400, same_test=True) for n in (2, 200))
    assert many.error > many.luck == few.luck
    assert many.models == many.sd
    assert "does not show in the sd" in str(many)
    assert over_seeds([0.95, 0.96] * 200, 400).error < 0.001 < many.error


# --- what goes in and out ------------------------------------------------------------------------


def test_M15_hard_labels_have_an_interval_only_if_they_are_meant():
    labels, calls = hard_labels_of_the_report()
    with pytest.raises(EvaluationError, match="like hard labels"):
        auc_interval(labels, calls)
    assert auc_interval(labels, calls, hard=True).estimate == pytest.approx(REPORT_AUC)


def test_what_is_printed_holds_the_numbers():
    words = str(calibration([0, 1, 1], [0.1, 0.6, 0.9]))
    assert "expected calibration error" in words and "nan" not in words
    assert str(wilson(383, 400)) == "0.9575 (0.9330 to 0.9733)"
    assert "is left for the models" in str(over_seeds([0.9, 0.95], 100))
