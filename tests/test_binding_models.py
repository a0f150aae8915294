"""The networks for the primer's word have the sizes, first weights and properties that lesson 06 says they have."""

import math
import warnings

import pytest
import torch
from torch import nn
from torchsummary import summary

from course_utils.models import seeded
from course_utils.models.binding import DEEP, MotifDetector, ReportCNN

CHANGES = {"padded": True, "pool": 5, "outputs": 2, "deep": True, "dropout": 0.2}


def sequences(many: int = 3, length: int = 50, seed: int = 0) -> torch.Tensor:
    """Random one-hot sequences (many, 4, length)."""
    codes = torch.randint(4, (many, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1).contiguous()


def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def layers(model: nn.Module, kind: type) -> list:
    return [layer for layer in model.modules() if isinstance(layer, kind)]


@pytest.mark.parametrize(
    "changes, many",
    [
        ({}, 6_209),
        ({"padded": True}, 7_745),
        ({"pool": 5}, 5_185),
        ({"outputs": 2}, 6_226),
        ({"deep": True}, 119_853),
        ({"dropout": 0.2}, 6_209),
        ({"padded": True, "pool": 5}, 6_721),
        (CHANGES, 128_050),
    ],
)
def test_the_report_s_networks_have_their_numbers_of_parameters(changes, many):
    assert parameters(ReportCNN(**changes)) == many


def test_the_detector_has_401_parameters():
    assert parameters(MotifDetector()) == 401
    assert parameters(MotifDetector(filters=1, width=12)) == 4 * 12 + 1 + 1 + 1


def test_the_summary_of_the_first_network_has_the_shapes_and_counts_of_the_report(capsys):
    summary(ReportCNN(), (4, 50), device="cpu")
    printed = capsys.readouterr().out
    for layer, shape, many in (
        ("Conv1d", "[-1, 32, 39]", "1,568"),
        ("MaxPool1d", "[-1, 32, 9]", "0"),
        ("Flatten", "[-1, 288]", "0"),
        ("Linear", "[-1, 16]", "4,624"),
        ("Linear", "[-1, 1]", "17"),
    ):
        lines = [line for line in printed.splitlines() if shape in line]
        assert any({layer, many} <= {*line.replace("-", " ").split()} for line in lines)
    assert "Total params: 6,209" in printed


def test_the_second_network_has_ten_layers_and_dropout_behind_the_first_four():
    kinds = [type(layer) for layer in ReportCNN(**CHANGES).dense]
    assert kinds == [nn.Linear, nn.ReLU, nn.Dropout] * 4 + [nn.Linear, nn.ReLU] * 6
    widths = [layer.out_features for layer in layers(ReportCNN(**CHANGES).dense, nn.Linear)]
    assert widths == list(DEEP) == [256, 128, 64, 32, 16, 16, 8, 8, 4, 4]
    assert [layer.p for layer in layers(ReportCNN(**CHANGES), nn.Dropout)] == [0.2] * 4
    assert [type(layer) for layer in ReportCNN(dropout=0.2).dense] == [nn.Linear, nn.ReLU, nn.Dropout]


@pytest.mark.parametrize("changes", [{}, *({name: value} for name, value in CHANGES.items()), CHANGES])
def test_one_output_gives_a_logit_for_each_sequence_and_two_give_two(changes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for many in (1, 5):
            logits = ReportCNN(**changes)(sequences(many))
            assert logits.shape == ((many, 2) if "outputs" in changes else (many,))


@pytest.mark.parametrize("changes", [{}, CHANGES])
def test_the_first_weights_are_those_of_keras(changes):
    with seeded(1):
        model = ReportCNN(**changes)
    for layer in layers(model, (nn.Conv1d, nn.Linear)):
        assert not layer.bias.any()
        taps = layer.kernel_size[0] if isinstance(layer, nn.Conv1d) else 1
        end = math.sqrt(6 / (taps * (layer.weight.shape[0] + layer.weight.shape[1])))
        weight = layer.weight.detach()
        largest = float(weight.abs().max())
        assert largest <= end
        if weight.numel() > 100:  # of many uniform numbers, the largest is close to the end
            assert largest > 0.95 * end
            assert float(weight.std()) == pytest.approx(end / math.sqrt(3), rel=0.1)


def test_padding_puts_five_zeros_before_and_six_behind_as_keras_does():
    with seeded(1):
        model = ReportCNN(padded=True)
    one_hot = sequences(2)
    scores = model.conv(model.pad(one_hot))
    assert scores.shape == (2, 32, 50)
    torch.testing.assert_close(scores[:, :, 5:44], model.conv(one_hot))


def test_a_pool_of_five_without_padding_loses_more_scores_than_one_of_four():
    """The report takes five so that none is left over. That holds with padding; without, four are lost, not three."""
    lost = {}
    for padded in (False, True):
        for pool in (4, 5):
            model = ReportCNN(padded=padded, pool=pool)
            scores = model.conv(model.pad(sequences(1)))
            lost[padded, pool] = scores.shape[2] - pool * model.pool(scores).shape[2]
    assert lost == {(False, 4): 3, (False, 5): 4, (True, 4): 2, (True, 5): 0}


def test_the_last_layers_know_the_place_and_the_detector_does_not():
    motif = sequences(1, 12, seed=4)
    quiet = torch.zeros(39, 4, 50)  # nothing but the motif, at every place
    for start in range(39):
        quiet[start, :, start : start + 12] = motif[0]
    with seeded(3):
        report, detector = ReportCNN(), MotifDetector()
    torch.testing.assert_close(detector(quiet), detector(quiet[:1]).expand(39))
    assert (report(quiet) - report(quiet[:1]))[1:].abs().max() > 0.01


def test_the_detector_takes_any_length_and_its_filters_reach_over_both_ends():
    model = MotifDetector(filters=3, width=7)
    assert [tuple(model(sequences(2, length)).shape) for length in (1, 7, 50, 300)] == [(2,)] * 4
    one_hot = sequences(2, 20)
    scores = model.conv(model.pad(one_hot))
    assert scores.shape == (2, 3, 26)  # from the first base under the last weight to the last under the first
    torch.testing.assert_close(scores[:, :, 6:20], model.conv(one_hot))


@pytest.mark.parametrize(
    "shape, words",
    [
        ((8, 50, 4), ["bases last", "permute(0, 2, 1)"]),
        ((8, 4, 49), ["have 49 bases", "made for 50"]),
        ((4, 50), ["(4, 50)", "a batch of sequences"]),
    ],
)
def test_another_input_is_refused_in_words(shape, words):
    with pytest.raises(ValueError) as caught:
        ReportCNN()(torch.zeros(shape))
    assert [word for word in words if word not in str(caught.value)] == []


def test_whole_numbers_are_refused_by_both():
    for model in (ReportCNN(), MotifDetector()):
        with pytest.raises(ValueError, match=r"call float\(\)"):
            model(sequences().long())
