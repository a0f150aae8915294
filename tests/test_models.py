"""The networks have the sizes, shapes and properties that their descriptions promise."""

import re

import pytest
import torch
from torchsummary import summary

from course_utils.models import seeded
from course_utils.models.motif_cnn import GlobalMaxCNN, MotifCNN, TinyMotifCNN

ALL = (MotifCNN, TinyMotifCNN, GlobalMaxCNN)


def sequences(many: int = 3, length: int = 20, seed: int = 0) -> torch.Tensor:
    """Random one-hot sequences (many, 4, length)."""
    codes = torch.randint(4, (many, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1)


def parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("network, many", [(MotifCNN, 10_642), (TinyMotifCNN, 312)])
def test_the_networks_of_the_source_lectures_have_their_numbers_of_parameters(network, many, capsys):
    model = network()
    assert parameters(model) == many
    summary(model, (4, 20), device="cpu")
    assert f"Total params: {many:,}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "network, rows",
    [
        (
            MotifCNN,
            [
                ("Conv1d", "[-1, 16, 20]", "208"),
                ("ReLU", "[-1, 16, 20]", "0"),
                ("MaxPool1d", "[-1, 16, 10]", "0"),
                ("Flatten", "[-1, 160]", "0"),
                ("Linear", "[-1, 64]", "10,304"),
                ("Linear", "[-1, 2]", "130"),
            ],
        ),
        (
            TinyMotifCNN,
            [
                ("Conv1d", "[-1, 10, 20]", "210"),
                ("ReLU", "[-1, 10, 20]", "0"),
                ("MaxPool1d", "[-1, 10, 5]", "0"),
                ("Flatten", "[-1, 50]", "0"),
                ("Linear", "[-1, 2]", "102"),
            ],
        ),
    ],
)
def test_the_summary_shows_the_layers_of_the_source_lectures(network, rows, capsys):
    summary(network(), (4, 20), device="cpu")
    printed = capsys.readouterr().out.split("=" * 64)[1].strip().splitlines()
    shown = [re.fullmatch(r"(\w+)-\d+ +(\[.*\]) +([\d,]+)", line.strip()).groups() for line in printed]
    assert shown == rows


@pytest.mark.parametrize("network", ALL)
def test_a_network_gives_two_logits_for_each_sequence(network):
    logits = network()(sequences(5))
    assert logits.shape == (5, 2) and logits.requires_grad


@pytest.mark.parametrize("network, length, many", [(MotifCNN, 50, 26_002), (TinyMotifCNN, 50, 452)])
def test_a_network_can_be_made_for_another_length(network, length, many):
    model = network(length=length)
    assert model(sequences(length=length)).shape == (3, 2)
    assert parameters(model) == many


def test_only_global_pooling_is_blind_to_the_place_of_a_motif():
    motif = sequences(1, 6, seed=4)
    quiet = torch.zeros(8, 4, 40)  # nothing but the motif, at eight places far from the ends
    for number, start in enumerate(range(10, 18)):
        quiet[number, :, start : start + 6] = motif[0]
    with seeded(3):
        blind, seeing = GlobalMaxCNN(), MotifCNN(40)
    torch.testing.assert_close(blind(quiet), blind(quiet[:1]).expand(8, 2))
    assert (seeing(quiet) - seeing(quiet[:1]))[1:].abs().max() > 0.01


def test_global_pooling_takes_any_length():
    model = GlobalMaxCNN(filters=4, width=7)
    assert [model(sequences(2, length)).shape for length in (1, 20, 300)] == [(2, 2)] * 3


def test_the_two_linear_layers_of_the_lecture_are_one():
    model = MotifCNN()
    folded = torch.nn.Linear(160, 2)
    with torch.no_grad():
        folded.weight.copy_(model.linear2.weight @ model.linear1.weight)
        folded.bias.copy_(model.linear2.weight @ model.linear1.bias + model.linear2.bias)
    one_hot = sequences(16)
    features = model.flatten(model.pool(model.relu(model.conv(one_hot))))
    torch.testing.assert_close(folded(features), model(one_hot))


def test_a_seed_makes_the_first_weights_and_leaves_the_random_numbers_alone():
    before = torch.get_rng_state()
    weights = []
    for seed in (1, 1, 2):
        with seeded(seed):
            weights.append(MotifCNN().conv.weight)
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "make, shape, words",
    [
        (MotifCNN, (8, 20, 4), ["(8, 20, 4)", "bases last", "(N, 4, 20)", "permute(0, 2, 1)"]),
        (MotifCNN, (8, 4, 21), ["have 21 bases", "made for 20", "length=21"]),
        (TinyMotifCNN, (8, 4, 19), ["have 19 bases", "made for 20"]),
        (GlobalMaxCNN, (8, 20, 4), ["(8, 20, 4)", "(N, 4, L)", "permute"]),
        (GlobalMaxCNN, (4, 20), ["(4, 20)", "a batch of sequences"]),
        (GlobalMaxCNN, (8, 5, 20), ["(8, 5, 20)", "A, C, G, T"]),
    ],
)
def test_a_network_says_which_input_it_cannot_take(make, shape, words):
    with pytest.raises(ValueError) as caught:
        make()(torch.zeros(shape))
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
