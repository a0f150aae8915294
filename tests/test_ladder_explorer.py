"""The ladder explorer of lesson 06: what it computes, says and draws, at its extremes too."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from test_explorer_parts import Reader, part
from test_motif_explorers import check_markup

from course_utils.evaluation import confusion_at, curves, predictive_values, threshold_for_recall
from course_utils.explorers import ladder
from course_utils.explorers._ladder_picture import RUNGS, _percent, describe
from course_utils.explorers.ladder import ladder_explorer, study_of
from course_utils.intervals import auc_interval, wilson

SVG = "{http://www.w3.org/2000/svg}"
KINDS = ("uniform", "shuffled bases", "dinucleotides", "genomic")


def drawn(*distances: float, many: int = 400, few: int = 150, scale: float = 1.0, seed: int = 1) -> dict:
    """Normal scores, the positives so far above each kind of negatives; the last rung has fewer of both."""
    rng = np.random.default_rng(seed)
    sizes = [many] * (len(distances) - 1) + [few]
    return {
        kind: (scale * rng.normal(distance, 1, size), scale * rng.normal(0, 1, size))
        for kind, distance, size in zip(KINDS, distances, sizes)
    }


def shares(middle: float, many: int, seed: int) -> np.ndarray:
    """Of G and C among 50 letters: few values, many of them equal."""
    return np.random.default_rng(seed).binomial(50, middle, many) / 50


SCORES = {
    "share of G and C": {
        kind: (shares(0.6, size, 1), shares(middle, size, 2))
        for kind, middle, size in zip(KINDS, (0.5, 0.6, 0.6, 0.6), (400, 400, 400, 150))
    },
    "motif scan": drawn(3.0, 2.6, 2.2, 1.8, scale=6.0),
    "network": drawn(4.0, 3.0, 2.5, 1.5, seed=2),
}
STUDY = study_of(SCORES)


def labelled(pair) -> tuple[np.ndarray, np.ndarray]:
    return np.repeat([1, 0], [len(pair[0]), len(pair[1])]), np.concatenate(pair)


# --- what it computes ----------------------------------------------------------------------------


@pytest.mark.parametrize("recall", [1, 37, 90, 99])
@pytest.mark.parametrize("negatives", KINDS)
@pytest.mark.parametrize("score", SCORES)
def test_what_it_counts_is_what_evaluation_gives(score, negatives, recall):
    view = ladder.compute(STUDY, score, negatives, recall)
    assert set(view.points) == set(KINDS) and view.point is view.points[negatives]
    for kind, point in view.points.items():
        labels, scores = labelled(SCORES[score][kind])
        assert point.threshold == threshold_for_recall(labels, scores, recall / 100)
        counts = confusion_at(labels, scores, point.threshold)
        assert (point.tp, point.fp) == (counts.tp, counts.fp)
        assert (point.positives, point.negatives) == (counts.positives, counts.negatives)
        assert point.recall == counts.recall >= recall / 100
        assert point.false_positive_rate == wilson(counts.fp, counts.negatives)


def test_the_area_and_its_interval_are_those_of_the_lesson():
    for score, rungs in SCORES.items():
        for kind, pair in rungs.items():
            rung = STUDY.scores[score].rungs[kind]
            assert rung.auc == pytest.approx(auc_interval(*labelled(pair)))


def test_the_precision_is_that_of_one_bound_stretch_in_a_hundred():
    point = ladder.compute(STUDY, "motif scan", "genomic", 80).point
    rate = point.false_positive_rate
    assert 0 < rate.low < rate.high < 1
    for precision, false in zip(point.precision, (rate.estimate, rate.high, rate.low)):
        assert precision == pytest.approx(predictive_values(point.recall, 1 - false, 0.01).positive)
    assert point.precision.low < point.precision.estimate < point.precision.high


@pytest.mark.parametrize("score", SCORES)
def test_the_curve_of_a_hundred_points_keeps_to_the_whole_one(score):
    for kind, pair in SCORES[score].items():
        rung, whole = STUDY.scores[score].rungs[kind], curves(*labelled(pair))
        assert len(rung.recall) == len(rung.false_positive_rate) <= ladder.POINTS
        ends = [(line[0], line[-1]) for line in (rung.recall, rung.false_positive_rate)]
        assert ends == [(0, 1), (0, 1)]
        points = set(zip(whole.recall.round(9), whole.false_positive_rate.round(9)))
        assert points >= set(zip(rung.recall.round(9), rung.false_positive_rate.round(9)))
        area = (np.diff(rung.false_positive_rate) * (rung.recall[1:] + rung.recall[:-1]) / 2).sum()
        assert area == pytest.approx(whole.auc, abs=0.004)
        if score != "share of G and C":  # whose equal scores make larger steps than these
            assert np.diff(rung.recall + rung.false_positive_rate).max() < 0.05


def test_the_bins_are_shared_and_lose_no_score():
    for score in STUDY.scores.values():
        for rung in score.rungs.values():
            for bins in (rung.positive_bins, rung.negative_bins):
                assert len(bins) == len(score.edges) - 1 <= ladder.BINS
                assert bins.sum() == pytest.approx(1)
                assert bins.max() <= score.tallest


def test_shares_of_a_few_letters_have_equally_many_values_in_each_bin():
    few = STUDY.scores["share of G and C"]
    values = np.arange(51) / 50
    inside = values[(values > few.edges[0]) & (values < few.edges[-1])]
    counts = np.histogram(inside, few.edges)[0]
    assert len(set(counts[:-1].tolist())) == 1  # the last bin may have room left
    assert few.before == pytest.approx(0.01)
    np.testing.assert_allclose(np.abs(few.edges[:, None] - values).min(axis=1), 0.01)
    assert STUDY.scores["network"].before == 0
    edges, before = ladder._bins(np.full(9, 0.5), "x")
    assert (np.abs(edges - (0.5 - before)).min(), len(edges) % 2) == (pytest.approx(0, abs=1e-12), 0)
    # Two hundred values at steps of 0.005 in single precision: five of them share a bin.
    many = np.repeat(np.arange(200, dtype=np.float32) / 200, 2)
    edges, before = ladder._bins(many.astype(float), "x")
    assert before == pytest.approx(0.0025)
    assert set(np.histogram(many, edges)[0].tolist()) == {10}


def test_a_monotone_change_of_the_scale_changes_nothing_but_thresholds():
    pairs = SCORES["motif scan"].items()
    tilted = {kind: tuple(np.exp(values / 10) for values in pair) for kind, pair in pairs}
    other = ladder.compute(study_of({"tilted": tilted}), "tilted", "genomic", 75)
    plain = ladder.compute(STUDY, "motif scan", "genomic", 75)
    assert other.rung.auc == plain.rung.auc
    np.testing.assert_array_equal(other.rung.recall, plain.rung.recall)
    assert (other.point.tp, other.point.fp) == (plain.point.tp, plain.point.fp)
    assert other.point.threshold == pytest.approx(np.exp(plain.point.threshold / 10))


def test_compute_is_pure_and_the_readers_arrays_stay_as_they_are():
    pair = (np.array([3.0, 1.0, 2.0]), np.array([0.5, -1.0, 2.5]))
    before = [array.copy() for array in pair]
    study = study_of({"a": {"b": pair}})
    first, second = (ladder.compute(study, "a", "b", 50) for _ in range(2))
    assert first.points == second.points
    assert (first.point.threshold, first.point.tp, first.point.fp) == (2.0, 2, 1)
    for array, kept in zip(pair, before):
        np.testing.assert_array_equal(array, kept)


# --- what it says and draws ----------------------------------------------------------------------


def test_the_numbers_stand_in_words():
    view = ladder.compute(STUDY, "motif scan", "dinucleotides", 90)
    panels = ladder.draw(view)
    words = Reader(panels.numbers).words
    point, auc = view.point, view.rung.auc
    assert words[:2] == ["motif scan", "at recall 90 % (95 % interval)"]
    assert f"{point.tp} of 400 (90 %)" in words and f"{point.fp} of 400" in words
    row = words.index("false positives per 1,000 negatives")
    assert float(words[row + 1].split()[0]) == pytest.approx(2.5 * point.fp, abs=0.5)
    row = words.index("AUC")
    assert words[row + 1] == f"{auc.estimate:.3f} ({auc.low:.3f} to {auc.high:.3f})"
    for kind in KINDS:
        name = "dinucleotides (shown)" if kind == "dinucleotides" else kind
        (estimate,) = re.findall(r"^[\d.]+", words[words.index(name) + 1])
        assert float(estimate) == pytest.approx(view.score.rungs[kind].auc.estimate, abs=6e-4)
        assert kind in panels.summary and f"{estimate}" in panels.summary
    assert f"{point.precision.estimate:.3f}" in panels.summary
    assert "Other negatives, at this recall: uniform: AUC" in panels.summary


def test_what_is_shown_is_thick_and_last_and_the_others_are_thin():
    for number, kind in enumerate(KINDS):
        root = ElementTree.fromstring(ladder.draw(ladder.compute(STUDY, "network", kind, 70)).picture)
        lines = [path for path in root.iter(f"{SVG}path") if path.get("fill") == "none"]
        assert len(lines) == 4
        assert [line.get("stroke-width") for line in lines] == ["1.3", "1.3", "1.3", "3.5"]
        assert lines[-1].get("stroke") == RUNGS[number][0]
        assert sum("stroke-dasharray" in line.attrib for line in lines) == 3
    assert len({shape for *_, shape in RUNGS}) == len({strokes for _, strokes, _ in RUNGS}) == len(RUNGS)
    assert len(RUNGS) == ladder.MOST["kinds of negatives"]


def test_a_curve_ends_in_the_corner_and_its_mark_lies_on_it():
    from course_utils.explorers._ladder_picture import LEFT, SIDE, TOP, _line

    line = _line(np.array([0, 0, 1 / 3, 1]), np.array([0, 1 / 7, 0.5, 1]))
    steps = np.array(re.findall(r"-?[\d.]+", line), dtype=float).reshape(-1, 2)
    np.testing.assert_allclose(steps[0], (LEFT, TOP + SIDE))
    np.testing.assert_allclose(steps.sum(axis=0), (LEFT + SIDE, TOP))
    view = ladder.compute(STUDY, "network", "genomic", 60)
    x = LEFT + SIDE * view.point.fp / view.point.negatives
    assert f"M{x:.1f} {TOP + SIDE * (1 - view.point.recall):.1f}" in ladder.draw(view).picture


def test_no_false_positive_is_no_promise_of_precision():
    view = ladder.compute(STUDY, "network", "uniform", 1)
    assert view.point.fp == 0 and view.point.precision.estimate == 1
    panels = ladder.draw(view)
    assert f"would be over {view.point.precision.low:.3f}" in panels.summary
    assert "precision 1.000" not in panels.picture


def test_what_is_not_one_is_not_rounded_to_it():
    pair = (np.append(np.arange(1000.0) + 999.5, 998), np.arange(1000.0))
    auc = study_of({"a": {"b": pair}}).scores["a"].rungs["b"].auc
    assert 0.9999 < auc.estimate < 1
    panels = ladder.draw(ladder.compute(study_of({"a": {"b": pair}}), "a", "b", 99))
    assert "AUC 0.9999" in panels.summary and "AUC 1.0" not in panels.summary
    assert [_percent(share) for share in (0.99, 1000 / 1001, 1)] == ["99 %", "99.9 %", "100 %"]


def test_equal_scores_find_more_than_asked_and_this_is_said():
    view = ladder.compute(STUDY, "share of G and C", "genomic", 50)
    assert view.point.recall > 0.505
    panels = ladder.draw(view)
    assert f"recall 50 % (here {_percent(view.point.recall)})" in panels.picture
    assert f"({_percent(view.point.recall)})" in panels.numbers


@pytest.mark.parametrize("recall", [1, 50, 99])
@pytest.mark.parametrize("score", SCORES)
def test_the_picture_is_sound_at_its_extremes(score, recall):
    for kind in KINDS:
        panels = ladder.draw(ladder.compute(STUDY, score, kind, recall))
        check_markup(panels.picture)
        assert len(panels.picture) < 20_000
        assert "nan" not in panels.summary + panels.numbers and "\n" not in panels.summary


ODD = {
    "all equal": ([2.0] * 30, [2.0] * 20),
    "all equal and large": ([-3e7] * 3, [-3e7] * 3),
    "two of each": ([1.0, 2.0], [0.0, 3.0]),
    "a perfect ranking": (np.arange(50.0) + 100, np.arange(50.0)),
    "the wrong way round": (np.arange(50.0), np.arange(50.0) + 100),
    "an outlier": (np.append(np.arange(99.0), 1e9), np.arange(99.0)),
    "tiny": (1e-9 * np.arange(50), 1e-9 * np.arange(30)),
    "far from zero": (1000 + np.arange(50) / 49.5, 1000 + np.arange(30) / 29.3),
    "huge": (1e300 * np.arange(50), -1e300 * np.arange(30)),
    "whole numbers": (np.arange(7), np.arange(5)),
    "one value at the end": (np.append(np.zeros(97), [1, 1, 0.5]), np.append(np.zeros(97), [0.5, 0.5, 1])),
    "single precision": (np.float32([0.1, 0.2, 0.35]), np.float32([0.1, 0.05, 0.0])),
}


@pytest.mark.parametrize("pair", ODD.values(), ids=ODD)
def test_odd_scores_are_drawn_too(pair):
    study = study_of({"<odd> & 'so'": {"a": pair, "b": (pair[0][:9], pair[1])}})
    for recall in (1, 50, 99):
        for kind in "ab":
            panels = ladder.draw(ladder.compute(study, "<odd> & 'so'", kind, recall))
            check_markup(panels.picture)
            for element in ElementTree.fromstring(panels.picture).iter(f"{SVG}path"):
                # Where paths begin and stand; the steps of curves are small.
                places = [float(n) for n in re.findall(r"[MHV](-?[\d.]+)", element.get("d"))]
                assert all(0 <= place <= 520 for place in places), element.get("d")


def test_long_names_and_five_rungs_fit():
    kinds = [f"{'a very long kind of negatives ' * 3}{number}" for number in range(5)]
    rungs = dict.fromkeys(kinds, ([1, 2, 3], [0, 1.5]))
    scores = {f"{'a long name ' * 8}{number}": rungs for number in range(12)}
    explorer = ladder_explorer(scores)
    check_markup(part(explorer, "course-picture"))
    assert kinds[0] in explorer.panels.summary
    for name in ("score", "negatives"):
        labels = [label for label, _ in explorer.controls[name].options]
        assert len(set(labels)) == len(labels) and max(map(len, labels)) < 36


# --- the controls --------------------------------------------------------------------------------


def test_it_starts_where_it_is_told_to():
    explorer = ladder_explorer(SCORES)
    assert [control.value for control in explorer.controls.values()] == ["share of G and C", "uniform", 90]
    explorer = ladder_explorer(SCORES, score="network", negatives="genomic", recall=80)
    assert [control.value for control in explorer.controls.values()] == ["network", "genomic", 80]
    assert repr(explorer) == f"ladder explorer: {describe(ladder.compute(STUDY, 'network', 'genomic', 80))}"


def test_one_score_or_one_kind_of_negatives_has_no_slider_of_its_own():
    one = {"network": {"genomic": SCORES["network"]["genomic"]}}
    explorer = ladder_explorer(one)
    assert list(explorer.controls) == ["recall"]
    assert "Other negatives" not in repr(explorer)
    explorer.controls["recall"].value = 42
    assert "finds 42 %" in repr(explorer)


def test_the_rungs_of_a_score_may_come_in_another_order():
    turned = {"a": SCORES["network"], "b": dict(reversed(SCORES["motif scan"].items()))}
    assert study_of(turned).rungs == KINDS
    assert list(study_of(turned).scores["b"].rungs) == list(KINDS)


def test_every_mark_of_every_control_leads_to_its_own_picture():
    explorer = ladder_explorer(SCORES, score="share of G and C", negatives="dinucleotides")
    for name, control in explorer.controls.items():
        marks = [value for _, value in control.options] if hasattr(control, "options") else range(1, 100)
        kept, seen = control.value, set()
        for mark in marks:
            control.value = mark
            seen.add(part(explorer, "course-picture"))
            assert part(explorer, "course-message") == '<p role="status"></p>'
        control.value = kept
        assert len(seen) == len(marks), name
