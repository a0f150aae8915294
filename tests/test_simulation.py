"""Simulated sets are what they are said to be, and the ceilings what no classifier exceeds."""

from itertools import permutations, product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from course_utils import ceilings
from course_utils.backgrounds import (
    check_chain,
    composition_of,
    gc_background,
    sample_background,
    transitions_of,
)
from course_utils.ceilings import ceiling, lower_bound
from course_utils.likelihoods import log_likelihood_ratio
from course_utils.motifs import UNIFORM, pfm_to_ppm, ppm_to_pwm
from course_utils.sequences import decode, from_codes, reverse_complement
from course_utils.simulation import flip_labels, make_plan, plant, sample_sites, simulate

#: The motif of the source lectures, CCGGAA; G never occurs at its last position.
PPM = pfm_to_ppm(
    np.array(
        [
            [10.41, 22.86, 1.92, 1.55, 98.60, 86.66],
            [68.20, 65.25, 0.50, 0.35, 0.25, 2.57],
            [17.27, 8.30, 94.77, 97.32, 0.87, 0.00],
            [4.13, 3.59, 2.81, 0.78, 0.28, 10.77],
        ]
    ).T
)
CHAIN = np.array([[0.4, 0.2, 0.1, 0.3], [0.3, 0.3, 0.1, 0.3], [0.2, 0.2, 0.4, 0.2], [0.1, 0.2, 0.3, 0.4]])


def word(letters: str) -> np.ndarray:
    """The PPM of one word that never varies."""
    return np.eye(4)[["ACGT".index(letter) for letter in letters]]


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- backgrounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("background", [UNIFORM, gc_background(0.7), (0.1, 0.2, 0.3, 0.4)])
def test_bases_occur_as_often_as_the_background_says_at_every_position(background):
    codes = sample_background(40_000, 12, background, rng())
    shares = np.stack([(codes == base).mean(axis=0) for base in range(4)], axis=1)  # (12, 4)
    assert codes.dtype == np.uint8
    assert abs(shares - background).max() < 5 * 0.5 / 200
    assert abs(np.corrcoef(codes[:, 0], codes[:, 1])[0, 1]) < 5 / 200


def test_a_chain_has_its_transitions_and_one_composition_from_the_first_base_to_the_last():
    first, _ = check_chain(CHAIN)
    codes = sample_background(40_000, 12, CHAIN, rng())
    assert first @ CHAIN == pytest.approx(first)
    for position in (0, 1, 11):
        assert np.bincount(codes[:, position], minlength=4) / 40_000 == pytest.approx(first, abs=0.012)
    assert transitions_of(codes) == pytest.approx(CHAIN, abs=0.01)
    assert composition_of(codes) == pytest.approx(first, abs=0.005)


def test_measured_backgrounds_count_one_strand_and_rule_nothing_out():
    assert composition_of("AACG") == pytest.approx(np.array([3, 2, 2, 1]) / 8)
    # AA, AC, CA: each count starts at 1
    assert transitions_of("AACA") == pytest.approx(
        np.array([[2 / 6, 2 / 6, 1 / 6, 1 / 6], [2 / 5, 1 / 5, 1 / 5, 1 / 5], [1 / 4] * 4, [1 / 4] * 4])
    )
    assert gc_background(0.6) == pytest.approx([0.2, 0.3, 0.3, 0.2])


def test_backgrounds_are_drawn_in_blocks_without_a_seam(monkeypatch):
    monkeypatch.setattr("course_utils.backgrounds._BLOCK", 50)
    for background in (gc_background(0.9), CHAIN):
        codes = sample_background(2000, 20, background, rng())
        assert composition_of(codes[1::2]) == pytest.approx(check_chain(background)[0], abs=0.02)


# --- sites and planting --------------------------------------------------------------------------


def test_sites_have_the_ppms_probabilities_and_never_a_base_of_probability_zero():
    sites = sample_sites(PPM, 50_000, rng())
    shares = np.stack([(sites == base).mean(axis=0) for base in range(4)], axis=1)  # (6, 4)
    assert shares == pytest.approx(PPM, abs=5 * 0.5 / 223)
    assert shares[5, 2] == 0


def test_a_site_is_planted_where_and_as_it_is_said_and_the_rest_stays():
    codes = np.zeros((2, 8), dtype=np.uint8)
    planted = plant(codes, ["CCG", "CCG"], [1, 5], ["+", "-"])
    assert from_codes(planted) == ["ACCGAAAA", "AAAAACGG"]
    assert not codes.any()
    assert from_codes(plant(["AAAA"], ["CG"], 2)) == ["AACG"]


# --- labelled sets -------------------------------------------------------------------------------


def test_the_set_of_the_source_lectures():
    made = simulate(PPM, start=7, rng=rng())
    assert made.codes.shape == (2000, 20) and made.codes.dtype == np.uint8
    assert made.labels.tolist() == [1] * 1000 + [0] * 1000 == made.truth.tolist()
    assert set(made.starts[:1000, 0]) == {7} and set(made.starts[1000:, 0]) == {-1}
    assert set(made.strands[:1000, 0]) == {"+"} and set(made.strands[1000:, 0]) == {"."}
    inside = made.codes[:1000, 7:13]
    assert np.stack([(inside == b).mean(axis=0) for b in range(4)], axis=1) == pytest.approx(PPM, abs=0.07)
    outside = np.delete(made.codes[:1000], np.s_[7:13], axis=1)
    assert composition_of(outside) == pytest.approx(UNIFORM, abs=0.02)
    assert composition_of(made.codes[1000:]) == pytest.approx(UNIFORM, abs=0.02)


def test_M04_every_sequence_has_the_length_that_was_asked_for():
    made = simulate(PPM, length=20, rng=rng())
    assert {len(sequence) for sequence in made.sequences} == {20}
    assert made.one_hot.shape == (2000, 20, 4) and made.one_hot.dtype == np.float32
    assert decode(made.one_hot) == made.sequences


@pytest.mark.parametrize("strand", ["+", "-", "either"])
def test_places_are_even_and_the_site_stands_where_the_set_says(strand):
    made = simulate(word("CCGGTA"), positives=6000, negatives=10, strand=strand, rng=rng())
    starts, strands = made.starts[:6000, 0], made.strands[:6000, 0]
    assert abs(np.bincount(starts, minlength=15) - 400).max() < 5 * 20
    assert set(strands) == {"+": {"+"}, "-": {"-"}, "either": {"+", "-"}}[strand]
    assert strand != "either" or abs((strands == "+").mean() - 0.5) < 0.03
    for sequence, start, one in zip(made.sequences[:200], starts, strands):
        site = sequence[start : start + 6]
        assert (site if one == "+" else reverse_complement(site)) == "CCGGTA"


@pytest.mark.parametrize("order", ["fixed", "free"])
def test_several_motifs_keep_their_spacing_and_order(order):
    made = simulate([word("CCCC"), word("GG"), word("TTT")], gap=(1, 3), order=order, length=25, rng=rng())
    starts = made.starts[:1000]
    for sequence, row in zip(made.sequences[:1000], starts):
        assert [sequence[s : s + w] for s, w in zip(row, (4, 2, 3))] == ["CCCC", "GG", "TTT"]
    left_to_right = np.argsort(starts, axis=1)
    orders = {tuple(row) for row in left_to_right.tolist()}
    assert orders == ({(0, 1, 2)} if order == "fixed" else set(permutations(range(3))))
    ends = np.take_along_axis(starts + [4, 2, 3], left_to_right, axis=1)
    gaps = np.take_along_axis(starts, left_to_right, axis=1)[:, 1:] - ends[:, :-1]
    assert np.bincount(gaps.ravel()).tolist() == pytest.approx([0, 667, 667, 667], abs=110)
    assert starts.min() == 0 and ends.max() == 25


def test_each_kind_of_negatives_keeps_what_it_promises():
    many = dict(positives=4000, negatives=4000, start=3, background=gc_background(0.3), length=12)

    def halves(against):
        made = simulate(PPM, against=against, rng=rng(), **many)
        assert not made.truth[4000:].any()
        return made.codes[:4000], made.codes[4000:]

    def gc(codes):
        return ((codes == 1) | (codes == 2)).mean()

    def pairs(codes):
        words = 4 * codes[:, :-1] + codes[:, 1:]
        return [np.bincount(row, minlength=16).tolist() for row in words]

    positives, negatives = halves("background")
    assert gc(negatives) == pytest.approx(0.3, abs=0.02) and gc(positives) > 0.4
    positives, negatives = halves("gc")
    assert gc(negatives) == pytest.approx(gc(positives), abs=0.015)
    positives, negatives = halves("shuffled")
    assert np.array_equal(np.sort(positives, axis=1), np.sort(negatives, axis=1))
    assert pairs(positives) != pairs(negatives)
    positives, negatives = halves("dinucleotides")
    assert pairs(positives) == pairs(negatives)
    assert (positives != negatives).any(axis=1).mean() > 0.5
    positives, negatives = halves((0.1, 0.4, 0.4, 0.1))
    assert gc(negatives) == pytest.approx(0.8, abs=0.02)


def test_more_negatives_than_positives_are_shuffled_in_turn():
    made = simulate(PPM, positives=3, negatives=7, against="shuffled", rng=rng())
    letters = ["".join(sorted(sequence)) for sequence in made.sequences]
    assert letters[3:] == [letters[i % 3] for i in range(7)]


def test_label_noise_flips_its_exact_share_and_the_truth_is_kept():
    made = simulate(PPM, label_noise=0.1, rng=rng())
    assert (made.labels != made.truth).sum() == 200
    assert made.truth.tolist() == [1] * 1000 + [0] * 1000
    labels = np.array([0, 1, 1, 0])
    assert flip_labels(labels, 0.0, rng()).tolist() == labels.tolist()
    assert (flip_labels(labels, 0.5, rng()) != labels).sum() == 2
    assert labels.tolist() == [0, 1, 1, 0]


def test_one_seed_gives_one_set_and_one_class_may_be_empty():
    one, same, other = (simulate(PPM, strand="either", rng=rng(seed)) for seed in (1, 1, 2))
    assert one.sequences == same.sequences != other.sequences
    assert simulate(PPM, negatives=0, rng=rng()).labels.tolist() == [1] * 1000
    assert simulate(PPM, positives=0, rng=rng()).labels.tolist() == [0] * 1000


# --- the ratio -----------------------------------------------------------------------------------

SHORT = np.array([[0.7, 0.1, 0.2, 0.0], [0.1, 0.6, 0.1, 0.2]])
SHORTER = np.array([[0.2, 0.0, 0.0, 0.8]])
RULES = {
    "known place": dict(start=1),
    "minus strand": dict(start=1, strand="-"),
    "any place": {},
    "any place, either strand": dict(strand="either"),
    "two that touch": dict(ppm=[SHORT, SHORTER], gap=(0, 0)),
    "two with a gap, any order": dict(ppm=[SHORT, SHORTER], gap=(0, 2), order="free", strand="either"),
    "two with a gap at a known place": dict(ppm=[SHORTER, SHORTER], gap=(1, 1), start=2),
    "as long as the sequence": dict(ppm=np.concatenate([SHORT, SHORTER, SHORT])),
}
BACKGROUNDS = {
    "uniform": dict(background=UNIFORM),
    "composition": dict(background=(0.1, 0.2, 0.3, 0.4)),
    "chain": dict(background=CHAIN),
    "GC matched": dict(background=(0.1, 0.2, 0.3, 0.4), against="gc"),
    "others": dict(background=CHAIN, against=(0.4, 0.3, 0.2, 0.1)),
    "other chain": dict(background=UNIFORM, against=CHAIN),
    "shuffled": dict(background=(0.1, 0.2, 0.3, 0.4), against="shuffled"),
}


def probabilities_by_listing(codes, ppm, start=None, strand="+", background=UNIFORM, against=None,
                             gap=(0, 0), order="fixed"):  # fmt: skip
    """P(x | positive) and P(x | negative) of all words of 5 bases, from the definition, by loops."""

    def drawn_from(background):
        first, chain = check_chain(background)
        return np.array([first[x[0]] * np.prod([chain[a, b] for a, b in zip(x, x[1:])]) for x in codes])

    base = drawn_from(background)
    ppms = ppm if isinstance(ppm, list) else [ppm]
    positive = np.zeros(len(codes))
    orders = list(permutations(range(len(ppms)))) if order == "free" else [tuple(range(len(ppms)))]
    gaps = list(product(range(gap[0], gap[1] + 1), repeat=len(ppms) - 1))
    strands = list(product("+-" if strand == "either" else strand, repeat=len(ppms)))
    for motifs, between, turns in product(orders, gaps, strands):
        rows, at = {}, 0
        for motif, space, turn in zip(motifs, (0, *between), turns):
            at += space
            for row in ppms[motif] if turn == "+" else ppms[motif][::-1, ::-1]:
                rows[at] = row
                at += 1
        places = range(5 - at + 1) if start is None else [start]
        for place in places:
            share = 1 / len(orders) / len(gaps) / len(strands) / len(places)
            for bases in product(range(4), repeat=len(rows)):  # what the sites may read
                planted = codes.copy()
                planted[:, [place + position for position in rows]] = bases
                number = planted @ [256, 64, 16, 4, 1]  # of the word, in the list of all words
                chance = np.prod([row[b] for row, b in zip(rows.values(), bases)])
                np.add.at(positive, number, share * chance * base)
    if isinstance(against, str) and against == "shuffled":
        negative, same = np.zeros(len(codes)), np.sort(codes, axis=1)
        for kind in np.unique(same, axis=0):
            those = (same == kind).all(axis=1)
            negative[those] = positive[those].mean()
    elif isinstance(against, str):  # "gc"
        gc = positive @ ((codes == 1) | (codes == 2)).mean(axis=1)
        negative = drawn_from(gc_background(gc))
    else:
        negative = base if against is None else drawn_from(against)
    return positive, negative


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", BACKGROUNDS)
def test_the_ratio_is_that_of_the_probabilities_of_all_words(rule, kind):
    codes = np.array(list(product(range(4), repeat=5)), dtype=np.uint8)
    choices = {"ppm": SHORT} | RULES[rule] | BACKGROUNDS[kind]
    positive, negative = probabilities_by_listing(codes, **choices)
    assert positive.sum() == pytest.approx(1) and negative.sum() == pytest.approx(1)
    ratio = log_likelihood_ratio(codes, choices.pop("ppm"), **choices)
    possible = positive > 0
    assert np.array_equal(np.isneginf(ratio), ~possible)
    assert ratio[possible] == pytest.approx(np.log2(positive[possible] / negative[possible]))


def test_at_a_known_place_the_ratio_is_the_score_of_the_pwm_in_bits():
    sequence = "ACGTACGCCGGAATTTACGA"
    score = sum(ppm_to_pwm(PPM)[i, "ACGT".index(base)] for i, base in enumerate(sequence[7:13]))
    assert log_likelihood_ratio(sequence, PPM, start=7) == pytest.approx([score])
    assert log_likelihood_ratio([sequence[:12] + "G" + sequence[13:]], PPM, start=7) == -np.inf


# --- ceilings ------------------------------------------------------------------------------------


def test_the_ceiling_of_the_source_lectures_set_is_97_90_percent_and_auc_0_99738():
    found = ceiling(PPM, start=7)
    assert round(found.accuracy, 5) == 0.97903
    assert round(found.auc, 5) == 0.99738
    assert (found.accuracy_se, found.auc_se, found.sample) == (0, 0, 0)


def test_M08_at_an_unknown_place_the_ceiling_falls_to_91_45_percent_and_auc_0_9705():
    found = ceiling(PPM, sample=200_000, rng=rng())
    assert abs(found.accuracy - 0.9145) < 3 * found.accuracy_se < 0.002
    assert abs(found.auc - 0.9705) < 3 * found.auc_se < 0.002


def test_the_ceiling_of_a_motif_of_one_position_is_what_pen_and_paper_give():
    ppm = np.array([[0.7, 0.1, 0.1, 0.1]])
    found = ceiling(ppm, start=3)
    # Positive where A stands: right in 0.7 of the positives and 0.75 of the negatives.
    assert found.accuracy == pytest.approx((0.7 + 0.75) / 2)
    # A pair is in order if A meets no A, and a tie if both are A or both are not.
    assert found.auc == pytest.approx(0.7 * 0.75 + (0.7 * 0.25 + 0.3 * 0.75) / 2)


def test_a_motif_like_the_background_leaves_nothing_to_learn_and_a_perfect_one_nearly_nothing_to_miss():
    assert ceiling(np.full((4, 4), 0.25), start=0)[:2] == (0.5, pytest.approx(0.5))
    assert ceiling(np.full((4, 4), 0.25), sample=200, rng=rng())[:2] == (0.5, pytest.approx(0.5))
    assert ceiling(word("ACGTACGT"), start=0).accuracy == pytest.approx(1 - 4**-8 / 2)


@pytest.mark.parametrize("strand", ["+", "-", "either"])
def test_listing_and_drawing_agree_and_the_standard_errors_are_honest(strand):
    exact = ceiling(PPM, start=7, strand=strand)
    plan = make_plan(PPM, length=20, start=7, strand=strand)
    drawn = [ceilings._estimate(plan, 2000, rng(seed)) for seed in range(200)]
    for name in ("accuracy", "auc"):
        values = np.array([getattr(one, name) for one in drawn])
        claimed = np.mean([getattr(one, f"{name}_se") for one in drawn])
        assert abs(values.mean() - getattr(exact, name)) < 4 * values.std() / np.sqrt(200), "biased"
        assert values.std() == pytest.approx(claimed, rel=0.25)


@pytest.mark.parametrize(
    "choices",
    [
        dict(start=7),
        dict(),
        dict(strand="either"),
        dict(against="gc"),
        dict(against="shuffled"),
        dict(background=CHAIN),
        dict(background=gc_background(0.35), against=UNIFORM),
        dict(ppm=[PPM, PPM[::-1]], gap=(0, 4), order="free"),
    ],
    ids=str,
)
def test_the_ratio_reaches_the_ceiling_on_fresh_sets(choices):
    choices = {"ppm": PPM} | choices
    ppm = choices.pop("ppm")
    best = ceiling(ppm, **choices, sample=40_000, rng=rng())
    made = simulate(ppm, **choices, positives=10_000, negatives=10_000, rng=rng(2))
    ratio = log_likelihood_ratio(made.codes, ppm, **choices)
    assert ((ratio > 0) == made.truth).mean() == pytest.approx(best.accuracy, abs=0.01)
    assert roc_auc_score(made.truth, np.maximum(ratio, -999)) == pytest.approx(best.auc, abs=0.006)


@pytest.mark.parametrize("noise", [0.05, 0.2, 0.5])
def test_label_noise_leaves_one_minus_twice_its_share_of_what_lies_above_chance(noise):
    clean, noisy = ceiling(PPM, start=7), ceiling(PPM, start=7, label_noise=noise)
    assert noisy.accuracy == pytest.approx((1 - noise) * clean.accuracy + noise * (1 - clean.accuracy))
    assert noisy.auc == pytest.approx(0.5 + (1 - 2 * noise) * (clean.auc - 0.5))
    made = simulate(PPM, start=7, positives=20_000, negatives=20_000, label_noise=noise, rng=rng())
    ratio = log_likelihood_ratio(made.codes, PPM, start=7)
    assert ((ratio > 0) == made.labels).mean() == pytest.approx(noisy.accuracy, abs=0.01)
    assert roc_auc_score(made.labels, np.maximum(ratio, -999)) == pytest.approx(noisy.auc, abs=0.01)


def test_M34_negatives_of_another_composition_are_given_away_by_it():
    poor = gc_background(0.35)
    flattered = ceiling(PPM, background=poor, against=UNIFORM, length=100, sample=20_000, rng=rng())
    matched = ceiling(PPM, background=poor, against="gc", length=100, sample=20_000, rng=rng())
    assert flattered.auc > matched.auc + 0.02


def test_against_dinucleotide_shuffles_a_lower_bound_is_given_and_called_so():
    found = lower_bound(PPM, start=7, rng=rng(), sample=40_000)
    assert type(found).__name__ == "LowerBound" and found.sample == 40_000
    made = simulate(PPM, start=7, against="dinucleotides", positives=20_000, negatives=20_000, rng=rng(2))
    ratio = log_likelihood_ratio(made.codes, PPM, start=7)
    assert roc_auc_score(made.truth, np.maximum(ratio, -999)) == pytest.approx(found.auc, abs=0.004)
    # Where the ceiling is known, the bound of the best rule is the ceiling itself.
    known = ceiling(PPM, start=7)
    bound = lower_bound(PPM, start=7, against="background", rng=rng(), sample=40_000)
    assert abs(bound.accuracy - known.accuracy) < 4 * bound.accuracy_se
    assert abs(bound.auc - known.auc) < 4 * bound.auc_se


def test_wrong_labels_take_as_much_of_a_lower_bound_as_of_a_ceiling():
    clean = lower_bound(PPM, start=7, rng=rng(), sample=4000)
    noisy = lower_bound(PPM, start=7, label_noise=0.1, rng=rng(), sample=4000)
    assert type(noisy) is type(clean) and noisy.sample == clean.sample
    assert [2 * number - 1 for number in noisy[:2]] == pytest.approx(
        [0.8 * (2 * number - 1) for number in clean[:2]]
    )
    assert noisy[2:4] == pytest.approx([0.8 * error for error in clean[2:4]])


def test_too_many_orders_are_refused_before_they_are_listed():
    with pytest.raises(ValueError, match="narrow the gap or take fewer motifs"):
        make_plan([PPM] * 20, length=200, gap=(0, 0), order="free")  # 20! of them
