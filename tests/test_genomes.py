"""Simulated genomes hold what they say, obey their formula, and have the ceilings that lesson 10 names."""

import warnings
from math import exp

import numpy as np
import pytest

from course_utils.backgrounds import SimulationError
from course_utils.genomes import (
    Elements,
    GenomeRules,
    draw_elements,
    expected_counts,
    local_rates,
    make_genome,
    mean_boost,
    simulate_genome,
)
from course_utils.sequences import to_codes

#: Small windows that still hold everything.
SMALL = GenomeRules(length=3072, promoters=1, enhancers=1, decay=5.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def pearson(observed: np.ndarray, predicted: np.ndarray) -> float:
    """Over all windows and bins of each track, then the mean over tracks."""
    tracks = range(observed.shape[2])
    return np.mean([np.corrcoef(observed[..., t].ravel(), predicted[..., t].ravel())[0, 1] for t in tracks])


@pytest.fixture(scope="module")
def genome():
    return make_genome(rng())


@pytest.fixture(scope="module")
def simulated(genome):
    return simulate_genome(300, genome, rng=rng(2))


# --- where things are ----------------------------------------------------------------------------


def test_the_default_windows_are_those_of_the_lesson(simulated):
    windows = simulated.windows
    assert windows.one_hot.shape == (300, 16_384, 4) and windows.one_hot.dtype == bool
    assert windows.tracks.shape == (300, 128, 10) and windows.tracks.dtype == np.float32
    assert windows.labels == ("A1", "A2", "A3", "A4", "A5", "B1", "B2", "B3", "B4", "B5")
    assert simulated.rate.shape == simulated.local_rate.shape == windows.tracks.shape
    assert simulated.rate.dtype == simulated.local_rate.dtype == np.float32
    assert (windows.one_hot.sum(axis=2) == 1).all()


def test_a_seed_gives_the_same_windows_and_another_seed_others(genome):
    first, again, other = (simulate_genome(2, genome, rng=rng(seed)) for seed in (5, 5, 6))
    assert (first.windows.one_hot == again.windows.one_hot).all()
    assert (first.windows.tracks == again.windows.tracks).all()
    assert (first.local_rate == again.local_rate).all()
    assert (first.windows.one_hot != other.windows.one_hot).any()


def test_training_and_test_windows_share_their_words_and_nothing_else(genome):
    generator = rng()
    train, test = (simulate_genome(2, genome, rng=generator) for _ in range(2))
    assert train.genome is test.genome is genome
    assert (train.windows.one_hot != test.windows.one_hot).any(axis=(1, 2)).all()
    assert genome.words.shape == (3, 12)
    assert (make_genome(rng()).words == genome.words).all()
    assert (make_genome(rng(2)).words != genome.words).any()


def test_words_stand_where_they_are_said_to_be_apart_from_a_few_errors(simulated):
    copies = same = 0
    for number in range(100):
        codes = simulated.windows.one_hot[number].argmax(axis=1)
        for element in simulated.elements_of(number):
            starts = np.array(element.starts)
            assert len(starts) == (4 if element.kind == "promoter" else 6)
            assert (starts // 128 == element.bin).all() and ((starts + 11) // 128 == element.bin).all()
            assert (np.diff(starts) >= 12).all(), "two copies overlap"
            read = codes[starts[:, None] + np.arange(12)]
            same += (read == to_codes(element.word)).sum()
            copies += len(starts)
    assert copies == 100 * (4 * 4 + 4 * 6)
    assert abs(same / (12 * copies) - 0.94) < 5 * (0.94 * 0.06 / (12 * copies)) ** 0.5


def test_a_copy_is_anywhere_in_its_part_of_the_bin(simulated):
    for which, copies in ((slice(4), 4), (slice(4, 8), 6)):  # promoters, enhancers
        part = 128 // copies
        begins = simulated.starts[:50, which, :copies] % 128 % part
        assert set(begins.ravel().tolist()) == set(range(part - 12 + 1))


def test_without_errors_the_words_are_found_to_the_letter():
    made = simulate_genome(3, make_genome(rng(), GenomeRules(conservation=1.0)), rng=rng())
    for number in range(3):
        codes = made.windows.one_hot[number].argmax(axis=1)
        for element in made.elements_of(number):
            for start in element.starts:
                assert (codes[start : start + 12] == to_codes(element.word)).all()


def test_the_list_of_elements_is_in_order_and_agrees_with_the_arrays(simulated):
    listed = simulated.elements_of(7)
    bins = [element.bin for element in listed]
    assert bins == sorted(bins) and len(set(bins)) == 8
    enhancers = [element for element in listed if element.kind == "enhancer"]
    assert [element.bin for element in enhancers] == simulated.elements.enhancers[7].tolist()
    assert [element.group for element in enhancers] == simulated.elements.groups[7].tolist()
    assert [e.group for e in listed if e.kind == "promoter"] == [None] * 4
    assert len({(element.group, element.word) for element in listed}) == len({e.group for e in listed})


def test_enhancers_keep_off_promoters_and_every_other_place_occurs():
    elements = draw_elements(5000, GenomeRules(), rng())
    between = abs(elements.promoters[:, :, None] - elements.enhancers[:, None, :])
    assert between.min() == 10
    for places in (elements.promoters, elements.enhancers):
        assert (np.diff(places) > 0).all(), "two elements in one bin"
        assert set(places.ravel()) == set(range(128))
    assert abs(elements.groups.mean() - 0.5) < 5 * 0.5 / 20_000**0.5


# --- what they do --------------------------------------------------------------------------------


def test_expected_counts_obey_the_formula_written_as_a_loop():
    rules = GenomeRules()
    elements = Elements(np.array([[20, 21, 70, 127]]), np.array([[0, 40, 90, 100]]), np.array([[1, 0, 0, 0]]))
    rate = expected_counts(elements, rules)
    assert rate.shape == (1, 128, 10)
    for track in range(10):
        mine = [40, 90, 100] if track < 5 else [0]
        for bin in range(128):
            expected = 0.3
            for promoter in (20, 21, 70, 127):
                if bin == promoter:
                    expected += 4
                elif abs(bin - promoter) == 1:
                    expected += 1.6
            expected *= 10 ** max(exp(-abs(bin - enhancer) / 30) for enhancer in mine)
            if bin in mine:
                expected += 6
            assert rate[0, bin, track] == pytest.approx(expected, rel=1e-6)


def test_a_group_without_enhancers_is_multiplied_by_one():
    elements = Elements(np.array([[5]]), np.array([[20]]), np.array([[1]]))
    rate = expected_counts(elements, SMALL)[0]
    assert rate[[5, 4, 6, 15, 20], 0] == pytest.approx([4.3, 1.9, 1.9, 0.3, 0.3])
    assert (rate[:, 5] > rate[:, 0]).all()


def test_counts_scatter_around_their_rate_as_poisson_counts_do(simulated):
    counts, rate = simulated.windows.tracks, simulated.rate.astype(float)
    assert (counts == counts.round()).all() and counts.min() == 0
    standard = (counts - rate) / np.sqrt(rate)
    many = standard.size
    assert abs(standard.mean()) < 5 / many**0.5
    # the variance of the square is 2 + 1 / rate
    assert abs((standard**2).mean() - 1) < 5 * ((2 + 1 / rate).mean() / many) ** 0.5


# --- what can be known ---------------------------------------------------------------------------


def test_who_sees_everything_knows_the_rate():
    elements = draw_elements(5, GenomeRules(), rng())
    everything = mean_boost(GenomeRules(), reach=127, rng=rng())
    rate, local = (expected_counts(elements, GenomeRules()), local_rates(elements, GenomeRules(), everything))
    seen = np.array([(row == 0).any() and (row == 1).any() for row in elements.groups])
    assert seen.any()
    assert local[seen] == pytest.approx(rate[seen])


def test_where_nothing_is_out_of_reach_no_mean_is_needed():
    rules = GenomeRules(groups=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = simulate_genome(3, make_genome(rng(), rules), reach=127, rng=rng())
        assert mean_boost(rules, reach=127, rng=rng()).tolist() == [1.0] * 128
    assert made.local_rate == pytest.approx(made.rate)


def test_the_tracks_of_26_groups_are_named_from_a_to_z():
    labels = GenomeRules(groups=26, tracks=26).labels
    assert labels[0] == "A1" and labels[-1] == "Z1"


def test_the_local_rate_is_the_rate_where_an_enhancer_of_the_group_is_within_reach(simulated):
    elements = simulated.elements
    distance = abs(elements.enhancers[:, :, None] - np.arange(128))
    for group, track in ((0, 0), (1, 9)):
        nearest = np.where((elements.groups == group)[:, :, None], distance, 1000).min(axis=1)
        rate, local = simulated.rate[..., track], simulated.local_rate[..., track]
        assert local[nearest <= 8] == pytest.approx(rate[nearest <= 8])
        assert not np.isclose(local[nearest > 8], rate[nearest > 8]).all()


def test_the_local_rate_changes_with_nothing_beyond_its_reach():
    rules = GenomeRules()
    boost = mean_boost(rules, rng=rng())
    promoters = np.array([[5, 60, 61, 120]])
    here = local_rates(Elements(promoters, np.array([[20, 40, 90, 100]]), np.array([[0, 1, 0, 1]])), rules, boost)
    there = local_rates(Elements(promoters, np.array([[20, 44, 80, 105]]), np.array([[1, 1, 1, 0]])), rules, boost)
    assert (here[0, 53:72] == there[0, 53:72]).all()
    assert (here[0, 20] != there[0, 20]).any()


def test_the_local_rate_is_right_on_average(genome, simulated):
    rate, local = simulated.rate, simulated.local_rate
    unseen = ~np.isclose(rate, local)
    assert local[unseen].mean() == pytest.approx(rate[unseen].mean(), rel=0.03)
    promoter_bins = np.zeros(rate.shape[:2], bool)
    np.put_along_axis(promoter_bins, simulated.elements.promoters, True, axis=1)
    assert local[promoter_bins].mean() == pytest.approx(rate[promoter_bins].mean(), rel=0.03)


def test_the_ceilings_are_those_that_the_lesson_names(genome):
    made = simulate_genome(1500, genome, rng=rng(3))
    best, local = pearson(made.windows.tracks, made.rate), pearson(made.windows.tracks, made.local_rate)
    assert best == pytest.approx(0.886, abs=0.006)
    assert local == pytest.approx(0.781, abs=0.008)
    blind = local_rates(made.elements, genome.rules, mean_boost(genome.rules, reach=0, rng=rng()))
    assert pearson(made.windows.tracks, blind) < local - 0.02


def test_a_wider_reach_knows_more(genome):
    elements = draw_elements(300, genome.rules, rng())
    counts = rng().poisson(expected_counts(elements, genome.rules))
    found = [
        pearson(counts, local_rates(elements, genome.rules, mean_boost(genome.rules, reach=reach, rng=rng())))
        for reach in (0, 8, 20, 127)
    ]
    assert found == sorted(found)
    assert found[-1] == pytest.approx(pearson(counts, expected_counts(elements, genome.rules)), abs=0.005)


# --- rules ---------------------------------------------------------------------------------------


def test_other_rules_make_other_genomes():
    rules = GenomeRules(length=2560, bin_size=64, tracks=6, groups=3, word=8, promoters=1, gap=4, enhancers=2)
    made = simulate_genome(4, make_genome(rng(), rules), reach=2, rng=rng())
    assert made.windows.one_hot.shape == (4, 2560, 4)
    assert made.windows.tracks.shape == (4, 40, 6)
    assert made.windows.labels == ("A1", "A2", "B1", "B2", "C1", "C2")
    assert rules.group_of_track.tolist() == [0, 0, 1, 1, 2, 2]
    assert made.genome.words.shape == (4, 8)


def test_more_copies_at_promoters_than_at_enhancers_leave_no_mark_in_the_list():
    rules = GenomeRules(promoter_copies=7, enhancer_copies=1)
    made = simulate_genome(2, make_genome(rng(), rules), rng=rng())
    assert {(e.kind, len(e.starts)) for e in made.elements_of(1)} == {("promoter", 7), ("enhancer", 1)}


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"length": 1000}, ["1000 bases", "a multiple of the bin of 128"]),
        ({"length": 0}, ["GenomeRules.length", "from 1 up"]),
        ({"length": 2048}, ["4 promoters", "76 of 16 bins", "lengthen the window"]),
        ({"tracks": 9}, ["9 tracks", "2 groups"]),
        ({"promoters": 2.0}, ["GenomeRules.promoters", "2.0", "a whole number"]),
        ({"conservation": 1.1}, ["conservation is 1.1", "0.25", "to 1"]),
        ({"conservation": None}, ["conservation is None"]),
        ({"decay": 0}, ["decay is 0", "above 0"]),
        ({"base": float("nan")}, ["base is nan", "above 0"]),
        ({"promoter": -1}, ["promoter is -1", "0 or more"]),
        ({"word": 60}, ["6 copies of a word of 60 bases", "a bin of 128"]),
    ],
)
def test_rules_that_cannot_be_are_refused(changes, words):
    with pytest.raises(SimulationError) as caught:
        GenomeRules(**changes)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_a_window_that_is_not_there_is_refused(simulated):
    with pytest.raises(SimulationError, match="the window is 300; there are 300, 0 to 299"):
        simulated.elements_of(300)
