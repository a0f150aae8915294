"""Scanning against a plain loop, Biopython and torch; p-values against counting every word there is."""

import itertools
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import torch
from Bio.motifs.matrix import PositionSpecificScoringMatrix
from Bio.Seq import Seq
from scipy.stats import false_discovery_control

from course_utils import scanning
from course_utils.datasets import shipped
from course_utils.motifs import (
    UNIFORM,
    MotifError,
    background_of,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
)
from course_utils.scanning import (
    STEP,
    benjamini_hochberg,
    find_hits,
    rounded,
    scan,
    score_distribution,
)
from course_utils.sequences import ALPHABET, IUPAC, one_hot, read_fasta, reverse_complement, to_codes

JASPAR = read_motifs(shipped("jaspar_motifs.txt"))
BACKGROUNDS = [UNIFORM, (0.3, 0.2, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4)]
SITES = ["TACAA", "TACGA", "TACAA"]  # seeds 000 and 002
SEED_PWM = ppm_to_pwm(pfm_to_ppm(pfm_from_sites(SITES), 0.5))


def random_ppm(width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng([width, seed]).dirichlet([0.5] * 4, size=width)


def random_pwm(width: int, seed: int = 0) -> np.ndarray:
    return ppm_to_pwm(0.96 * random_ppm(width, seed) + 0.01)


def random_sequence(length: int, letters: str = ALPHABET, seed: int = 0) -> str:
    return "".join(np.random.default_rng([length, seed]).choice(list(letters), size=length))


def by_loop(sequence: str, pwm: np.ndarray) -> np.ndarray:
    """What `scan` promises, base by base."""
    width = len(pwm)
    scores = np.zeros((2, len(sequence) - width + 1))
    for start in range(scores.shape[1]):
        window = sequence[start : start + width].upper()
        for strand, word in enumerate([window, reverse_complement(window)]):
            for position, base in enumerate(word):
                known = base in ALPHABET
                scores[strand, start] += pwm[position, ALPHABET.index(base)] if known else -np.inf
    return scores


def pssm_of(pwm: np.ndarray) -> PositionSpecificScoringMatrix:
    weights = {base: column.tolist() for base, column in zip(ALPHABET, pwm.T)}
    return PositionSpecificScoringMatrix(ALPHABET, weights)


# --- scanning ------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", range(1, 33))
def test_scan_is_the_plain_loop_for_every_width_and_letter(width):
    pwm = random_pwm(width)
    for letters, seed in ((ALPHABET, 1), ("ACGTacgt" * 8 + "".join(IUPAC), 2), ("ACGTN", 3)):
        for length in (width, width + 1, width + 2, width + 3, 100):
            sequence = random_sequence(length, letters, seed)
            scores = scan(sequence, pwm)
            assert scores.shape == (2, length - width + 1) and scores.dtype == np.float32
            np.testing.assert_allclose(scores, by_loop(sequence, pwm), rtol=0, atol=1e-4)


@pytest.mark.parametrize("block", [1, 2, 3, 5, 7, 64])
@pytest.mark.parametrize("width", [1, 3, 4, 5, 8, 13])
def test_scan_is_the_same_in_blocks_of_any_size(block, width, monkeypatch):
    sequence = random_sequence(131, "ACGT" * 20 + "Nn")
    whole = scan(sequence, random_pwm(width))
    monkeypatch.setattr(scanning, "_BLOCK", block)
    np.testing.assert_array_equal(scan(sequence, random_pwm(width)), whole)


def test_scan_crosses_its_own_blocks_unseen():
    sequence = random_sequence(3 * scanning._BLOCK + 17, "ACGT" * 2000 + "N")
    pwm = random_pwm(11)
    whole = scan(sequence, pwm)
    for start in (scanning._BLOCK - 30, 2 * scanning._BLOCK - 30, len(sequence) - 60):
        piece = scan(sequence[start : start + 60], pwm)
        np.testing.assert_array_equal(whole[:, start : start + 50], piece)


@pytest.mark.parametrize("motif", JASPAR, ids=lambda motif: motif.accession)
def test_scan_is_biopythons_on_both_strands_of_a_real_sequence(motif):
    (record,) = read_fasta(shipped("gata4_promoter.fa"))
    pwm = ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5), background_of(record.sequence))
    pssm = pssm_of(pwm)
    scores = scan(record.sequence, pwm)
    sequence = Seq(record.sequence.upper())
    for row, theirs in zip(scores, (pssm, pssm.reverse_complement())):
        np.testing.assert_allclose(row, theirs.calculate(sequence), rtol=0, atol=1e-4)


@pytest.mark.parametrize("width", [1, 6, 12, 31])
def test_scan_is_a_convolution(width):
    sequence, pwm = random_sequence(300), random_pwm(width)
    encoded = torch.from_numpy(one_hot(sequence, dtype=np.float64).T[None])  # (1, 4, L)
    both = np.stack([pwm.T, pwm[::-1, ::-1].T])  # (2, 4, width)
    convolved = torch.nn.functional.conv1d(encoded, torch.from_numpy(both))[0]
    np.testing.assert_allclose(scan(sequence, pwm), convolved.numpy(), rtol=0, atol=1e-4)


def test_the_minus_strand_is_the_reverse_complement_read_backwards():
    for width in (1, 5, 8, 19):
        sequence = random_sequence(200, "ACGTacgtNRY", seed=width)
        scores = scan(sequence, random_pwm(width))
        turned = scan(reverse_complement(sequence), random_pwm(width))
        np.testing.assert_allclose(scores, turned[::-1, ::-1], rtol=0, atol=1e-4)


def test_a_base_that_is_ruled_out_scores_minus_infinity_and_no_other_window_does():
    pwm = ppm_to_pwm(pfm_to_ppm(pfm_from_sites(SITES)))
    sequence = random_sequence(5000) + "TACAA"
    scores = scan(sequence, pwm)
    np.testing.assert_allclose(scores, by_loop(sequence, pwm), rtol=0, atol=1e-4)
    assert np.isfinite(scores[0, -1]) and not np.isnan(scores).any()


@pytest.mark.parametrize("letter", sorted(set(IUPAC) - set(ALPHABET)))
def test_an_unknown_letter_is_never_in_a_hit_and_the_windows_beside_it_are_right(letter):
    width, place = 5, 40
    sequence = random_sequence(90)
    scores = scan(sequence[:place] + letter + sequence[place + 1 :], random_pwm(width))
    touched = slice(place - width + 1, place + 1)
    assert np.isneginf(scores[:, touched]).all()
    scores[:, touched] = scan(sequence, random_pwm(width))[:, touched]
    np.testing.assert_array_equal(scores, scan(sequence, random_pwm(width)))


def test_lower_case_is_read_as_upper_case():
    sequence = random_sequence(500, "ACGTN")
    np.testing.assert_array_equal(
        scan(sequence.lower(), random_pwm(9)), scan(sequence, random_pwm(9))
    )


def test_scan_changes_neither_weights_nor_the_next_result():
    pwm = random_pwm(6)
    before = pwm.copy()
    first = scan("ACGTNACGTACG", pwm)
    first[:] = 7
    np.testing.assert_array_equal(pwm, before)
    np.testing.assert_allclose(scan("ACGTNACGTACG", pwm), by_loop("ACGTNACGTACG", pwm), atol=1e-4)


def test_scan_takes_less_than_40_bytes_a_base():
    bases = 10**6
    sequence = random_sequence(bases // 2) + "N" * 1000 + random_sequence(bases // 2 - 1000)
    for width in (12, 31):
        pwm = random_pwm(width)
        tracemalloc.start()
        try:
            scores = scan(sequence, pwm)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert scores.nbytes <= 8 * bases < peak < 40 * bases


# --- hits ----------------------------------------------------------------------------------------


def test_hits_are_the_windows_of_a_plain_loop_from_left_to_right():
    sequence = random_sequence(400, "ACGTN")
    scores = scan(sequence, SEED_PWM)
    expected = [
        (start, strand, scores[row, start])
        for start in range(scores.shape[1])
        for row, strand in enumerate("+-")
        if scores[row, start] >= 0
    ]
    assert len(expected) > 10 and {"+", "-"} == {strand for _, strand, _ in expected}
    assert list(zip(*find_hits(scores, 0.0))) == expected


def test_a_palindrome_is_found_once_on_each_strand():
    pwm = ppm_to_pwm(pfm_to_ppm(pfm_from_sites(["CACGTG"]), 0.1))
    hits = find_hits(scan("TTTTCACGTGTTTT", pwm), 8)
    assert hits.start.tolist() == [4, 4] and hits.strand.tolist() == ["+", "-"]


def test_a_score_of_exactly_the_threshold_is_a_hit():
    scores = np.array([[1.0, 2.0, 3.0], [2.0, -np.inf, 0.0]], dtype=np.float32)
    hits = find_hits(scores, 2.0)
    assert hits.start.tolist() == [0, 1, 2] and hits.strand.tolist() == ["-", "+", "+"]
    assert hits.score.tolist() == [2, 2, 3]


def test_no_hit_is_an_empty_list_and_ruled_out_windows_are_none():
    scores = scan("ACGTNNACG", SEED_PWM)
    assert [len(part) for part in find_hits(scores, 99.0)] == [0, 0, 0]
    assert len(find_hits(scores, -1e30).start) == 0, "a window with N scores -inf"


# --- exact p-values: every word there is ---------------------------------------------------------


def every_word(pwm: np.ndarray, probabilities: np.ndarray, step: float = STEP):
    """Score in steps (-inf if ruled out) and probability of each of the 4^width words."""
    steps, chances = np.zeros(1), np.ones(1)
    for weights, row in zip(pwm, np.broadcast_to(probabilities, pwm.shape)):
        steps = (steps[:, None] + np.rint(weights / step)).ravel()
        chances = (chances[:, None] * row).ravel()
    return steps, chances


def rates(steps: np.ndarray, chances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The scores that some word has, in steps, and how likely a word scores as high, by adding up."""
    attained = np.unique(steps[np.isfinite(steps)])
    order = np.argsort(steps)
    tail = np.cumsum(chances[order][::-1])[::-1]
    return attained, np.minimum(tail[np.searchsorted(steps[order], attained)], 1)


def short_motifs() -> list:
    shorts = [(motif.accession, pfm_to_ppm(motif.pfm, 0.5)) for motif in JASPAR if len(motif.pfm) <= 8]
    assert len(shorts) == 5
    shorts += [(f"random {width}", random_ppm(width)) for width in range(1, 8)]
    zero = pfm_to_ppm(pfm_from_sites(SITES))
    return [pytest.param(ppm, id=name) for name, ppm in [*shorts, ("with zeros", zero)]]


@pytest.mark.parametrize("background", BACKGROUNDS, ids=str)
@pytest.mark.parametrize("ppm", short_motifs())
def test_p_values_are_those_of_counting_every_word(ppm, background):
    pwm = ppm_to_pwm(ppm, background)
    distribution = score_distribution(pwm, background)
    steps, chances = every_word(pwm, background)
    attained, expected = rates(steps, chances)
    np.testing.assert_allclose(distribution.p_value(attained * STEP), expected, rtol=1e-9)
    # Between two attained scores the p-value is that of the higher one, above the highest it is 0.
    np.testing.assert_allclose(distribution.p_value((attained - 0.5) * STEP), expected, rtol=1e-9)
    assert distribution.p_value((attained[-1] + 1) * STEP) == 0
    assert distribution.p_value(distribution.scores).max() <= 1
    assert distribution.impossible == pytest.approx(chances[np.isneginf(steps)].sum(), abs=1e-12)


@pytest.mark.parametrize("background", BACKGROUNDS, ids=str)
@pytest.mark.parametrize("ppm", short_motifs())
def test_the_threshold_is_the_lowest_attained_score_that_is_rare_enough(ppm, background):
    pwm = ppm_to_pwm(ppm, background)
    distribution = score_distribution(pwm, background)
    steps, chances = every_word(pwm, background)
    attained, rate = rates(steps, chances)
    for p in [1, 0.5, 0.05, 0.01, 1e-3, 1e-4, *rate[:: len(rate) // 20 + 1]]:
        allowed = attained[rate <= p * (1 + 1e-9)]
        if len(allowed):
            assert distribution.threshold(p) == pytest.approx((allowed[0] - 0.5) * STEP, abs=1e-9)
            assert distribution.p_value(distribution.threshold(p)) <= p * (1 + 1e-9)
        else:
            with pytest.raises(MotifError, match="no word is as rare"):
                distribution.threshold(p)


@pytest.mark.parametrize("ppm", short_motifs())
def test_the_scores_of_the_motifs_own_sites_are_those_of_every_word(ppm):
    pwm = ppm_to_pwm(ppm)
    distribution = score_distribution(pwm, ppm)
    steps, chances = every_word(pwm, ppm)
    for threshold in np.quantile(steps[np.isfinite(steps)], [0, 0.3, 0.9, 0.999, 1]):
        expected = chances[steps >= threshold].sum()
        assert distribution.p_value(threshold * STEP) == pytest.approx(expected, rel=1e-9)
    mean = (distribution.scores * distribution.probability).sum()
    bits = (ppm[ppm > 0] * pwm[ppm > 0]).sum()
    assert mean == pytest.approx(bits, abs=len(ppm) * STEP / 2)


@pytest.mark.parametrize("step", [1e-4, 1e-3, 0.1, 1.0])
@pytest.mark.parametrize("motif", JASPAR, ids=lambda motif: motif.accession)
def test_probabilities_add_up_to_one_and_p_values_never_rise(motif, step):
    pwm = ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5))
    for probabilities in (UNIFORM, pfm_to_ppm(motif.pfm, 0.5)):
        distribution = score_distribution(pwm, probabilities, step)
        assert distribution.probability.sum() == pytest.approx(1, abs=1e-12)
        assert distribution.impossible == 0
        p_values = distribution.p_value(distribution.scores)
        assert (np.diff(p_values) <= 0).all() and p_values[0] == pytest.approx(1)
        assert distribution.scores[0] == pytest.approx(rounded(pwm, step).min(axis=1).sum(), abs=1e-6)
        assert distribution.scores[-1] == pytest.approx(rounded(pwm, step).max(axis=1).sum(), abs=1e-6)


def test_small_p_values_keep_their_digits():
    """Width 20, uniform: words are counted in whole numbers, and 4^-20 is 9e-13."""
    pwm = random_pwm(20, seed=7)
    words = {0: 1}  # score in steps -> how many words have it
    for weights in np.rint(pwm / 0.1).astype(int).tolist():
        longer = {}
        for score, many in words.items():
            for weight in weights:
                longer[score + weight] = longer.get(score + weight, 0) + many
        words = longer
    assert sum(words.values()) == 4**20
    distribution = score_distribution(pwm, UNIFORM, step=0.1)
    at_least = 0
    for score in sorted(words, reverse=True):
        at_least += words[score]
        expected = float(Fraction(at_least, 4**20))
        assert distribution.p_value(score * 0.1) == pytest.approx(expected, rel=1e-12)
    best = float(Fraction(words[max(words)], 4**20))
    assert distribution.p_value(max(words) * 0.1) == pytest.approx(best, rel=1e-12) and best < 1e-11


def test_special_scores_have_the_p_values_that_follow():
    distribution = score_distribution(ppm_to_pwm(pfm_to_ppm(pfm_from_sites(SITES))))
    assert distribution.impossible == pytest.approx(1 - 2 / 4**5)
    p_values = distribution.p_value([-np.inf, -1e6, 1e6, np.inf])
    np.testing.assert_allclose(p_values, [1, 2 / 4**5, 0, 0])
    assert np.ndim(distribution.p_value(0.0)) == 0
    assert distribution.p_value(np.zeros((2, 3))).shape == (2, 3)


def test_a_distribution_over_other_probabilities_than_the_motifs_may_rule_every_word_out():
    pwm = ppm_to_pwm(np.eye(4)[[0, 1]])
    distribution = score_distribution(pwm, np.eye(4)[[2, 1]])
    assert distribution.impossible == 1 and distribution.p_value(-99.0) == 0
    with pytest.raises(MotifError, match="no word is as rare"):
        distribution.threshold(0.5)


def test_probabilities_that_a_file_has_rounded_count_as_adding_up_to_one():
    distribution = score_distribution(random_pwm(20), (0.29505, 0.205, 0.205, 0.295))
    assert distribution.probability.sum() == pytest.approx(1, abs=1e-12)


# --- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1e-4, 1e-3, 0.1])
@pytest.mark.parametrize("motif", JASPAR, ids=lambda motif: motif.accession)
def test_rounding_moves_a_score_by_half_a_step_a_position_at_most(motif, step):
    pwm = ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5))
    words = np.random.default_rng(8).integers(0, 4, size=(2000, len(pwm)))
    places = np.arange(len(pwm))
    exact, coarse = (matrix[places, words].sum(axis=1) for matrix in (pwm, rounded(pwm, step)))
    assert abs(exact - coarse).max() <= len(pwm) * step / 2 + 1e-9
    np.testing.assert_allclose(coarse / step, np.rint(coarse / step), atol=1e-6)


@pytest.mark.parametrize("motif", JASPAR, ids=lambda motif: motif.accession)
def test_the_windows_found_at_a_p_value_are_those_that_have_it(motif):
    """float32 scores and thresholds half a step below: rounding decides about no window."""
    (record,) = read_fasta(shipped("gata4_promoter.fa"))
    background = background_of(record.sequence)
    pwm = rounded(ppm_to_pwm(pfm_to_ppm(motif.pfm, 0.5), background))
    distribution = score_distribution(pwm, background)
    scores = scan(record.sequence, pwm)
    exact = np.rint(by_sliding(record.sequence, pwm) / STEP)
    for p in (0.05, 1e-3):
        hits = find_hits(scores, distribution.threshold(p))
        assert (distribution.p_value(hits.score) <= p).all()
        wanted = np.nonzero((exact * STEP >= distribution.threshold(p)).T)
        np.testing.assert_array_equal(hits.start, wanted[0])
        np.testing.assert_array_equal(hits.strand == "-", wanted[1])


def by_sliding(sequence: str, pwm: np.ndarray) -> np.ndarray:
    """Scores in double precision, a column at a time."""
    codes, windows = to_codes(sequence), len(sequence) - len(pwm) + 1
    assert codes.max() < 4
    return np.array(
        [
            sum(matrix[i, codes[i : i + windows]] for i in range(len(matrix)))
            for matrix in (pwm, pwm[::-1, ::-1])
        ]
    )


def test_chance_hits_come_as_often_as_their_p_value_says():
    pwm = rounded(random_pwm(10, seed=3))
    distribution = score_distribution(pwm)
    threshold = distribution.threshold(1e-3)
    expected = distribution.p_value(threshold)
    scores = scan(random_sequence(400_000, seed=9), pwm)
    found = len(find_hits(scores, threshold).start) / scores.size
    assert found == pytest.approx(expected, rel=0.2)  # 800 hits are counted to 4 %


# --- what Biopython does -------------------------------------------------------------------------


def test_biopythons_threshold_lets_more_words_pass_than_asked():
    theirs = pssm_of(SEED_PWM).distribution(dict.fromkeys(ALPHABET, 0.25), precision=1000)
    distribution = score_distribution(SEED_PWM)
    words = itertools.product(range(4), repeat=5)
    scores = np.array([sum(SEED_PWM[i, base] for i, base in enumerate(word)) for word in words])
    assert (scores >= theirs.threshold_fpr(0.01)).mean() == pytest.approx(0.015625)
    assert (scores >= distribution.threshold(0.01)).mean() == pytest.approx(0.00390625)
    assert distribution.p_value(distribution.threshold(0.01)) == pytest.approx(0.00390625)


def test_biopython_and_not_we_stumble_over_a_base_that_never_occurs():
    pwm = ppm_to_pwm(pfm_to_ppm(pfm_from_sites(SITES)))
    with pytest.raises((ValueError, OverflowError)):
        pssm_of(pwm).distribution(dict.fromkeys(ALPHABET, 0.25))
    distribution = score_distribution(pwm)
    assert distribution.p_value(distribution.scores[-1]) == pytest.approx(1 / 4**5)
    assert distribution.probability.sum() + distribution.impossible == pytest.approx(1)


# --- many tests ----------------------------------------------------------------------------------


def adjusted_by_definition(p_values: list[float]) -> list[float]:
    """For each p-value: the smallest q at which the procedure of Benjamini & Hochberg calls it."""
    ranked = sorted(p_values)
    return [
        min(1.0, min(q * len(ranked) / rank for rank, q in enumerate(ranked, start=1) if q >= p))
        for p in p_values
    ]


@pytest.mark.parametrize("many", [1, 2, 17, 200])
def test_adjusted_p_values_are_those_of_the_definition_and_of_scipy(many):
    p_values = np.random.default_rng(many).uniform(size=many) ** 3
    p_values[many // 2 :: 3] = p_values[0]  # ties
    np.testing.assert_allclose(benjamini_hochberg(p_values), adjusted_by_definition(p_values))
    np.testing.assert_allclose(benjamini_hochberg(p_values), false_discovery_control(p_values))


def test_the_smallest_p_values_alone_are_adjusted_for_all_tests_and_never_too_low():
    p_values = np.sort(np.random.default_rng(1).uniform(size=500) ** 2)
    alone, together = benjamini_hochberg(p_values[:40], tests=500), benjamini_hochberg(p_values)[:40]
    assert (alone >= together - 1e-12).all()
    last = np.flatnonzero(np.isclose(together, p_values[:40] * 500 / np.arange(1, 41)))[-1] + 1
    np.testing.assert_allclose(alone[:last], together[:last])
    assert last > 5


def test_edges_of_many_tests():
    assert benjamini_hochberg([]).shape == (0,)
    np.testing.assert_allclose(benjamini_hochberg([0, 1, 1]), [0, 1, 1])


def test_scores_beyond_any_word_have_no_chance_however_large_the_weights():
    distribution = score_distribution(np.full((2, 4), 1e7))
    assert distribution.p_value([2e7, 3e7]).tolist() == [1.0, 0.0]
