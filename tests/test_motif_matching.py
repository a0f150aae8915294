"""Motifs find themselves in the file, and chance finds them no more often than its p-values say."""

import itertools

import numpy as np
import pytest

from course_utils import motif_matching
from course_utils.datasets import shipped
from course_utils.motif_matching import best_matches, meeting_columns
from course_utils.motifs import UNIFORM, Motif, MotifError, pfm_to_ppm, read_motifs

JASPAR = read_motifs(shipped("jaspar_motifs.txt"))
PPMS = [pfm_to_ppm(motif.pfm) for motif in JASPAR]
COLUMNS = np.concatenate(PPMS)
POOL = np.concatenate([COLUMNS, COLUMNS[:, ::-1]])  # as they stand, and complemented
EACH = pytest.mark.parametrize("motif, ppm", list(zip(JASPAR, PPMS)), ids=[m.accession for m in JASPAR])


def turned(ppm: np.ndarray) -> np.ndarray:
    """The reverse complement."""
    return ppm[::-1, ::-1]


def sampled(ppm: np.ndarray, sites: int, rng: np.random.Generator) -> np.ndarray:
    """The probabilities of so many sites, drawn from a matrix."""
    return np.array([rng.multinomial(sites, row / row.sum()) for row in ppm]) / sites


def mixed(rng: np.random.Generator) -> list[Motif]:
    """Motifs as wide as the shipped ones, made of their columns in random order, each complemented or not."""
    columns = COLUMNS[rng.permutation(len(COLUMNS))]
    columns = np.where(rng.random((len(columns), 1)) < 0.5, columns[:, ::-1], columns)
    ends = np.cumsum([len(ppm) for ppm in PPMS])[:-1]
    return [Motif(f"M{i}", f"mixed{i}", piece) for i, piece in enumerate(np.split(columns, ends))]


def flat(sites: int, rng: np.random.Generator) -> np.ndarray:
    """A matrix that prefers nothing: 15 positions of so many sites in which all bases are equally likely."""
    return rng.multinomial(sites, UNIFORM, size=15) / sites


# --- the right motif, the right place ------------------------------------------------------------


@EACH
def test_a_motif_of_the_file_is_its_own_best_match(motif, ppm):
    match = best_matches(ppm, JASPAR)[0]
    assert match.motif is motif
    assert (match.offset, match.strand) == (0, "+")
    assert match.score == pytest.approx(1)
    assert match.e_value < 1e-3


@EACH
def test_its_reverse_complement_is_found_on_the_minus_strand(motif, ppm):
    match = best_matches(turned(ppm), JASPAR)[0]
    assert match.motif is motif
    assert (match.offset, match.strand) == (0, "-")
    assert match.score == pytest.approx(1)


@EACH
def test_each_half_is_found_where_it_was_cut(motif, ppm):
    width = len(ppm) // 2 + 1
    for start in (0, len(ppm) - width):
        for query, strand in ((ppm[start : start + width], "+"), (turned(ppm[start : start + width]), "-")):
            match = best_matches(query, JASPAR)[0]
            assert match.motif.name == motif.name and match.e_value < 0.05
            if motif.name != "MAX":  # CACGTG is its own reverse complement: half of it lies on both halves
                assert (match.motif, match.offset, match.strand) == (motif, start, strand)


@EACH
@pytest.mark.parametrize("seed", range(3))
def test_fifty_noisy_sites_between_flat_ends_are_enough(motif, ppm, seed):
    rng = np.random.default_rng([seed, len(ppm)])
    ends = np.full((3, 4), 0.25)
    query = sampled(np.concatenate([ends, ppm, ends]), 50, rng)
    match = best_matches(query, JASPAR)[0]
    assert (match.motif, match.offset, match.strand) == (motif, -3, "+")
    assert match.e_value < 0.05


def test_the_two_shipped_motifs_of_ctcf_find_each_other():
    first, second = (n for n, motif in enumerate(JASPAR) if motif.name == "CTCF")
    for one, other in ((first, second), (second, first)):
        found = best_matches(PPMS[one], JASPAR)[1]
        assert found.motif is JASPAR[other] and found.e_value < 1e-12
        assert found.offset == (15 if one == first else -15)


def test_a_sharper_version_of_a_motif_is_the_same_motif():
    sharper = PPMS[8] ** 3 / (PPMS[8] ** 3).sum(axis=1, keepdims=True)
    match = best_matches(sharper, JASPAR)[0]
    assert match.motif is JASPAR[8] and match.score > 0.95


@pytest.mark.parametrize("seed", range(20))
def test_what_meets_is_what_the_score_is_of(seed):
    rng = np.random.default_rng(seed)
    query = rng.dirichlet([0.5] * 4, size=rng.integers(3, 25))
    for match in best_matches(query, JASPAR, least_overlap=int(rng.integers(1, 9))):
        ours, theirs = meeting_columns(query, match)
        assert ours.shape == theirs.shape == (match.overlap, 4)
        assert match.score == pytest.approx(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs)]))
        ppm = pfm_to_ppm(match.motif.pfm)
        lying = query if match.strand == "+" else turned(query)
        for row in range(len(lying)):
            target = match.offset + row
            if match.start <= target < match.start + match.overlap:
                assert lying[row] == pytest.approx(ours[target - match.start])
                assert ppm[target] == pytest.approx(theirs[target - match.start])


@pytest.mark.parametrize("least", [1, 4, 5, 7, 50])
def test_at_least_so_many_columns_meet_or_all_of_the_narrower_motif(least):
    query = np.random.default_rng(least).dirichlet([0.3] * 4, size=12)
    for match in best_matches(query, JASPAR, least_overlap=least, ends=0):
        assert match.overlap >= min(least, 12, len(match.motif.pfm))


# --- p-values ------------------------------------------------------------------------------------


def by_loop(query: np.ndarray, targets: list[np.ndarray], least: int) -> list[float]:
    """The p-values that `best_matches` promises, from all draws of columns there are."""

    def steps(a, b):
        return round((np.corrcoef(a, b)[0, 1] + 1) * 50)

    pool = [column for ppm in targets for column in ppm] + [column[::-1] for ppm in targets for column in ppm]
    found = []
    for target in targets:
        p_values = []
        for lying in (query, turned(query)):
            for offset in range(-len(query), len(target) + 1):
                rows = [row for row in range(len(query)) if 0 <= row + offset < len(target)]
                if len(rows) < min(least, len(query), len(target)):
                    continue
                total = sum(steps(lying[row], target[row + offset]) for row in rows)
                tables = [[steps(lying[row], column) for column in pool] for row in rows]
                as_good = sum(sum(draw) >= total for draw in itertools.product(*tables))
                p_values.append(as_good / len(pool) ** len(rows))
        found.append(1 - (1 - min(p_values)) ** len(p_values))
    return found


@pytest.mark.parametrize("seed", range(6))
def test_p_values_are_those_of_all_draws_of_columns(seed):
    rng = np.random.default_rng(seed)
    targets = [rng.dirichlet([1.0] * 4, size=width) for width in (2, 3, 1)]
    query = rng.dirichlet([1.0] * 4, size=3)
    motifs = [Motif(str(n), str(n), target) for n, target in enumerate(targets)]
    matches = best_matches(query, motifs, least_overlap=2, ends=0)
    found = {match.motif.name: match.p_value for match in matches}
    for name, expected in enumerate(by_loop(query, targets, 2)):
        assert found[str(name)] == pytest.approx(expected, rel=1e-9)


def shares_below(p_values: list[float]) -> list[float]:
    return [float(np.mean(np.array(p_values) <= level)) for level in (0.5, 0.2, 0.05)]


def test_p_values_are_uniform_if_the_columns_of_all_motifs_are_mixed():
    rng = np.random.default_rng(1)
    p_values = []
    for number in range(200):
        query = POOL[rng.integers(len(POOL), size=(8, 12, 19)[number % 3])]
        p_values += [match.p_value for match in best_matches(query, mixed(rng))]
    half, fifth, twentieth = shares_below(p_values)
    assert 0.46 < half < 0.54  # 2,400 p-values, twelve of them with a query in common
    assert 0.17 < fifth < 0.23
    assert 0.035 < twentieth < 0.065


def test_random_matrices_do_not_match_the_shipped_motifs_more_often_than_said():
    rng = np.random.default_rng(2)
    p_values, best = [], []
    for number in range(200):
        matches = best_matches(POOL[rng.integers(len(POOL), size=(8, 12, 19)[number % 3])], JASPAR)
        p_values += [match.p_value for match in matches]
        best.append(matches[0].e_value < 0.05)
    half, fifth, twentieth = shares_below(p_values)
    assert half < 0.52 and fifth < 0.22 and twentieth < 0.06
    assert 0.01 < np.mean(best) < 0.09  # a false match for about one in twenty random matrices


def test_the_e_value_is_the_p_value_times_the_number_of_motifs_and_orders_them():
    for motifs in (JASPAR, JASPAR[:3]):
        matches = best_matches(PPMS[1], motifs)
        assert len(matches) == len(motifs)
        assert [match.p_value for match in matches] == sorted(match.p_value for match in matches)
        assert all(match.e_value == match.p_value * len(motifs) for match in matches)
        assert all(0 < match.p_value <= 1 for match in matches)


# --- why correlations, why without flat ends -----------------------------------------------------


def euclidean(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """From 1, the same column, to -1, two bases that never change: in place of a correlation."""
    return 1 - np.sqrt(2 * ((columns[:, None] - others) ** 2).sum(axis=2))


def test_matrices_of_noise_match_the_softest_motif_by_distance_and_nothing_by_correlation(monkeypatch):
    def matched() -> list[str]:
        rng = np.random.default_rng(3)
        best = [best_matches(flat(50, rng), JASPAR, ends=0)[0] for _ in range(60)]
        return [match.motif.accession for match in best if match.e_value < 0.05]

    assert len(matched()) <= 2
    monkeypatch.setattr(motif_matching, "_correlations", euclidean)
    assert matched() == 60 * ["MA1929.2"]


def test_noise_at_the_ends_costs_a_match_more_than_it_gives():
    def right(ends: float) -> float:
        rng = np.random.default_rng(7)
        found = []
        for _ in range(15):
            for motif, ppm in zip(JASPAR, PPMS):
                start, left = rng.integers(len(ppm) - 5), rng.integers(10)
                query = np.full((15, 4), 0.25)
                query[left : left + 6] = ppm[start : start + 6]
                best = best_matches(sampled(query, 100, rng), JASPAR, ends=ends)[0]
                found.append(best.motif.name == motif.name)
        return float(np.mean(found))

    assert right(0.25) == pytest.approx(0.97, abs=0.02)
    assert right(0) == pytest.approx(0.80, abs=0.02)


def test_flat_ends_do_not_move_the_offset():
    query = np.concatenate([np.full((4, 4), 0.25), PPMS[6], np.full((2, 4), 0.25)])
    match = best_matches(query, JASPAR)[0]
    assert (match.motif, match.offset, match.strand, match.start) == (JASPAR[6], -4, "+", 0)
    match = best_matches(turned(query), JASPAR)[0]
    assert (match.motif, match.offset, match.strand, match.start) == (JASPAR[6], -4, "-", 0)


def test_a_matrix_without_any_preference_matches_nothing():
    matches = best_matches(np.full((12, 4), 0.25), JASPAR)
    assert [match.score for match in matches] == [0] * 12
    assert matches.significant() == []


def test_composition_alone_can_match():
    """A pitfall the docstring names: a query of A and T alone, in no order, matches TBP's TATAAAW."""
    match = best_matches(np.tile([0.35, 0.15, 0.15, 0.35], (15, 1)), JASPAR, ends=0)[0]
    assert match.motif.name == "TBP" and match.e_value < 0.05


# --- a file, and what is said --------------------------------------------------------------------


def test_the_path_of_a_file_is_as_good_as_its_motifs():
    path = shipped("jaspar_motifs.txt")
    from_file, from_list = best_matches(PPMS[0], path), best_matches(PPMS[0], JASPAR)
    assert repr(from_file) == repr(from_list)


def test_matches_are_a_table_that_says_how_many_there_are():
    lines = repr(best_matches(PPMS[8], JASPAR)).splitlines()
    assert lines[0] == "2 of 12 motifs with E up to 0.05"
    assert len(lines) == 3 + 12
    assert lines[3].split()[:2] == ["CTCF", "MA0139.1"] and lines[4].split()[:2] == ["CTCF", "MA1929.2"]


def test_no_match_is_said_in_words():
    others = [motif for motif in JASPAR if motif.name != "CTCF"]
    matches = best_matches(PPMS[8], others)
    assert repr(matches).startswith("no match: none of 10 motifs has E up to 0.05")
    assert matches.significant() == []
    assert "no match: none of 1 motif has" in repr(best_matches(PPMS[8], others[:1]))


def test_one_match_is_said_in_one_line():
    match = best_matches(PPMS[9], JASPAR)[0]
    assert repr(match) == str(match)
    assert str(match).startswith("REST (MA0138.3), E ")
    assert "correlation 1.00 over 20 columns, strand +, offset 0" in str(match)


def test_a_motif_without_counts_is_named():
    hollow = Motif("MA1", "HOLLOW", np.zeros((6, 4)))
    with pytest.raises(MotifError, match="HOLLOW: position 0 has no counts"):
        best_matches(PPMS[0], [JASPAR[0], hollow])


def test_the_columns_that_meet_are_of_the_query_that_was_matched():
    match = best_matches(PPMS[8], JASPAR)[0]
    with pytest.raises(MotifError, match="the query has 8 positions.*another matrix"):
        meeting_columns(PPMS[0], match)
