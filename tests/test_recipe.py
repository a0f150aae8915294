"""The parts of a training's recipe: the Poisson loss, the schedule of the learning rate, the augmentation."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import poisson
from torch import nn
from torch.utils.data import TensorDataset

from course_utils import sequences
from course_utils.augmentation import Augmentation, reverse_complement, shift
from course_utils.losses import log_poisson
from course_utils.schedules import cosine
from course_utils.training import TrainingError, fit


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# --- the loss ------------------------------------------------------------------------------------


def test_the_loss_is_the_negative_log_likelihood_above_the_best_there_is():
    counts = torch.tensor([[0.0, 1.0, 7.0], [3.0, 0.0, 250.0]])
    log_rates = torch.tensor([[-2.0, 0.5, 2.0], [1.0, 0.0, 5.0]])
    t, rate = counts.double().numpy(), log_rates.double().exp().numpy()
    best = np.where(t > 0, poisson.logpmf(t, np.maximum(t, 1e-300)), 0)
    expected = (best - poisson.logpmf(t, rate)).mean()
    assert log_poisson(log_rates, counts).item() == pytest.approx(expected, rel=1e-5)


def test_the_loss_is_0_at_the_optimum_and_above_it_elsewhere():
    counts = torch.rand(4, 50, 3, generator=chance()) * 40 + 0.1
    assert abs(log_poisson(counts.log(), counts).item()) < 1e-4
    assert log_poisson(counts.log() + 0.1, counts) > 1e-3 < log_poisson(counts.log() - 0.1, counts)
    none = torch.zeros(2, 3)
    assert log_poisson(torch.full((2, 3), -30.0), none).item() == pytest.approx(0, abs=1e-9)


def test_the_gradient_is_rate_minus_count_over_the_number_of_them():
    counts = torch.tensor([[0.0, 2.5], [10.0, 1.0]])
    log_rates = torch.tensor([[0.3, -1.0], [2.0, 0.0]], requires_grad=True)
    log_poisson(log_rates, counts).backward()
    torch.testing.assert_close(log_rates.grad, (log_rates.detach().exp() - counts) / 4)


def test_half_precision_counts_are_taken_as_the_numbers_they_are():
    counts = torch.tensor([0.0, 3.0, 30000.0], dtype=torch.float16)
    log_rates = torch.tensor([0.0, 1.0, 10.0])
    assert log_poisson(log_rates, counts) == log_poisson(log_rates, counts.float())


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_wrong_count_is_named_with_its_position(value):
    counts = torch.ones(3, 5, 2)
    counts[2, 4, 1] = value
    with pytest.raises(ValueError, match=rf"counts\[2, 4, 1\] is {value:g}"):
        log_poisson(torch.zeros(3, 5, 2), counts)


@pytest.mark.parametrize("shape", [(3, 5), (3, 1, 2), (1,), ()])
def test_nothing_is_broadcast(shape):
    with pytest.raises(ValueError, match="one and the same is expected"):
        log_poisson(torch.zeros(3, 5, 2), torch.ones(shape))


class Tracks(nn.Module):
    """Log rates (N, 5, 2) from (N, 4, 20)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 2, 4, stride=4)

    def forward(self, inputs):
        return self.conv(inputs).permute(0, 2, 1)


def tracks_data(counts=None) -> TensorDataset:
    codes = torch.randint(4, (40, 20), generator=chance(5))
    counts = torch.poisson(torch.full((40, 5, 2), 3.0), generator=chance(6)) if counts is None else counts
    return TensorDataset(torch.eye(4)[codes].permute(0, 2, 1), counts)


def fit_tracks(lr: float = 0.05, counts=None, epochs: int = 30, **more):
    torch.manual_seed(1)
    model = Tracks()
    optimizer = torch.optim.Adam(model.parameters(), lr)
    settings = {"epochs": epochs, "batch_size": 8, "generator": chance(2), "progress": False} | more
    return fit(model, tracks_data(counts), loss=log_poisson, optimizer=optimizer, **settings)


def test_fit_lowers_the_loss_of_counts_in_bins():
    history = fit_tracks(valid=tracks_data())
    assert history.valid_loss[-1] < 0.6 < 1.2 < history.batch_loss[0]
    assert history.valid_accuracy == []


def test_fit_says_that_an_overflow_of_the_exponential_comes_from_the_learning_rate():
    said = r"outputs reach .* whose exponential is infinite; a learning rate of 500"
    with pytest.raises(TrainingError, match=said):
        fit_tracks(lr=500)


def test_fit_asks_for_floating_point_counts_and_not_for_classes():
    with pytest.raises(TrainingError, match=r"int64 of the shape \(40, 5, 2\); floating point of the shape"):
        fit_tracks(counts=torch.ones(40, 5, 2, dtype=torch.int64))


# --- the schedule --------------------------------------------------------------------------------


def test_the_warm_up_is_that_of_the_seed_and_the_cosine_goes_from_0_to_180_degrees():
    factor = cosine(23, warmup=3)
    assert [factor(step) for step in range(4)] == [1 / 4, 2 / 4, 3 / 4, 1]
    angles = [math.degrees(math.acos(2 * factor(step) - 1)) for step in range(3, 24)]
    np.testing.assert_allclose(angles, np.linspace(0, 180, 21), atol=1e-5)
    assert factor(13) == pytest.approx(0.5) and factor(23) == 0 < factor(22)


def test_without_a_warm_up_the_first_step_has_the_whole_rate():
    assert cosine(10)(0) == 1 and cosine(1)(0) == 1


def test_whole_numbers_of_numpy_and_pytorch_are_taken():
    assert cosine(np.int64(10), warmup=torch.tensor(2))(1) == cosine(10, warmup=2)(1)
    assert Augmentation(max_shift=np.int64(3)) == Augmentation(max_shift=3)
    inputs, _ = windows()
    for by in (np.int64(3), np.array(3), torch.tensor(3), [3] * 6, np.full(6, 3), (torch.tensor(3),) * 6):
        assert torch.equal(shift(inputs, by), shift(inputs, 3))


@pytest.mark.parametrize(
    "by", [None, "a", True, [None] * 6, [True] * 6, torch.ones(6), np.ones((6, 2), int), [[1] * 6], [1], np.float64(2)]
)
def test_a_shift_by_no_whole_number_is_refused(by):
    with pytest.raises(ValueError, match="a whole number is expected, or 6 of them"):
        shift(windows()[0], by)


def test_steps_outside_the_schedule_are_refused():
    for step in (-1, 11):
        with pytest.raises(ValueError, match=f"step {step} is not among the 10"):
            cosine(10)(step)


# --- the augmentation ----------------------------------------------------------------------------


def windows(many: int = 6, length: int = 32, seed: int = 3) -> tuple[torch.Tensor, torch.Tensor]:
    codes = torch.randint(4, (many, length), generator=chance(seed))
    tracks = torch.rand(many, 4, 3, generator=chance(seed + 1))
    return torch.eye(4)[codes].permute(0, 2, 1), tracks


SWAP = (1, 0, 2)


@pytest.mark.parametrize("by", [0, 1, 5, 31, -1, -5, -31])
def test_a_shift_never_wraps_and_zeros_come_in(by):
    inputs, _ = windows()
    moved = shift(inputs, by)
    padded = nn.functional.pad(inputs, (31, 31))
    assert torch.equal(moved, padded[..., 31 - by : 63 - by])
    assert moved.sum() == 6 * (32 - abs(by)) and torch.equal(inputs, windows()[0])


def test_each_sequence_can_have_its_own_shift():
    inputs, _ = windows()
    by = torch.tensor([0, 3, -3, 1, 7, -31])
    expected = torch.cat([shift(inputs[[row]], move) for row, move in enumerate(by.tolist())])
    assert torch.equal(shift(inputs, by), expected)


def test_the_reverse_complement_is_that_of_the_letters_and_turns_bins_and_swaps_partners():
    text = "ACGTTGCAAACCGGGT"
    inputs = torch.from_numpy(sequences.one_hot([text])).permute(0, 2, 1)
    tracks = torch.arange(12.0).reshape(1, 4, 3)
    turned, turned_tracks = reverse_complement(inputs, tracks, SWAP)
    assert sequences.decode(turned.permute(0, 2, 1).numpy()) == [sequences.reverse_complement(text)]
    for bin in range(4):
        assert turned_tracks[0, bin].tolist() == tracks[0, 3 - bin, list(SWAP)].tolist()


def test_counts_of_bases_in_bins_follow_the_turned_sequence():
    inputs, _ = windows()
    counted = inputs.reshape(6, 4, 4, 8).sum(dim=3).permute(0, 2, 1)  # a track for each base, 8 bases a bin
    turned, tracks = reverse_complement(inputs, counted, (3, 2, 1, 0))
    assert torch.equal(tracks, turned.reshape(6, 4, 4, 8).sum(dim=3).permute(0, 2, 1))


@pytest.mark.parametrize("swap", [None, SWAP, list(SWAP), np.array(SWAP), torch.tensor(SWAP)])
def test_the_reverse_complement_of_the_reverse_complement_is_what_came(swap):
    inputs, tracks = windows()
    again = reverse_complement(*reverse_complement(inputs, tracks, swap), swap)
    assert torch.equal(again[0], inputs) and torch.equal(again[1], tracks)


@pytest.mark.parametrize(
    "swap, words",
    [
        ((1, 2, 0), "partner of its partner"),
        ((1, 0), "3 tracks"),
        ((0, 1, 3), "0 to 2"),
        ((0, 1, -1), "0 to 2"),
        ((True, False, 2), "3 tracks"),
        (torch.tensor([1.0, 0.0, 2.0]), "3 tracks"),
        (5, "swap is 5"),
    ],
)
def test_a_swap_that_is_none_is_refused(swap, words):
    with pytest.raises(ValueError, match=words):
        reverse_complement(*windows(), swap)


def test_without_a_wish_nothing_changes_and_nothing_is_drawn():
    inputs, tracks = windows()
    generator = chance()
    same = Augmentation()(inputs, tracks, generator)
    assert torch.equal(same[0], inputs) and torch.equal(same[1], tracks)
    assert torch.equal(generator.get_state(), chance().get_state())


def test_each_window_is_changed_on_its_own_and_all_changes_are_equally_likely():
    window, tracks = windows(1)
    changes = {}
    for move in (-2, -1, 0, 1, 2):
        for turned in (False, True):
            pair = (shift(window, move), tracks)
            pair = reverse_complement(*pair, SWAP) if turned else pair
            changes[move, turned] = [part[0] for part in pair]
    many = 2000
    inputs, labels = Augmentation(2, True, SWAP)(window.repeat(many, 1, 1), tracks.repeat(many, 1, 1), chance())
    seen = dict.fromkeys(changes, 0)
    for pair in zip(inputs, labels):
        (change,) = [name for name, parts in changes.items() if all(map(torch.equal, pair, parts))]
        seen[change] += 1
    assert min(seen.values()) > 150 and max(seen.values()) < 250  # 200 each, standard deviation 13


def test_chance_comes_from_the_generator_alone():
    before = torch.get_rng_state()
    augment, pair = Augmentation(3, True, SWAP), windows(64)
    one, same, other = augment(*pair, chance(1)), augment(*pair, chance(1)), augment(*pair, chance(2))
    assert torch.equal(one[0], same[0]) and torch.equal(one[1], same[1])
    assert not torch.equal(one[0], other[0])
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(pair[0], windows(64)[0]), "what came is not written to"
