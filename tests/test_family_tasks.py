"""The three tasks of lesson 08, and the exact ratio of each."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from course_utils import family_tasks
from course_utils.ceilings import ceiling, ceiling_of_ratios
from course_utils.family_tasks import A, A_WORD, B, B_WORD, GAP, LENGTH, PLACE, TASKS, draw, log_ratio, task_ceiling
from course_utils.likelihoods import log_likelihood_ratio


def has(word: str, codes: np.ndarray) -> np.ndarray:
    """Where the whole word stands: (N, places)."""
    windows = np.lib.stride_tricks.sliding_window_view(codes, len(word), axis=1)
    return (windows == ["ACGT".index(letter) for letter in word]).all(axis=2)


@pytest.fixture(scope="module")
def drawn() -> dict:
    return {task: draw(task, 8_000, np.random.default_rng(5)) for task in TASKS}


def test_the_classes_are_equal_in_size_and_positives_come_first(drawn):
    for codes, labels in drawn.values():
        assert codes.shape == (8_000, LENGTH) and labels.tolist() == [1] * 4_000 + [0] * 4_000


def test_place_has_the_motif_in_both_classes_and_only_the_place_tells(drawn):
    codes, labels = drawn["place"]
    found = has(A_WORD, codes)
    kept = 0.85**7
    assert found[labels == 1, PLACE].mean() == pytest.approx(kept, abs=0.03)
    assert found[labels == 0, PLACE].mean() < 0.005
    anywhere = found.any(axis=1)
    assert anywhere[labels == 1].mean() == pytest.approx(anywhere[labels == 0].mean(), abs=0.03)


def test_anywhere_has_it_at_each_place_alike(drawn):
    codes, labels = drawn["anywhere"]
    shares = has(A_WORD, codes)[labels == 1].mean(axis=0)
    assert shares.sum() == pytest.approx(0.85**7, abs=0.03) and shares.max() < 0.02
    assert has(A_WORD, codes)[labels == 0].any(axis=1).mean() < 0.01


def test_order_has_both_motifs_in_both_classes_at_the_distances_asked_for(drawn):
    codes, labels = drawn["order"]
    a, b = has(A_WORD, codes), has(B_WORD, codes)
    both = a.any(axis=1) & b.any(axis=1)
    apart = b.argmax(axis=1) - a.argmax(axis=1)
    for value, sign in ((1, 1), (0, -1)):
        gaps = sign * apart[both & (labels == value)] - 7
        inside = (gaps >= GAP[0]) & (gaps <= GAP[1])
        assert inside.mean() > 0.95, "the others are words of the background"
        assert np.bincount(gaps[inside])[GAP[0] :].min() > 0
    for found in (a, b):
        assert found.any(axis=1)[labels == 1].mean() == pytest.approx(found.any(axis=1)[labels == 0].mean(), abs=0.03)


def by_hand(task: str, codes: np.ndarray) -> float:
    """The ratio of one sequence as a plain sum over places; both classes over the same background."""

    def site(ppm, start):
        return np.prod([ppm[i, codes[start + i]] / 0.25 for i in range(7)])

    def pair(first, second):
        terms = []
        for gap in range(GAP[0], GAP[1] + 1):
            places = range(LENGTH - 14 - gap + 1)
            terms.append(np.mean([site(first, s) * site(second, s + 7 + gap) for s in places]))
        return np.mean(terms)

    if task == "order":
        return np.log(pair(A, B) / pair(B, A))
    scores = [site(A, start) for start in range(LENGTH - 6)]
    if task == "anywhere":
        return np.log(np.mean(scores))
    return np.log(scores[PLACE] / np.mean(scores[:PLACE] + scores[PLACE + 1 :]))


@pytest.mark.parametrize("task", TASKS)
def test_the_ratio_is_the_sum_written_out(task, drawn):
    rows = [0, 1, 2, 4_000, 4_001, 4_002]
    codes = drawn[task][0][rows]
    assert log_ratio(task, codes) == pytest.approx([by_hand(task, one) for one in codes])


@pytest.mark.parametrize("task", TASKS)
def test_the_ratio_says_how_often_a_sequence_is_positive_and_reaches_the_ceiling(task, drawn):
    codes, labels = drawn[task]
    ratio = log_ratio(task, codes)
    likely = 1 / (1 + np.exp(-ratio))
    for low, high in ((0.1, 0.4), (0.4, 0.6), (0.6, 0.9)):
        some = (likely > low) & (likely < high)
        error = 3 * 0.5 / np.sqrt(some.sum())
        assert labels[some].mean() == pytest.approx(likely[some].mean(), abs=error)
    best = task_ceiling(task)
    assert roc_auc_score(labels, ratio) == pytest.approx(best.auc, abs=0.008)
    assert ((ratio > 0) == labels).mean() == pytest.approx(best.accuracy, abs=0.012)


def test_swapping_the_motifs_turns_the_sign(drawn, monkeypatch):
    codes = drawn["order"][0][:20]
    before = log_ratio("order", codes)
    monkeypatch.setattr(family_tasks, "A", B)
    monkeypatch.setattr(family_tasks, "B", A)
    assert log_ratio("order", codes) == pytest.approx(-before)


def test_the_task_anywhere_is_that_of_the_older_rooms(drawn):
    codes = drawn["anywhere"][0][:50]
    assert log_ratio("anywhere", codes) == pytest.approx(log_likelihood_ratio(codes, A) * np.log(2))
    other = ceiling(A, length=LENGTH, sample=40_000, rng=np.random.default_rng(3))
    best = task_ceiling("anywhere")
    assert other.auc == pytest.approx(best.auc, abs=4 * np.hypot(other.auc_se, best.auc_se))


def test_the_ceiling_of_ratios_is_that_of_two_words_written_out():
    """Word a has the chances 0.8 and 0.3 in the two classes: all figures by hand."""
    ratios = np.log([0.8 / 0.3] * 5_500 + [0.2 / 0.7] * 4_500)  # as often as a mixture of both classes has them
    found = ceiling_of_ratios(ratios)
    assert found.accuracy == pytest.approx(0.5 * 0.8 + 0.5 * 0.7)
    pairs = product((0.8, 0.2), (0.3, 0.7))
    right = sum(p * n * {(0.8, 0.7): 1, (0.2, 0.3): 0}.get((p, n), 0.5) for p, n in pairs)
    assert found.auc == pytest.approx(right, abs=0.001)
