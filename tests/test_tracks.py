"""Measures of predicted tracks and the rules without a network: what tracks.py promises."""

import warnings
from math import log

import numpy as np
import pytest
from scipy import special, stats
from sklearn import metrics

from course_utils.intervals import paired_interval
from course_utils.sequences import one_hot as encode
from course_utils.sequences import reverse_complement
from course_utils.tracks import (
    TrackError,
    composition,
    constant_rates,
    fit_composition,
    pearson_per_track,
    poisson_loss,
    poisson_loss_per_track,
    r2_per_track,
)
from course_utils.windows import Windows


def tracks(seed: int = 0, shape: tuple[int, ...] = (3, 16, 4)) -> tuple[np.ndarray, np.ndarray]:
    """Rates, and counts around them."""
    rng = np.random.default_rng(seed)
    rates = rng.gamma(0.5, 4, shape)
    return rng.poisson(rates).astype(np.float32), rates


def random_dna(count: int, length: int, seed: int = 0, letters: str = "ACGT") -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), length)) for _ in range(count)]


# --- correlation ---------------------------------------------------------------------------------


@pytest.mark.parametrize("log1p", [False, True])
def test_r_of_a_track_is_scipys_over_all_its_windows_and_bins(log1p):
    counts, rates = tracks()
    for track, r in enumerate(pearson_per_track(counts, rates, log1p=log1p)):
        pair = [values[:, :, track].ravel() for values in (counts, rates)]
        pair = [np.log1p(values) for values in pair] if log1p else pair
        assert r == pytest.approx(stats.pearsonr(*pair).statistic, abs=1e-6)


def test_windows_of_other_height_count_in_r_though_no_window_follows_the_other():
    """Two windows, each without any relation inside: r is that of their heights."""
    observed = np.array([[[0.0], [1.0], [0.0], [1.0]], [[10.0], [11.0], [10.0], [11.0]]])
    predicted = np.array([[[0.0], [0.0], [1.0], [1.0]], [[10.0], [10.0], [11.0], [11.0]]])
    assert pearson_per_track(observed[:1], predicted[:1])[0] == 0
    assert pearson_per_track(observed, predicted)[0] > 0.98


def test_a_constant_has_no_r_and_says_so_without_a_warning():
    counts, rates = tracks()
    counts[..., 1], rates[..., 2] = 3, 0.1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for log1p in (False, True):
            assert np.isnan(pearson_per_track(counts, rates, log1p)).tolist() == [0, 1, 1, 0]
        assert np.isnan(pearson_per_track(counts, constant_rates(counts))).all()
        assert np.isnan(r2_per_track(counts, rates)).tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("size", [1e-200, 1e-160])
def test_what_varies_too_little_for_its_squares_is_a_constant_to_r_and_to_r2(size):
    counts, rates = tracks()
    tiny = counts.astype(float) * size  # which float32 does not hold
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(pearson_per_track(tiny, rates)).all() and np.isnan(pearson_per_track(rates, tiny)).all()
        assert np.isnan(r2_per_track(tiny, rates)).all()
        assert not np.isnan(r2_per_track(rates, tiny)).any()


def test_r2_far_off_a_track_that_hardly_varies_is_minus_infinity_without_a_warning():
    counts, rates = tracks()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (r2_per_track(counts.astype(float) * 1e-152, rates * 1e10) == -np.inf).all()


def test_r_ignores_height_and_stays_in_range_and_r2_does_not():
    counts, _ = tracks()
    assert pearson_per_track(counts, 3 * counts + 1) == pytest.approx(np.ones(4))
    assert (abs(pearson_per_track(counts, 3 * counts + 1)) <= 1).all()
    assert pearson_per_track(counts, -counts) == pytest.approx(-np.ones(4))
    assert (r2_per_track(counts, 3 * counts + 1) < 0).all()


def test_small_numbers_in_float32_keep_their_r():
    counts, rates = tracks()
    tiny = (rates * 1e-30).astype(np.float32)
    assert pearson_per_track(counts, tiny) == pytest.approx(pearson_per_track(counts, rates), abs=1e-5)


def test_r2_is_scikit_learns_over_positions_and_0_for_the_mean():
    counts, rates = tracks()
    flat = [values.reshape(-1, 4) for values in (counts, rates)]
    assert r2_per_track(counts, rates) == pytest.approx(metrics.r2_score(*flat, multioutput="raw_values"))
    assert r2_per_track(counts, constant_rates(counts)) == pytest.approx(np.zeros(4))
    assert r2_per_track(counts, counts) == pytest.approx(np.ones(4))


def test_M27_over_the_batch_axis_r2_is_another_number_and_of_one_window_none():
    """The lecture's R2: for each bin and track over the windows of the batch, then the mean."""
    counts, rates = tracks(shape=(4, 64, 3))
    flat = [values.reshape(4, -1) for values in (counts, rates)]
    over_batch = metrics.r2_score(*flat)
    assert over_batch < r2_per_track(counts, rates).mean() - 0.5
    assert r2_per_track(counts[:1], rates[:1]).shape == (3,)


# --- loss ----------------------------------------------------------------------------------------


def test_the_loss_is_half_of_scikit_learns_deviance_and_0_at_its_best():
    counts, rates = tracks()
    assert (counts == 0).any()
    assert poisson_loss(counts, rates) == pytest.approx(
        metrics.mean_poisson_deviance(counts.ravel(), rates.ravel()) / 2
    )
    assert poisson_loss(counts, counts) == 0


def test_the_loss_in_a_plain_loop():
    counts, rates = tracks(shape=(2, 3, 2))
    total = 0.0
    for count, rate in zip(counts.ravel().tolist(), rates.ravel().tolist()):
        total += rate - count * log(rate) - (count - special.xlogy(count, count))
    assert poisson_loss(counts, rates) == pytest.approx(total / 12)


def test_the_loss_of_each_track_is_the_loss_of_that_track_alone():
    counts, rates = tracks()
    rates[0, np.flatnonzero(counts[0, :, 2])[0], 2] = 0
    found = poisson_loss_per_track(counts, rates)
    assert found.shape == (4,) and found[2] == np.inf
    for track in (0, 1, 3):
        assert found[track] == pytest.approx(poisson_loss(counts[..., [track]], rates[..., [track]]))
    finite = [0, 1, 3]
    assert found[finite].mean() == pytest.approx(poisson_loss(counts[..., finite], rates[..., finite]))


def test_a_rate_of_0_is_right_for_a_count_of_0_and_infinitely_wrong_for_another():
    counts = np.array([[[0.0], [2.0]]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert poisson_loss(counts, np.array([[[0.0], [2.0]]])) == 0
        assert poisson_loss(counts, np.array([[[1.0], [0.0]]])) == float("inf")


def test_no_constant_has_a_lower_loss_than_the_mean():
    counts, _ = tracks()
    best = constant_rates(counts)
    assert best == pytest.approx([counts[..., track].mean() for track in range(4)])
    loss = poisson_loss(counts, best)
    for factor in (0.9, 0.99, 1.01, 1.1):
        assert poisson_loss(counts, factor * best) > loss


def test_tensors_of_a_training_are_taken_as_they_are():
    torch = pytest.importorskip("torch")
    counts, rates = tracks()
    pair = torch.tensor(counts), torch.tensor(rates, requires_grad=True)
    assert poisson_loss(*pair) == poisson_loss(counts, rates)
    assert (pearson_per_track(*pair) == pearson_per_track(counts, rates)).all()


# --- composition ---------------------------------------------------------------------------------


def plain_composition(sequence: str, bin_size: int, scale: int) -> list[list[float]]:
    """GC share and CpGs per base of each bin's neighbourhood, letter by letter."""
    rows, bins = [], len(sequence) // bin_size
    for number in range(bins):
        first = max(0, number - scale // 2) * bin_size
        end = min(bins, number + scale // 2 + 1) * bin_size
        known = gc = cpg = 0.0
        for position in range(first, end):
            letter = sequence[position]
            known += letter != "N"
            gc += letter in "CG"
            cpg += 0.5 * (sequence[position : position + 2] == "CG")
            cpg += 0.5 * (position > 0 and sequence[position - 1 : position + 1] == "CG")
        rows.append([gc / known, cpg / known] if known else [0.0, 0.0])
    return rows


def test_composition_counts_letters_and_takes_n_as_nothing():
    sequences = random_dna(2, 96, letters="ACGTCGN") + ["CG" * 24 + "N" * 48]
    found = composition(encode(sequences, ambiguous="zeros"), bin_size=8, scales=(1, 3, 9))
    assert found.shape == (3, 12, 6) and found.dtype == np.float32
    for number, sequence in enumerate(sequences):
        for place, scale in enumerate((1, 3, 9)):
            wanted = plain_composition(sequence, 8, scale)
            assert found[number, :, 2 * place : 2 * place + 2] == pytest.approx(np.array(wanted))
    assert found[2, -1].tolist()[:4] == [0, 0, 0, 0]


def test_the_reverse_complement_has_the_same_composition_in_reverse():
    sequences = random_dna(3, 256)
    there = composition(encode(sequences), bin_size=16)
    back = composition(encode([reverse_complement(sequence) for sequence in sequences]), bin_size=16)
    assert back[:, ::-1] == pytest.approx(there)


def islands(count: int = 6, seed: int = 0) -> Windows:
    """Windows of 64 bins of 16 bases: log rate of track 0 = CpGs per base x 20 - 1; track 1 has one rate."""
    rng = np.random.default_rng(seed)
    sequences = []
    for _ in range(count):
        rich = rng.random(64) < 0.3
        bins = [rng.choice(list("ACGT"), 16, p=[0.1, 0.4, 0.4, 0.1] if r else [0.3, 0.2, 0.2, 0.3]) for r in rich]
        sequences.append("".join(np.concatenate(bins)))
    one_hot = encode(sequences).astype(bool)
    rates = np.exp(20 * composition(one_hot, 16, (1,))[..., 1] - 1)
    rates = np.stack([rates, np.full_like(rates, 0.7)], axis=-1)
    return Windows(one_hot, rng.poisson(rates).astype(np.float32), ("islands", "flat"))


def test_the_regression_finds_the_rule_that_made_the_counts():
    rule = fit_composition(islands(40), scales=(1,), penalty=0)
    assert rule.weights[:, 0] / rule.spread == pytest.approx([0, 20], abs=1.5)
    assert rule.weights[:, 1] / rule.spread == pytest.approx([0, 0], abs=1.5)
    fresh = islands(seed=1)
    rates = rule.predict(fresh.one_hot)
    assert rates.shape == fresh.tracks.shape and rates.dtype == np.float32
    constant = constant_rates(fresh.tracks)
    assert poisson_loss(fresh.tracks, rates) < poisson_loss(fresh.tracks, constant) - 0.1
    assert np.log(rates[..., 0]) == pytest.approx(
        20 * composition(fresh.one_hot, 16, (1,))[..., 1] - 1, abs=0.5
    )


def test_without_a_penalty_the_regression_is_right_on_average_and_with_a_large_one_constant():
    windows = islands()
    rates = fit_composition(windows, penalty=0).predict(windows.one_hot)
    assert rates.mean(axis=(0, 1)) == pytest.approx(constant_rates(windows.tracks), rel=1e-3)
    rates = fit_composition(windows, penalty=1e6).predict(windows.one_hot)
    assert np.ptp(rates, axis=(0, 1)) == pytest.approx(0, abs=0.01)


def test_a_feature_without_any_spread_does_no_harm():
    windows = islands()
    plain = Windows(encode(["AT" * 512] * 2).astype(bool), windows.tracks[:2], windows.labels)
    rates = fit_composition(plain).predict(plain.one_hot)
    assert rates == pytest.approx(np.broadcast_to(constant_rates(plain.tracks), rates.shape), rel=1e-3)
    assert "2 tracks on 6 numbers" in repr(fit_composition(plain))


def test_one_scale_need_not_stand_in_a_tuple():
    rng = np.random.default_rng(3)
    encoded = np.stack([encode(one) for one in random_dna(4, 512)]).astype(bool)
    windows = Windows(encoded, rng.poisson(3, (4, 4, 2)).astype(float), ("a", "b"))
    rule = fit_composition(windows, scales=3)
    assert rule.scales == (3,)
    assert (rule.predict(encoded) == fit_composition(windows, scales=(3,)).predict(encoded)).all()


# --- paired differences --------------------------------------------------------------------------


def test_the_paired_interval_is_scipys_and_what_is_common_cancels():
    rng = np.random.default_rng(0)
    common, first, second = 100 * rng.random(5), rng.random(5), rng.random(5)
    found = paired_interval(common + first, common + second, 0.9)
    wanted = stats.ttest_rel(first, second).confidence_interval(0.9)
    assert found == pytest.approx(((first - second).mean(), wanted.low, wanted.high))
    assert paired_interval([1, 2, 3], [0, 1, 2]) == (1, 1, 1)


def test_the_paired_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(1000):
        hard = 5 * rng.normal(size=5)
        low, high = paired_interval(hard + rng.normal(0.3, 1, 5), hard + rng.normal(0, 1, 5))[1:]
        held += low <= 0.3 <= high
    assert 0.93 < held / 1000 < 0.97


def test_the_error_is_one_of_the_rooms_own():
    assert issubclass(TrackError, ValueError)
