"""The arithmetic of receptive fields agrees with counting by hand, and with the gradients of networks."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.interpretation import seen_by
from course_utils.models import seeded
from course_utils.receptive_fields import Layer, receptive_field, span, step, tree

SQUEEZE = [Layer(21, 2), Layer(7, 4), Layer(7, 4), Layer(7, 4)]
DILATED = [Layer(3, dilation=2**number) for number in range(7)]


class Stack(nn.Module):
    """Plain convolutions with the layers' sizes: (N, 4, L) -> (N, bins, 2)."""

    def __init__(self, layers):
        super().__init__()
        self.convs = nn.Sequential(
            *[
                nn.Conv1d(4 if number == 0 else 2, 2, kernel, stride, kernel // 2 * dilation, dilation)
                for number, (kernel, stride, dilation) in enumerate(layers)
            ]
        )

    def forward(self, x):
        return self.convs(x).permute(0, 2, 1)


def stack(layers, length, seed=0):
    with seeded(seed):
        return Stack(layers), torch.randn(2, 4, length)


@pytest.mark.parametrize(
    "layers, field",
    [
        ([], 1),
        ([Layer(5)], 5),
        ([Layer(3)] * 7, 15),
        (DILATED, 255),
        ([Layer(3, dilation=3**number) for number in range(5)], 243),
        ([Layer(2, dilation=2**number) for number in range(4)], 16),
        ([Layer(21, 2)], 21),
        (SQUEEZE, 273),
        (SQUEEZE + [Layer(3)] * 7, 273 + 7 * 2 * 128),
        (SQUEEZE + DILATED, 32_785),
    ],
)
def test_receptive_fields_worked_out_by_hand(layers, field):
    assert receptive_field(layers) == field


def test_the_step_is_the_product_of_the_strides():
    assert step(SQUEEZE + DILATED) == 128 and step([Layer(7, 3), Layer(5, 2)]) == 6 and step([]) == 1


def test_a_field_far_from_the_ends_is_centred_on_the_start_of_the_bin():
    start, end = span(SQUEEZE + DILATED, 512, 131_072)
    assert (start, end) == (512 * 128 - 16_392, 512 * 128 + 16_392 + 1)
    assert end - start == receptive_field(SQUEEZE + DILATED)
    assert span(SQUEEZE, 100, 131_072) == (12_664, 12_937)


def test_a_span_ends_where_the_input_ends():
    layers = SQUEEZE + DILATED
    assert span(layers, 0, 131_072) == (0, 16_393)
    assert span(layers, 1023, 131_072) == (1023 * 128 - 16_392, 131_072)


def test_a_span_begins_with_a_position_that_is_seen():
    # the taps are at -2, 2 and 6: the first is padding, and base 0 and 1 are never read
    assert span([Layer(3, dilation=4)], 2, 10) == (2, 7)
    assert span([Layer(2, dilation=10)], 12, 3) == (2, 3)
    assert span([Layer(2, 5, 10)], 1, 3) == (0, 0), "the taps are at -5 and 5"


def test_a_tree_lists_every_position_of_every_level():
    layers = [Layer(3, 2), Layer(3, dilation=2)]
    assert tree(layers, 3) == [[3], [1, 3, 5], [1, 2, 3, 5, 6, 7, 9, 10, 11]]
    assert tree(layers, 0) == [[0], [-2, 0, 2], [-5, -4, -3, -1, 0, 1, 3, 4, 5]]
    assert tree(layers, 0, 8) == [[0], [0, 2], [0, 1, 3, 4, 5]]
    assert tree([], 5) == [[5]]
    assert all(type(position) is int for level in tree(layers, 3, 20) for position in level)


def test_doubling_dilations_leave_no_holes_and_fours_do():
    assert tree(DILATED, 200)[-1] == list(range(200 - 127, 200 + 128))
    fours = [Layer(3, dilation=4**number) for number in range(4)]
    assert receptive_field(fours) == 171 and len(tree(fours, 200)[-1]) == 81


@pytest.mark.parametrize(
    "layers",
    [
        [Layer(5)],
        [Layer(3, dilation=5)],
        [Layer(3)] * 4,
        [Layer(3, dilation=2**number) for number in range(4)],
        [Layer(3, dilation=4**number) for number in range(3)],
        [Layer(7, 2), Layer(5, 3), Layer(3, dilation=2)],
        [Layer(4), Layer(2, dilation=3)],
    ],
    ids=str,
)
def test_the_arithmetic_agrees_with_the_gradient_for_every_output(layers):
    length = 60
    model, inputs = stack(layers, length)
    for output in range(model(inputs).shape[1]):
        seen = np.flatnonzero(seen_by(model, inputs, output))
        assert seen.tolist() == tree(layers, output, length)[-1]
        assert (seen[0], seen[-1] + 1) == span(layers, output, length)


def test_a_stack_has_the_outputs_that_torch_gives_it():
    for layers in ([Layer(7, 2), Layer(5, 3)], [Layer(4, 3), Layer(2, dilation=3)]):
        model, inputs = stack(layers, 50)
        outputs = model(inputs).shape[1]
        span(layers, outputs - 1, 50)
        with pytest.raises(ValueError, match=f"0 to {outputs - 1}"):
            span(layers, outputs, 50)


def test_seen_by_leaves_the_model_as_it_was():
    class Noisy(Stack):
        def forward(self, x):
            return super().forward(nn.functional.dropout(x, 0.5, self.training))

    with seeded(1):
        model = Noisy([Layer(5)])
        inputs = torch.randn(1, 4, 30)
    before = torch.get_rng_state()
    assert seen_by(model, inputs, 10).sum() == 5, "dropout is off"
    assert model.training and model.convs[0].weight.dtype == torch.float32
    assert all(parameter.grad is None for parameter in model.parameters()) and not inputs.requires_grad
    assert torch.equal(torch.get_rng_state(), before)


def test_seen_by_works_inside_no_grad_and_counts_bins_from_the_end():
    model, inputs = stack([Layer(5)], 30)
    with torch.no_grad():
        seen = seen_by(model, inputs, -1)
    assert seen.dtype == bool and np.flatnonzero(seen).tolist() == [27, 28, 29]


def test_seen_by_shows_positions_of_any_sequence_and_channel():
    class Picks(nn.Module):
        def forward(self, x):
            return torch.stack([x[0, 3, :5].prod(), x[1, 0, 7]])[None, None]

    inputs = torch.zeros(2, 4, 10)
    inputs[0, 3, :5] = torch.tensor([1.0, 1, 0, 1, 1])  # all but one derivative of the product are 0
    assert np.flatnonzero(seen_by(Picks(), inputs, 0)).tolist() == [2, 7]
