"""The simulation explorer of lesson 03: what it simulates, what it counts, what it says of the ceiling."""

import re
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from course_utils.ceilings import Ceiling, LowerBound
from course_utils.explorers import _simulation_picture, simulation
from course_utils.explorers.simulation import compute, draw, simulation_explorer
from course_utils.motifs import consensus
from course_utils.plotting import contrast
from course_utils.simulation import CCGGAA, SimulationError, simulate

SETTINGS = list(product(simulation.PLACES, simulation.SAMPLES))
every_setting = pytest.mark.parametrize("place, negatives", SETTINGS)
PLAIN_SET = {"strength": 1, "place": "fixed", "gc": 50, "negatives": "background", "noise": 0}


def view(**changes):
    return compute(**PLAIN_SET | changes)


# --- the ceiling ---------------------------------------------------------------------------------


def test_it_starts_with_the_plain_set_and_its_exact_ceiling():
    controls = simulation_explorer().controls
    assert {name: control.value for name, control in controls.items()} == PLAIN_SET
    best = view().best
    assert (best.accuracy, best.auc) == pytest.approx((0.97903, 0.99738), abs=5e-6)
    assert _simulation_picture.PLAIN[:2] == pytest.approx((best.accuracy, best.auc), abs=5e-6)
    assert best.sample == 0
    panels = draw(view())
    for shown in (panels.picture, panels.numbers, panels.summary):
        assert "97.90 %" in shown and "0.9974" in shown and "±" not in shown.split("dashed")[0]


def test_at_an_unknown_place_the_ceiling_is_lower_and_comes_with_its_error():
    panels, best = draw(view(place="anywhere")), view(place="anywhere").best
    assert abs(best.accuracy - 0.9145) < 4 * best.accuracy_se < 0.01
    assert abs(best.auc - 0.9705) < 4 * best.auc_se < 0.01
    assert f"{100 * best.accuracy:.1f} ± {100 * best.accuracy_se:.1f} %" in panels.summary
    assert f"{best.sample:,} sequences drawn" in panels.picture
    assert view(place="either").best.accuracy < best.accuracy - 4 * best.accuracy_se


@every_setting
@pytest.mark.parametrize("gc", [20, 50, 73])
def test_without_a_motif_nobody_does_better_than_a_coin(place, negatives, gc):
    nothing = view(strength=0, place=place, negatives=negatives, gc=gc)
    np.testing.assert_allclose(nothing.ppm, np.tile(nothing.background, (6, 1)))
    few = 4 * nothing.best.accuracy_se if negatives == "dinucleotides" else 1e-9
    assert nothing.best.accuracy == pytest.approx(0.5, abs=few)
    assert nothing.counts_auc == pytest.approx(0.5, abs=1e-9)
    assert draw(nothing).summary.startswith("site of 0.0 bits")


@every_setting
def test_a_stronger_motif_lifts_the_ceiling(place, negatives):
    weak, strong = (view(strength=s, place=place, negatives=negatives) for s in (0.4, 1))
    assert strong.best.accuracy > weak.best.accuracy + 0.05
    assert strong.best.auc > weak.best.auc + 0.05


@every_setting
def test_wrong_labels_take_their_share_of_what_is_above_one_half(place, negatives):
    right, noisy = (view(place=place, negatives=negatives, noise=noise) for noise in (0, 30))
    for name in ("accuracy", "auc"):
        left = getattr(noisy.best, name) - 0.5
        assert left == pytest.approx(0.4 * (getattr(right.best, name) - 0.5))
    assert noisy.best.accuracy_se == pytest.approx(0.4 * right.best.accuracy_se)
    assert noisy.counts_auc - 0.5 == pytest.approx(0.4 * (right.counts_auc - 0.5))
    assert "labels that may be wrong" in draw(noisy).picture
    assert "labels that may be wrong" not in draw(right).picture


@every_setting
def test_only_for_dinucleotide_shuffled_negatives_it_says_at_least(place, negatives):
    shown = view(place=place, negatives=negatives)
    panels = draw(shown)
    unknown = negatives == "dinucleotides"
    assert isinstance(shown.best, LowerBound if unknown else Ceiling)
    for words in (panels.picture, panels.numbers, panels.summary):
        assert ("at least" in words) == unknown
    assert ("the ceiling is not computed" in panels.picture) == unknown
    assert ("no classifier can exceed it" in panels.picture) != unknown


# --- what gives the classes away -----------------------------------------------------------------


@every_setting
def test_shuffled_negatives_keep_what_they_promise(place, negatives):
    shown = view(place=place, negatives=negatives)
    same_bases = np.array_equal(*shown.bases)
    assert same_bases == (negatives in ("shuffled", "dinucleotides"))
    assert np.array_equal(*shown.dinucleotides) == (negatives == "dinucleotides")
    assert (shown.counts_auc == 0.5) == same_bases
    assert shown.bases.sum(axis=1) == pytest.approx(1)
    assert shown.dinucleotides.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("place", ["anywhere", "either"])
@pytest.mark.parametrize("negatives", ["background", "gc"])
def test_the_auc_of_the_counts_is_what_a_table_of_counts_reaches(place, negatives):
    """Which counts occur how often in each class, learned from one set and tried on another."""
    motif = CCGGAA / CCGGAA.sum(axis=1, keepdims=True)
    choices = {"length": 20, "against": negatives, **simulation.PLACES[place]}
    rng, tables, kinds = np.random.default_rng(5), [], []
    for many in (100_000, 20_000):
        made = simulate(motif, positives=many, negatives=many, rng=rng, **choices)
        counts = np.stack([(made.codes == base).sum(axis=1) for base in range(3)])
        kinds.append(np.ravel_multi_index(counts, (21, 21, 21)))
        seen = [np.bincount(kinds[-1][made.labels == label], minlength=21**3) for label in (1, 0)]
        tables.append((seen[0] + 0.5) / (seen[1] + 0.5))
    reached = roc_auc_score(made.labels, tables[0][kinds[1]])
    assert view(place=place, negatives=negatives).counts_auc == pytest.approx(reached, abs=0.012)


def test_the_probabilities_of_all_counts_add_up_to_1():
    for background in ([0.25] * 4, [0.4, 0.1, 0.2, 0.3]):
        for bases in (0, 14, 20):
            assert simulation._counts(np.array(background), bases).sum() == pytest.approx(1)
    assert simulation._counts(np.array([0.4, 0.1, 0.2, 0.3]), 3)[1, 0, 1] == pytest.approx(
        6 * 0.4 * 0.2 * 0.3
    )


def test_matching_gc_is_not_matching_the_composition():
    fresh, matched = (view(gc=35, negatives=n) for n in ("background", "gc"))
    gc = [some.bases[:, 1:3].sum(axis=1) for some in (fresh, matched)]
    assert abs(gc[0][0] - gc[0][1]) > 0.03 and abs(gc[1][0] - gc[1][1]) < 0.01
    assert 0.53 < matched.counts_auc < fresh.counts_auc


def test_the_word_of_the_motif_is_counted_on_both_strands():
    codes = np.array([[0, 1, 1, 2, 2, 0, 0], [3, 3, 1, 1, 2, 2, 0], [0, 1, 2, 3, 0, 1, 2]])
    assert simulation._with_word(codes) == pytest.approx(2 / 3)  # ACCGGAA, TTCCGGA, ACGTACG
    assert view().words[0] > 0.3 and view().words[1] < 0.02


# --- the sequences shown -------------------------------------------------------------------------


def sites(shown) -> list[str]:
    pairs = zip(shown.sequences, shown.starts)
    return [sequence[start : start + 6] for sequence, start in pairs if start >= 0]


def test_sites_stand_where_the_view_says():
    shown = view()
    assert shown.truth == shown.labels == [1] * simulation.SHOWN + [0] * simulation.OTHERS
    assert shown.starts == [7] * simulation.SHOWN + [-1] * simulation.OTHERS
    assert consensus(shown.ppm) == "CCGGAA"
    assert all(sum(a == b for a, b in zip(site, "CCGGAA")) >= 3 for site in sites(shown))
    assert all(len(sequence) == 20 for sequence in shown.sequences)
    assert len(set(view(place="anywhere").starts)) > 4
    assert set(view(place="either").strands) == {"+", "-", "."}


def test_a_wrong_label_stays_wrong_when_there_are_more_of_them():
    wrong_before = set()
    for noise in (0, 10, 20, 40):
        shown = view(noise=noise)
        assert shown.sequences == view().sequences
        wrong = {i for i in range(len(shown.labels)) if shown.labels[i] != shown.truth[i]}
        assert wrong_before <= wrong
        assert draw(shown).picture.count("✗ wrong") == len(wrong)
        assert draw(shown).numbers.count(", wrong<") == len(wrong)
        wrong_before = wrong
    assert len(wrong) >= 3


def test_labels_are_words_and_strands_are_signs_beside_the_colours():
    picture = draw(view(place="either", noise=40)).picture
    for words in (
        "✗ wrong",
        "+ →",
        "− ←",
        "labelled positive",
        "labelled negative",
        "the site is framed",
    ):
        assert words in picture


# --- markup --------------------------------------------------------------------------------------


@every_setting
def test_the_picture_can_be_read_and_is_small(place, negatives):
    panels = draw(view(strength=0.85, gc=23, place=place, negatives=negatives, noise=37))
    assert len(panels.picture) + len(panels.numbers) < 40_000
    root = ElementTree.fromstring(panels.picture)
    texts = [node for node in root.iter() if node.tag.endswith("}text")]
    assert min(float(node.get("font-size")) for node in texts) >= 10
    on_paper = [node for node in texts if node.get("fill") != "#ffffff"]
    assert min(contrast(node.get("fill"), "#ffffff") for node in on_paper) >= 4.5
    assert not re.search(
        r"\bnan\b|\binf\b|-0\.0+ ", panels.picture + panels.numbers + panels.summary
    )


@every_setting
@pytest.mark.parametrize("strength, gc, noise", [(0, 20, 40), (1, 80, 0), (0.05, 50, 3)])
def test_no_bar_leaves_its_frame(place, negatives, strength, gc, noise):
    shown = view(strength=strength, gc=gc, place=place, negatives=negatives, noise=noise)
    for tall in (shown.bases, shown.dinucleotides):
        assert 0 <= tall.min() and tall.max() <= 1
    root = ElementTree.fromstring(draw(shown).picture)
    for node in root.iter():
        if node.tag.endswith("}rect"):
            x, width = float(node.get("x", 0)), float(node.get("width"))
            assert width >= 0 and x + width <= _simulation_picture.WIDTH


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"strength": 1.2}, "the motif strength is 1.2"),
        ({"place": "left"}, "the place is 'left'"),
        ({"gc": 0}, "the GC content is 0"),
        ({"negatives": "none"}, "'none'"),
        ({"noise": 60}, "the noise is 60 percent"),
    ],
)
def test_a_value_that_cannot_be_is_told(changes, words):
    with pytest.raises(SimulationError, match=re.escape(words)):
        view(**changes)
