"""Lesson 02: its figures, and the mistakes of the source lectures that it corrects."""

import itertools

import numpy as np
import pytest
from reading import said

from course_utils.datasets import shipped
from course_utils.motifs import (
    background_of,
    information,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
)
from course_utils.scanning import find_hits, rounded, scan, score_distribution
from course_utils.sequences import one_hot, read_fasta

NAME = "02_pfm_pwm_scanning"
SITES = ["TACAA", "TACGA", "TACAA"]  # of both Korean lectures


@pytest.fixture(scope="module")
def ppm():
    return pfm_to_ppm(pfm_from_sites(SITES), pseudocount=0.5)


def product_score(word: str, ppm: np.ndarray) -> float:
    """As the lectures score a word: the natural logarithm of the product of its probabilities."""
    return float(np.log(np.prod(np.sum(one_hot(word, dtype=int) * ppm, axis=1))))


def test_the_counts_and_probabilities_are_those_of_the_source_lectures(ppm):
    words = said(NAME, "seed:000-pfm-ppm")
    assert "A:   0.00   3.00   0.00   2.00   3.00" in words  # as Biopython prints it there
    assert "[0.5 0.1 0.3 0.1]" in words and "as Biopython has it: True" in words
    np.testing.assert_allclose(ppm[3], [0.5, 0.1, 0.3, 0.1])


def test_M01_the_consensus_scores_minus_2_12_and_no_word_scores_0(ppm):
    assert product_score("ATACA", ppm) == -9.567015315914915
    assert product_score("TACAA", ppm) == -2.119846956314875
    best = max(product_score("".join(w), ppm) for w in itertools.product("ACGT", repeat=5))
    assert best == product_score("TACAA", ppm) < 0
    words = said(NAME, "M01")
    assert "-9.567015315914915" in words and "-2.119846956314875" in words
    assert "the best is TACAA with -2.1198" in words


def test_M02_the_three_tables_hold_different_kinds_of_numbers(ppm):
    words = said(NAME, "M02")
    for line in ("PFM, counts", "PPM, probabilities", "PWM, log-odds in bits"):
        assert line in words
    assert ppm.sum(axis=1) == pytest.approx(1)
    assert (ppm_to_pwm(ppm) < 0).any(), "a weight has a sign, a probability has none"


def test_log_odds_have_a_zero_that_means_something(ppm):
    scores = scan("ATACAA", ppm_to_pwm(ppm))[0]
    assert scores == pytest.approx([-3.8022857, 6.9417076])
    words = said(NAME, "log-odds")
    assert "ATACA  -3.8023 bits" in words and "TACAA   6.9417 bits, 122.9312 times" in words
    assert 1 / 2 ** scores[0] == pytest.approx(14, abs=0.1), "14 times less likely, says the text"


def test_the_toy_motif_has_2_8874_bits(ppm):
    assert information(ppm).sum() == pytest.approx(2.8874, abs=5e-5)
    assert "total: 2.8874 bits" in said(NAME, "information")


def test_three_random_sites_seem_to_have_0_89_bits_at_each_position():
    exact = np.mean([information(pfm_to_ppm(pfm_from_sites(sites)))[0]
                     for sites in itertools.product("ACGT", repeat=3)])  # fmt: skip
    assert exact == pytest.approx(0.89, abs=0.005)
    assert "    3                                   0.88" in said(NAME, "small-sample")


def test_the_slow_scan_the_packaged_scan_and_the_convolution_agree():
    assert "the same scores: True" in said(NAME, "scan")
    assert "the same scores: True" in said(NAME, "convolution")
    assert "scan: -19.980" in said(NAME, "four-at-a-time")


def test_all_words_and_dynamic_programming_give_the_same_p_values(ppm):
    listed, pooled = said(NAME, "brute-force"), said(NAME, "dynamic-programming")
    for p in ("0.1562", "0.0156", "0.0010"):
        assert f"p = {p}" in listed and f"p = {p} by hand, {p} in the package" in pooled


def test_the_threshold_does_not_exceed_the_rate_asked_and_says_when_there_is_none():
    words = said(NAME, "threshold-traps")
    assert "Biopython 4.133 bits: 0.0156 of all words pass" in words
    assert "ours      4.617 bits: 0.0039 of all words pass" in words
    assert "no word is as rare as 0.0001" in words and "732,422 CACGTG" in words
    assert "Biopython's answer: 11.77 bits; the highest score: 11.77" in words


def test_two_thirds_of_the_true_sites_pass_where_one_random_word_in_10_000_does():
    assert "65% of true sites pass it" in said(NAME, "distributions")


def test_the_promoter_has_32_754_windows_on_two_strands():
    [record] = read_fasta(shipped("gata4_promoter.fa"))
    motif = next(m for m in read_motifs(shipped("jaspar_motifs.txt")) if m.name == "GATA4")
    background = background_of(record.sequence)
    pwm = rounded(ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5), background))
    scores, distribution = scan(record.sequence, pwm), score_distribution(pwm, background)
    assert scores.size == 32_754
    hits = find_hits(scores, distribution.threshold(1e-4))
    assert f"found: {len(hits.start)}\n" in said(NAME, "expected-hits")


def test_in_the_whole_locus_chance_explains_23_of_26_hits_of_GATA4():
    words = said(NAME, "whole-locus")
    assert "MA0482.3   GATA4       26       23.1" in words
    assert "MAX      cannot reach this p-value" in words
    table = words[words.index("true sites that pass") :].splitlines()[1:13]
    hits = {line.split()[1]: int(line.split()[2]) for line in table if "cannot" not in line}
    assert max(hits, key=hits.get) == "SP1" and hits["SP1"] == 161


def test_one_motif_has_discoveries_and_twelve_together_have_none():
    words = said(NAME, "whole-locus")
    finds = [line for line in words.splitlines() if "discoveries at q = 0.05" in line]
    assert [line.split()[1] for line in finds if not line.endswith(": 0")] == ["SP1"]
    assert "all twelve motifs together: smallest q 0.31" in words


def test_not_even_the_best_word_of_GATA4_reaches_even_odds_in_the_promoter():
    lines = said(NAME, "prior-odds").splitlines()
    needed, best, average = (float(line.removesuffix(" bits").split()[-1]) if i else
                             float(line.split(": ")[1].split()[0]) for i, line in enumerate(lines))  # fmt: skip
    assert average < best < needed == 15.0


def test_the_two_strongest_of_777_changes_pass_one_threshold_and_not_the_other():
    words, limits = said(NAME, "tert"), said(NAME, "tert-limits")
    assert "777 changed versions" in words
    lines = words.split("p-value after\n")[1].splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["1295113", "1295135"]
    strict, fitting = (float(line.split(":")[1].split()[0]) for line in limits.splitlines()[:2])
    after = [float(line.split("->")[1].split()[0]) for line in lines[:2]]
    assert all(fitting < score < strict for score in after)
    assert "over all 777 changes: 0.13" in limits


def test_chance_leaves_one_stretch_in_six_with_one_hit_or_none():
    assert "chance of at least one: 96%; of one or none: 17%" in said(NAME, "expected-hits")
