"""Lesson 09, the parts of its network: dilation, squeeze, gates, weight normalisation, dense connections."""

import re
from itertools import product
from math import exp

import numpy as np
import pytest
import torch
from dilated_reader import (
    CODE,
    DILATED,
    NAME,
    PROSE,
    SQUEEZE,
    WINDOW,
    claims,
    network,
    promoter,
    seen,
    stack,
    sums,
    whole,
)
from reading import said
from test_exercises import run, solution
from test_explorer_parts import Reader
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torchsummary import summary

from course_utils.explorers.receptive_field import compute, draw
from course_utils.models import seeded
from course_utils.receptive_fields import Layer, span

pytestmark = pytest.mark.usefixtures("one_thread")

# --- 3 and 4: dilation ---------------------------------------------------------------------------


def test_a_kernel_of_3_with_dilation_4_is_one_of_9_with_six_zeros():
    taps = claims(r"kernel of 3 with dilation 4 has three weights and looks .* \$-(\d)\$, \$0\$ and \$\+(\d)")
    assert taps == ["4", "4"] and sorted(sums([4])) == [-4, 0, 4]
    assert "plain kernel of 9 in which six weights are zero" in PROSE
    x = np.random.default_rng(0).standard_normal(50)
    wide = np.zeros(9)
    wide[[0, 4, 8]] = 1, 2, 3
    conv = stack([(3, 1, 4)])
    with torch.no_grad():
        conv[0].weight[0, 0] = torch.tensor([1.0, 2, 3])
        ours = conv(torch.from_numpy(x).float()[None, None])[0, 0].numpy()
    assert ours == pytest.approx(np.correlate(x, wide, mode="same"), abs=1e-5)
    assert said(NAME, "dilation") == "the same outputs: True\nweights: 3 and 9\n"


def test_doubling_and_tripling_leave_no_hole_and_fours_leave_90():
    rows = re.findall(
        r"(\w+) +\[([\d, ]+)\] +field +(\d+), of which +(\d+) are never", said(NAME, "seed:001-doubling")
    )
    by_rule = {}
    for rule, dilations, field, holes in rows:
        found = sums(whole(dilations))
        by_rule[rule] = (max(found) - min(found) + 1, max(found) - min(found) + 1 - len(found))
        assert by_rule[rule] == (int(field), int(holes)), rule
    assert by_rule == {"plain": (15, 0), "doubling": (255, 0), "tripling": (243, 0), "fours": (171, 90)}
    assert claims(r"Seven doubling layers see (\d+) positions, each of them\.") == ["255"]
    assert "A kernel of 3 can even triple its dilations without a hole." in PROSE
    assert all((len(sums([r**i for i in range(4)])) == 1 + 2 * sum(r**i for i in range(4))) == (r <= 3)
               for r in (1, 2, 3, 4, 5)), "holes from 4 on, and only then"  # fmt: skip
    predicted = claims(r"Seven plain layers saw (\d+) positions.* whose dilations are ([\d, ]+)\?")
    assert predicted == ["15", "1, 2, 4, 8, 16, 32, 64"]


def test_tripling_has_one_path_from_each_input_and_doubling_several():
    assert "With tripling, exactly one path leads from each input to the output." in PROSE
    assert "With doubling there are several from most inputs" in PROSE

    def paths(dilations) -> np.ndarray:
        """The gradient of a stack of ones counts them."""
        inputs = torch.zeros(1, 1, 401, requires_grad=True)
        stack([(3, 1, d) for d in dilations])(inputs)[0, 0, 200].backward()
        return inputs.grad[0, 0][inputs.grad[0, 0] > 0].numpy()

    assert set(paths([3**i for i in range(5)])) == {1}
    doubling = paths([2**i for i in range(7)])
    assert len(doubling) == 255 and doubling.sum() == 3**7 and np.mean(doubling > 1) > 0.9


def test_the_explorer_starts_with_255_of_320_inputs_15_without_dilation_and_127_plain_layers():
    [inputs] = map(int, claims(r"one output at the top, (\d+) inputs at the bottom, and those marked that it depends on"))
    many, dilations = len(DILATED), [d for _, _, d in DILATED]
    positions, plain = seen(DILATED, inputs // 2, inputs), seen([(3, 1, 1)] * many, inputs // 2, inputs)
    assert positions.tolist() == list(range(33, 288)) and len(positions) == 255 and len(plain) == 15
    enough = (len(positions) - 1) // 2  # a plain layer adds 2
    assert (inputs, enough) == (320, 127)
    assert said(NAME, "explorer") == (
        f"receptive-field explorer: {many} layers of kernel 3, dilations {str(dilations)[1:-1]}: the receptive "
        f"field is {len(positions)} bases; all of them are read; {3 * many} weights per pair of channels. "
        f"Output {inputs // 2} of an input of {inputs} bases reads {len(positions)} of them, from "
        f"{positions[0]} to {positions[-1]}. {many} layers without dilation see {len(plain)} bases; "
        f"{enough} would be needed for the same field.\n"
    )


def test_four_layers_with_a_kernel_of_2_fit_the_explorer_whatever_their_dilations():
    assert "With a kernel of 2, set 4 layers first." in PROSE
    for growth in (1, 2, 3, 4):
        reached = {160 - sum(steps) for steps in product(*[(0, growth**number) for number in range(4)])}
        view = compute(4, 2, growth, 320, 160, False)
        assert view.levels[-1].tolist() == sorted(reached) and min(reached) >= 0
        assert view.holes == max(reached) - min(reached) + 1 - len(reached)
        assert (view.holes == 0) == (growth <= 2)
    assert compute(7, 2, 3, 320, 160, False).outside > 0, "seven do not fit"


def test_bins_that_are_never_read_are_not_128_letters_never_seen_each_and_the_table_counts_both():
    assert "A bin that is never read is not 128 letters never seen" in PROSE
    assert "what neighbouring bins see overlaps, and the table counts both" in PROSE
    fours = [(3, 1, 4**number) for number in range(4)]
    bins, letters = seen(fours, 100, 200), seen(SQUEEZE + fours, 100, 200 * 128)
    holes, unseen = (np.ptp(found) + 1 - len(found) for found in (bins, letters))
    assert holes == 90 and 0 < unseen < holes * 128
    words = Reader(draw(compute(4, 3, 4, 320, 160, True)).numbers).words
    for name, number in (("holes: bins never read", holes), ("bases never seen", unseen)):
        assert words[words.index(name) + 1] == f"{number:,}"


# --- 5: squeeze ----------------------------------------------------------------------------------


def test_strides_of_2_4_4_4_turn_128_letters_into_a_column_of_96():
    assert claims(r"strides of (2), (4), (4) and (4) turn each (128) letters into one column of (96) numbers")
    lines = [whole(line) for line in said(NAME, "seed:001-squeeze").splitlines()]
    length, expected = WINDOW, [[1, 4, WINDOW]]
    for conv in (block.conv for block in network().squeeze):
        length //= conv.stride[0]
        expected.append([*conv.kernel_size, *conv.stride, 1, conv.out_channels // 2, length])
    assert lines == [*expected, [WINDOW // length]] and expected[-1] == [7, 4, 1, 96, 1024]


def test_a_column_sees_273_bases_around_the_start_of_its_bin():
    positions, first = seen(SQUEEZE, 100, WINDOW // 8), 100 * 128
    start, end = positions[0], positions[-1]
    assert positions.tolist() == list(range(start, end + 1)) and (start, end) == (12_664, 12_936)
    assert said(NAME, "squeeze-field") == (
        f"bases seen by a column: {len(positions)}\ncolumn 100 sees the bases {start:,} to {end:,}: "
        f"{first - start} before its bin, {end - first - 127} behind it\n"
        f"the middle is base {positions.mean():,.0f}; the bin begins at {first:,}\n"
    )
    assert len(positions) == 273 and positions.mean() == first
    assert "its own bin, all of the one before, and little of the next" in PROSE
    assert start <= first - 128 and end - first - 127 < 128 / 10
    end_of_bin = first + 127
    assert end_of_bin in positions, "this column"
    assert end_of_bin in seen(SQUEEZE, 101, WINDOW // 8), "and the next"


def test_the_two_ends_of_a_window_are_unequal():
    layers = [Layer(*layer) for layer in SQUEEZE]
    assert span(layers, 0, WINDOW) == (0, 137) and span(layers, 1023, WINDOW) == (WINDOW - 264, WINDOW)
    symmetric = stack(SQUEEZE)
    x = torch.rand(1, 1, 1024, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(symmetric(x.flip(2)).flip(2), symmetric(x), rtol=1e-3)
    assert "Turn a sequence around, and the squeezed columns do not quite turn around with it" in PROSE


def test_a_shift_by_one_letter_changes_the_columns_and_one_by_a_bin_moves_them():
    """Inner columns, which the ends of the sequence do not reach."""
    with torch.no_grad():
        columns, by_one, by_bin = (
            nn.Sequential(*network().squeeze)(torch.roll(promoter(), by, dims=2))[0, :, 4:-4]
            for by in (0, 1, 128)
        )
    assert torch.allclose(by_bin[:, 1:], columns[:, :-1], atol=1e-6)
    assert "Shift the sequence by one letter and the squeezed numbers change." in PROSE
    assert (by_one - columns).abs().max() > 0.05 * columns.abs().max()


# --- 6 and 7: gates, weight normalisation --------------------------------------------------------


def test_a_gate_lets_nothing_half_or_all_of_2_through():
    gate = {b: 1 / (1 + exp(-b)) for b in (-6, 0, 6)}
    at = [f"{2 * gate[-6]:.3f} at b = -6", f"{2 * gate[0]:.1f} at b = 0", f"{2 * gate[6]:.3f} at b = 6"]
    assert f"a = 2: {at[0]} (closed), {at[1]} (half open), {at[2]} (open)\n" in said(NAME, "glu")
    assert at[0][:5] == "0.005" and at[2][:5] == "1.995"
    rises = (
        f"a = 2 rises to {2 * gate[6]:.2f}, a = 0.5 to {0.5 * gate[6]:.2f}, a = -1 falls to {-gate[6]:.2f}."
    )
    assert rises in said(NAME, "glu")
    h = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    by_hand = h[:, :3] / (1 + torch.exp(-h[:, 3:]))
    assert torch.allclose(F.glu(h, dim=1), by_hand)
    assert torch.allclose(run(NAME, solution(NAME, "glu"))(h), by_hand)
    assert "Without `dim` it cuts the last axis, the positions" in PROSE
    assert F.glu(h).shape == (2, 6, 4), "no error if their number is even"
    assert "If their number is even, this line raises no error; the next layer may." in PROSE
    with pytest.raises(RuntimeError, match="channels"):
        nn.Conv1d(3, 1, 1)(F.glu(h))
    with pytest.raises(RuntimeError):
        F.glu(h[:, :, :7])


def test_a_weight_normalised_layer_is_gain_times_direction():
    with seeded(0):
        conv = weight_norm(nn.Conv1d(4, 6, 3, bias=False))
    parts = conv.parametrizations.weight
    gain, direction = parts.original0, parts.original1
    assert said(NAME, "weight-norm").startswith("gain (6, 1, 1)  direction (6, 4, 3)\n")
    assert said(NAME, "weight-norm").count("True") == 2
    assert (tuple(gain.shape), tuple(direction.shape)) == ((6, 1, 1), (6, 4, 3))
    with torch.no_grad():
        v, g = direction.numpy().astype(float), gain.numpy().astype(float)
        by_hand = np.stack([g[o, 0, 0] * v[o] / np.sqrt((v[o] ** 2).sum()) for o in range(6)])
        assert conv.weight.numpy() == pytest.approx(by_hand, abs=1e-6)
        normalised = run(NAME, solution(NAME, "weight_norm"))
        assert torch.allclose(normalised(direction, gain.flatten()), conv.weight, atol=1e-6)
        direction *= 10
        assert conv.weight.numpy() == pytest.approx(by_hand, abs=1e-6)
        gain *= 10
        assert conv.weight.numpy() == pytest.approx(10 * by_hand, abs=1e-5)


def test_torchsummary_counts_72_of_78_and_lists_each_time_the_weight_was_computed(capsys):
    conv, times = weight_norm(nn.Conv1d(4, 6, 3, bias=False)), []
    conv.parametrizations.weight[0].register_forward_hook(lambda *_: times.append(1))
    summary(nn.Sequential(conv), input_size=(4, 30), device="cpu")
    now, then = capsys.readouterr().out, said(NAME, "torchsummary-miscounts")
    assert now.count("_WeightNorm-") == len(times) > 1
    assert "Total params: 72\n" in now and "Total params: 72\n" in then and then.count("_WeightNorm-") > 1
    assert sum(p.numel() for p in conv.parameters()) == 6 * 4 * 3 + 6 == 78
    assert "truly: 78 parameters: 72 of the directions and 6 gains" in then


# --- 8: dense connections ------------------------------------------------------------------------


def test_96_channels_and_24_of_each_of_seven_blocks_make_264():
    squeezed, growth = map(int, claims(r"the (\d+) squeezed channels and the (\d+) of each earlier block"))
    entering = run(NAME, solution(NAME, "dense_channels"))
    assert entering(8, 2, 3) == [8, 10, 12, 14] and "for 8, 2, 3 it is\n        [8, 10, 12, 14]" in CODE
    inputs = [layer.in_channels for layer in [*(b.conv for b in network().dilated), network().head]]
    assert inputs == entering(squeezed, growth, 7) == list(range(96, 265, 24))
    assert claims(r"network has (\d+), (\d+) and (\d); the head gets (\d+)\.") == ["96", "24", "7", "264"]
    readers = [f"block {i + 1}" for i in range(7)] + ["head"]
    assert ", ".join(f"{name} {many}" for name, many in zip(readers, inputs)) + "." in said(
        NAME, "dense-picture"
    )


def gradient(depth: int, dense: bool) -> tuple[float, list[float]]:
    """Of the mean output, at the columns that enter; and how far each gate is open on average."""
    columns = torch.randn(8, 24, 512, requires_grad=True)
    h, gates = columns, []
    for _ in range(depth):
        conv = nn.Conv1d(h.shape[1], 48, 3, padding=1)
        nn.init.normal_(conv.weight, std=(3 * h.shape[1]) ** -0.5)
        both = conv(h)
        values, opens = both[:, :24], 1 / (1 + torch.exp(-both[:, 24:]))
        gates.append(opens.mean().item())
        h = torch.cat([h, values * opens], dim=1) if dense else values * opens
    head = nn.Conv1d(h.shape[1], 1, 1)
    return torch.autograd.grad(head(h).mean(), columns)[0].norm().item(), gates


def test_dense_connections_keep_the_gradient_that_gates_would_shrink():
    rows = re.findall(r"(\d+) blocks: .* connections (\S+), without (\S+)\n", said(NAME, "dense-gradient"))
    assert (
        [int(depth) for depth, *_ in rows]
        == [7, 28]
        == [int(d) for d in claims(r"of (\d+) and (\d+) blocks,")]
    )
    for depth, *printed in rows:
        with seeded(0):
            (dense, _), (without, gates) = (gradient(int(depth), connected) for connected in (True, False))
        assert [float(number) for number in printed] == pytest.approx([dense, without], rel=0.3, abs=0)
        assert dense > 1e-3 and dense > 10 * 2 ** (int(depth) - 7) * without
        assert np.mean(gates) == pytest.approx(0.5, abs=0.05), "about half closed"
    assert "its gates are about half closed" in PROSE


def test_the_gradients_of_the_text_are_those_of_the_cell():
    printed = re.findall(r"(\d+) blocks: .* without (\S+)", said(NAME, "dense-gradient"))
    few, short, many, deep = re.search(
        r"falls from (\S+) behind (\d+) blocks to (\S+) behind (\d+)\.", PROSE
    ).groups()
    assert printed == [(short, few), (deep, many)]
