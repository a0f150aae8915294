"""Lesson 03: its figures, and the mistakes of the source lectures that it corrects."""

import re

import numpy as np
import pytest
from reading import claims, said

from course_utils.ceilings import ceiling, lower_bound
from course_utils.explorers.simulation import compute
from course_utils.motifs import pfm_to_ppm
from course_utils.sequences import SequenceError, one_hot
from course_utils.simulation import CCGGAA

NAME = "03_simulating_sequences"
PPM = pfm_to_ppm(CCGGAA)


def percents(words: str) -> list[float]:
    return [float(number) for number in re.findall(r"(\d+\.\d+)%", words)]


def test_the_simulation_has_the_shapes_of_the_source_lectures():
    assert "positives (1000, 20)  negatives (1000, 20)" in said(NAME, "seed:000-simulation")
    assert "labels: (2000,)  one-hot: (2000, 20, 4)" in said(NAME, "seed:000-shapes")


def test_M04_one_printed_20_mer_has_19_letters():
    words = said(NAME, "M04")
    assert "lengths: [20, 20, 20, 19]" in words
    assert "number 3 has 19" in words
    with pytest.raises(SequenceError, match="number 1 has 19"):
        one_hot(["TTCTGGACAGGAAGTCCAAA", "GTTGGTTCCTGAAGAGGTT"])


def test_the_ceiling_of_the_lectures_set_is_97_903_percent_and_AUC_0_99738():
    best = ceiling(PPM, length=20, start=7)
    assert f"{best.accuracy:.5f}" == "0.97903" and f"{best.auc:.5f}" == "0.99738"
    words = said(NAME, "ceiling-fixed")
    assert "best accuracy, by hand: 0.97903" in words
    assert "the package: accuracy 0.97903, AUC 0.99738" in words
    [luck] = claims(NAME, r"even the best classifier is typically (0\.\d) percent off")
    assert f"the best classifier on a test set of 400: 97.9% ± {luck}%" in words
    drawn = said(NAME, "likelihood-ratio")
    assert percents(drawn) == [97.75]  # of 2,000 sequences
    missed, fooled = map(int, re.findall(r"(\d+) positives lie below 0 and (\d+) neg", drawn)[0])
    assert missed + fooled == pytest.approx(2000 * (1 - 0.9775))


def test_at_an_unknown_place_it_is_91_45_percent_within_three_standard_errors():
    best = ceiling(PPM, length=20, rng=np.random.default_rng(0))
    assert abs(best.accuracy - 0.9145) < 3 * best.accuracy_se
    assert abs(best.auc - 0.9705) < 3 * best.auc_se
    words = said(NAME, "ceiling-unknown-place")
    printed = percents(words)
    assert abs(printed[0] - 91.45) < 3 * printed[1]
    low, high = map(float, claims(NAME, r"Between (91\.\d) and (91\.\d) percent\. There are too many words"))
    assert low < printed[0] < high and low < 91.45 < high
    assert "the same: True" in words
    mean, highest, known_place = percents(words)[2:]
    assert mean >= highest > known_place + 7


def test_both_strands_lower_the_ceiling_at_a_known_and_at_an_unknown_place():
    one, one_anywhere, either, anywhere = percents(said(NAME, "ceiling-strands"))
    assert one > either > one_anywhere > anywhere


def test_M34_composition_alone_reaches_0_79_on_the_primers_set_and_nothing_on_shuffles():
    words = said(NAME, "M34")
    assert "number of C minus the number of T: 0.79" in words
    assert "regression on all four numbers:      0.80" in words
    leaks = [float(number) for number in re.findall(r"composition AUC (\d\.\d+)", words)]
    assert len(leaks) == 3 and min(leaks[:2]) > 0.65 and leaks[2] == 0.5
    assert "the motif as a rule: right in 100%" in words


def test_GC_matching_changes_little_and_shuffling_costs_nearly_two_percent():
    fresh, gc, shuffled = percents(said(NAME, "negatives"))
    assert abs(fresh - gc) < 0.15 and 1.5 < gc - shuffled < 2
    a, _, _, t = map(float, re.findall(r"\d\.\d{3}", said(NAME, "negatives"))[-4:])
    assert a > 0.25 > t


def test_dinucleotide_shuffles_of_20_bases_keep_several_times_as_many_motifs():
    fresh, shuffled, reached = percents(said(NAME, "dinucleotide-negatives"))
    assert shuffled > 5 * fresh
    bound = lower_bound(PPM, rng=np.random.default_rng(0))
    assert abs(reached / 100 - bound.accuracy) < 4 * bound.accuracy_se


def test_a_permutation_of_cut_pairs_changes_pairs_and_the_true_shuffle_does_not():
    words = said(NAME, "dinucleotides")
    [changed] = re.findall(r"pairs whose count changed: (\d+) of 16", words)
    assert int(changed) > 0
    assert re.findall(r"  pairs whose count changed: (\d+)\n", words) == ["0"] * 5


def test_the_six_reachable_sequences_come_equally_often():
    counts = [int(n) for n in re.findall(r"^G[ACGT]+ (\d+)$", said(NAME, "uniform-shuffle"), re.M)]
    assert len(counts) == 6 and sum(counts) == 6000
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 15.1  # chi-squared, 5 df, p = 0.01


def test_keeping_the_pairs_explains_the_hits_of_GABPA_and_not_those_of_SP1_and_MEF2C():
    lines = said(NAME, "null-model").replace(",", "").splitlines()[1:]
    rows = {line.split()[0]: [float(word) for word in line.split()[1:]] for line in lines}
    found, independent, pairs, _ = rows["GABPA"]
    assert found > 1.75 * independent and abs(found - pairs) < 1
    assert rows["SP1"][2] > 2 * rows["SP1"][1]
    for motif in ("SP1", "MEF2C"):
        found, _, _, most = rows[motif]
        assert found > most


def test_most_of_what_a_pair_gains_is_the_second_motif():
    limits = re.findall(r"ceiling (\d+\.\d)%, AUC", said(NAME, "closer-to-nature"))
    one, other, loose, close, either_order = map(float, limits)
    assert loose - max(one, other) > close - loose > 0
    assert 0 < close - either_order < 2


def test_experiments_that_agree_in_90_percent_are_each_right_in_94_7():
    assert 0.947**2 + 0.053**2 == pytest.approx(0.9, abs=0.0005)


def test_the_explorers_riddle_has_the_answers_the_lesson_gives():
    view = {kind: compute(strength=1, place="anywhere", gc=20, negatives=kind, noise=0)
            for kind in ("background", "shuffled")}  # fmt: skip
    assert view["background"].counts_auc > 0.85
    assert view["shuffled"].counts_auc == pytest.approx(0.5)
    cost = ceiling(PPM, start=7).accuracy - 0.9145
    noise = cost / (2 * (ceiling(PPM, start=7).accuracy - 0.5))
    assert round(100 * noise) == 7


def test_wrong_labels_bring_the_ceiling_down_to_88_percent():
    words = said(NAME, "label-noise")
    assert "10% of labels flipped: accuracy 88.32%" in words
    assert "labels that differ from the truth: 200 of 2000" in words


def test_the_ceiling_falls_with_the_length_to_7_right_calls_of_10():
    limits = [float(n) for n in re.findall(r"accuracy (\d\.\d+),", said(NAME, "ceiling-by-length"))]
    assert limits == sorted(limits, reverse=True) and limits[-1] == 0.70
