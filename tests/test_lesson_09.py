"""Lesson 09: its figures, and the mistakes of the source lectures that it corrects."""

import re
from functools import partial
from itertools import product
from math import ceil, exp, log2

import numpy as np
import pytest
import reading
import torch
from reading import code, prose, said, tagged
from test_exercises import run, solution
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm
from torchsummary import summary

from course_utils.datasets import fetch, shipped
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import Layer, receptive_field, span, tree
from course_utils.sequences import one_hot, read_fasta

NAME = "09_dilated_convolutions"
PROSE, CODE = prose(NAME), code(NAME)
WINDOW = 2**17
SQUEEZE = [(21, 2, 1), (7, 4, 1), (7, 4, 1), (7, 4, 1)]  # kernel, stride, dilation, as in the seed
DILATED = [(3, 1, 2**i) for i in range(7)]
claims = partial(reading.claims, NAME)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the lessons: small networks gain nothing from a second thread."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def whole(words: str) -> list[int]:
    """The whole numbers in a text, 1,000 as 1000."""
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", words)]


def stack(layers) -> nn.Sequential:
    """Convolutions of one channel, every weight 1, padded as in the seed: nothing can cancel out."""
    convs = [nn.Conv1d(1, 1, k, s, padding=k // 2 * d, dilation=d, bias=False) for k, s, d in layers]
    for conv in convs:
        nn.init.ones_(conv.weight)
    return nn.Sequential(*convs)


def seen(layers, output: int, length: int) -> np.ndarray:
    """The positions with a gradient; no arithmetic of receptive fields is used."""
    inputs = torch.zeros(1, 1, length, requires_grad=True)
    stack(layers)(inputs)[0, 0, output].backward()
    return inputs.grad[0, 0].nonzero().flatten().numpy()


def sums(dilations) -> set[int]:
    """Where the taps of a stack of kernels of 3 can end up: each layer adds -d, 0 or d."""
    return {sum(steps) for steps in product(*[(-d, 0, d) for d in dilations])}


@pytest.fixture(scope="module")
def network() -> nn.Module:
    """The network as the lesson's own cells write it."""
    [imports] = tagged(NAME, "imports")
    [blocks] = tagged(NAME, "seed:001-blocks")
    namespace = {}
    exec(imports.source + "\n" + blocks.source, namespace)
    with seeded(0):
        return namespace["Network"]().eval()


@pytest.fixture(scope="module")
def promoter() -> torch.Tensor:
    """16,384 real bases."""
    [record] = read_fasta(shipped("gata4_promoter.fa"))
    return torch.from_numpy(one_hot(record.sequence)).float().T[None]  # (1, 4, 16384)


# --- 1: three ways to read -----------------------------------------------------------------------


def test_the_networks_of_lesson_04_read_20_letters_and_this_one_131072():
    [letters] = claims(r"The networks of lesson 04 read (\d+) letters at once")
    assert f"train (1600, {letters}, 4)" in said("04_cnn_classifier", "seed:000-train-test-split")
    window, bins = claims(r"\*given\* ([\d,]+) letters and predicts .* start in each of ([\d,]+) stretches")
    assert whole(window) == [WINDOW] and whole(bins) == [WINDOW // 128]


def test_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    known = {"131,072", "32,785", "388,154", "16,000", "17,000", "50,000"}
    assert set(re.findall(r"\d{2,3},\d{3}", PROSE)) == known


def test_28_words_differ_at_the_seams_by_the_distance_and_more_by_the_place():
    near_apart, far_apart = map(int, claims(r"word, (\d+) letters apart in one, (\d+) in the"))
    assert f"filler[100:{100 + near_apart}]" in CODE and f"filler[100:{100 + far_apart}]" in CODE
    filler = "".join(np.random.default_rng(0).choice(list("ACGT"), 600))
    first, second = "TATAAAAGGCGC", "GGAAGTGACTCA"
    assert first in CODE and second in CODE

    def put(start: int, apart: int) -> str:
        return filler[:start] + first + filler[start : start + apart] + second + filler[start + apart :]

    def counts(text: str) -> dict[str, int]:
        bag = {}
        for i in range(len(text) - 5):
            bag[text[i : i + 6]] = bag.get(text[i : i + 6], 0) + 1
        return bag

    near, far, moved = (
        counts(put(*where)) for where in ((100, near_apart), (100, far_apart), (300, near_apart))
    )
    by_distance, by_place = (
        {word for word in near.keys() | other.keys() if near.get(word) != other.get(word)}
        for other in (far, moved)
    )
    assert len(by_distance) < 0.05 * len(near), "all but equal"
    printed = whole(said(NAME, "seed:001-bag-of-words"))
    assert printed == [len(near), len(by_distance), len(by_place)] == [570, 28, 58]
    seams = set()
    for cut in (100 + near_apart, 100 + far_apart):
        seams |= counts(filler[cut - 5 : cut + 5]).keys()  # which the word that was put in tears apart
        seams |= counts(filler[cut - 5 : cut] + second + filler[cut : cut + 5]).keys() - {second[3:9]}
    assert by_distance <= seams
    assert "Move both words and keep their distance, and *more* differs" in PROSE


def test_a_hundred_letters_back_a_gru_with_first_weights_has_forgotten_all_but_4e_23():
    """Its own equations in numpy; the derivative from a tiny imaginary step, which no rounding disturbs."""
    with seeded(0):
        gru = nn.GRU(4, 32, batch_first=True).double()
        letters = torch.eye(4).double()[torch.randint(4, (1, 400))]
    w_in, w_memory, b_in, b_memory = (parameter.detach().numpy() for parameter in gru.parameters())
    rows = re.findall(r"(\d+) letters back: (\S+) of the influence", said(NAME, "seed:001-recurrent"))
    assert [int(back) for back, _ in rows] == [0, 10, 30, 100]
    x = np.tile(letters.numpy()[0].astype(complex), (4 * len(rows), 1, 1))
    for number, (back, _) in enumerate(rows):
        for letter in range(4):
            x[4 * number + letter, 399 - int(back), letter] += 1e-150j
    memory = np.zeros((len(x), 32), dtype=complex)
    for now in range(400):
        a_r, a_z, a_n = np.split(x[:, now] @ w_in.T + b_in, 3, axis=1)
        m_r, m_z, m_n = np.split(memory @ w_memory.T + b_memory, 3, axis=1)
        z = 1 / (1 + np.exp(-a_z - m_z))
        memory = (1 - z) * np.tanh(a_n + m_n / (1 + np.exp(-a_r - m_r))) + z * memory
    assert memory[0].real == pytest.approx(gru(letters)[0][0, -1].detach().numpy())
    slopes = np.sqrt((memory**2).sum(axis=1)).imag.reshape(-1, 4) / 1e-150
    strength = np.linalg.norm(slopes, axis=1)
    for (_, printed), share in zip(rows, strength / strength[0]):
        assert float(printed) == pytest.approx(share, rel=0.15, abs=0), "one digit"
    assert float(rows[-1][1]) < np.finfo(np.float32).eps ** 3, "almost nothing is left"


# --- 2: the receptive field ----------------------------------------------------------------------


def test_each_plain_layer_of_3_adds_one_position_on_either_side():
    rows = [whole(line) for line in said(NAME, "receptive-field-gradient").splitlines()]
    assert rows == [[n, 2 * n + 1, 200 - n, 200 + n] for n in (1, 2, 3, 7)]
    for many, positions, start, end in rows:
        assert sorted(200 + s for s in sums([1] * many)) == list(range(start, end + 1))
        assert positions == end - start + 1
    claims(r"Seven layers see (15)\. In general, a kernel of \$k\$ adds \$k - 1\$")
    assert [len(seen([(k, 1, 1)] * 2, 50, 101)) for k in (3, 5, 7)] == [1 + 2 * (k - 1) for k in (3, 5, 7)]
    assert "spans $(k - 1)\\,d + 1$" in PROSE
    assert np.ptp(seen([(5, 1, 4)], 50, 101)) + 1 == (5 - 1) * 4 + 1


def test_a_layer_above_a_stride_moves_in_steps_of_it():
    first, second = (seen([(3, 4, 1), (3, 1, 1)], output, 101) for output in (10, 11))
    assert (second - first == 4).all() and len(first) == 9, "three by three"


def test_the_formula_of_exercise_1_agrees_with_the_gradient_and_the_package():
    field_of = run(NAME, solution(NAME, "receptive_field"))
    assert field_of([(3, 1, 1)]) == 3 and "for [(3, 1, 1)] it is 3" in CODE
    for layers in ([(3, 2, 1), (3, 1, 2)], [(5, 3, 1), (3, 1, 1), (3, 2, 4)], SQUEEZE, SQUEEZE + DILATED[:2]):
        positions = seen(layers, 40, 16_384)
        assert (
            np.ptp(positions) + 1 == field_of(layers) == receptive_field([Layer(*layer) for layer in layers])
        )


def test_M25_plain_layers_for_d_positions_and_doubled_ones_follow_the_two_formulas():
    """Counted by positions; the lecture's D/K is too few, its log2 D up to one too many for 3."""
    layers_needed = run(NAME, solution(NAME, "plain_layers"))
    assert "for 7, 3, False it is 3, and for 7, 3, True it is 2" in CODE
    assert "plain layers `ceil((D - 1) / (K - 1))`, doubled ones `ceil(log2((D - 1) / (K - 1) + 1))`" in PROSE
    assert (layers_needed(7, 3, False), layers_needed(7, 3, True)) == (3, 2)

    def counted(positions: int, kernel: int, doubling: bool) -> int:
        many, found = 0, {0}
        while max(found) - min(found) + 1 < positions:
            step = 2**many if doubling else 1
            found = {p + tap * step for p in found for tap in range(kernel)}
            many += 1
        return many

    for kernel in (2, 3, 5):
        for positions in (2, 7, 8, 64, 65, 100, 255, 256):
            plain, doubled = (counted(positions, kernel, doubling) for doubling in (False, True))
            assert plain == ceil((positions - 1) / (kernel - 1)) == layers_needed(positions, kernel, False)
            formula = ceil(log2((positions - 1) / (kernel - 1) + 1))
            assert doubled == formula == layers_needed(positions, kernel, True)
            lecture = ceil(log2(positions))
            assert kernel > 2 or doubled == lecture, "as in the lecture"
            assert kernel != 3 or doubled in (lecture - 1, lecture), "up to one too many"
    assert counted(255, 3, False) == 127 > 1.4 * 255 / 3, "far too few"
    claims(r"right for a kernel of (2), and up to (one) too many for (3) \(mistake M25\)")
    claims(r"text counts with a kernel of (2), its code has (3) \(mistake M25\)")


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
    assert (
        "With tripling, one path leads from each input to the output. With doubling there are several"
        in PROSE
    )

    def paths(dilations) -> np.ndarray:
        """The gradient of a stack of ones counts them."""
        inputs = torch.zeros(1, 1, 401, requires_grad=True)
        stack([(3, 1, d) for d in dilations])(inputs)[0, 0, 200].backward()
        return inputs.grad[0, 0][inputs.grad[0, 0] > 0].numpy()

    assert set(paths([3**i for i in range(5)])) == {1}
    doubling = paths([2**i for i in range(7)])
    assert len(doubling) == 255 and doubling.sum() == 3**7 and np.mean(doubling > 1) > 0.9


def test_the_explorer_says_255_bins_15_without_dilation_and_127_layers_for_the_same():
    words = said(NAME, "explorer")
    for part in (
        "7 layers of kernel 3, dilations 1, 2, 4, 8, 16, 32, 64: the receptive field is 255 bins = 32,785",
        "see 15 bins = 2,065 bases",
        "127 would be needed",
    ):
        assert part in words
    assert np.ptp(seen(SQUEEZE + [(3, 1, 1)] * 7, 64, 16_384)) + 1 == 2_065
    assert "Output 128 of an input of 256 bins reads 255 of them, from 1 to 255" in words
    assert seen(DILATED, 128, 256).tolist() == list(range(1, 256))


# --- 5: squeeze ----------------------------------------------------------------------------------


def test_strides_of_2_4_4_4_turn_128_letters_into_a_column_of_96(network):
    assert claims(r"strides of (2), (4), (4) and (4) turn each (128) letters into one column of (96) numbers")
    lines = [whole(line) for line in said(NAME, "seed:001-squeeze").splitlines()]
    length, expected = WINDOW, [[1, 4, WINDOW]]
    for block in network.squeeze:
        length //= block.conv.stride[0]
        expected.append(
            [*block.conv.kernel_size, *block.conv.stride, 1, block.conv.out_channels // 2, length]
        )
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
    assert end_of_bin in positions and end_of_bin in seen(SQUEEZE, 101, WINDOW // 8), (
        "this column and the next"
    )


def test_the_two_ends_of_a_window_are_unequal():
    layers = [Layer(*layer) for layer in SQUEEZE]
    assert span(layers, 0, WINDOW) == (0, 137) and span(layers, 1023, WINDOW) == (WINDOW - 264, WINDOW)
    symmetric = stack(SQUEEZE)
    x = torch.rand(1, 1, 1024, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(symmetric(x.flip(2)).flip(2), symmetric(x), rtol=1e-3)
    assert "Turn a sequence around, and the squeezed columns do not quite turn around with it" in PROSE


def test_a_shift_by_one_letter_changes_the_columns_and_one_by_a_bin_moves_them(network, promoter):
    """Inner columns, which the ends of the sequence do not reach."""
    with torch.no_grad():
        columns, by_one, by_bin = (
            nn.Sequential(*network.squeeze)(torch.roll(promoter, by, dims=2))[0, :, 4:-4]
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


def test_96_channels_and_24_of_each_of_seven_blocks_make_264(network):
    squeezed, growth = map(int, claims(r"the (\d+) squeezed channels and the (\d+) of each earlier block"))
    entering = run(NAME, solution(NAME, "dense_channels"))
    assert entering(8, 2, 3) == [8, 10, 12, 14] and "for 8, 2, 3 it is\n        [8, 10, 12, 14]" in CODE
    inputs = [layer.in_channels for layer in [*(b.conv for b in network.dilated), network.head]]
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


# --- 9: the whole network ------------------------------------------------------------------------


def test_the_network_has_388154_parameters_weights_offsets_and_gains(network):
    squeeze, dilated, channels = 0, 0, 4
    for out, kernel, _, _ in [(48, 21, 2, 0), (60, 7, 4, 0), (76, 7, 4, 0), (96, 7, 4, 0)]:
        squeeze += (
            2 * out * (channels * kernel + 2)
        )  # two filters for each; an offset and a gain for each filter
        channels = out
    for _ in range(7):
        dilated += 2 * 24 * (channels * 3 + 2)
        channels += 24
    assert squeeze + dilated + 10 * (channels + 1) == 388_154
    words = said(NAME, "parameters")
    assert (
        f"{{'squeeze': {squeeze}, 'dilated': {dilated}, 'head': {10 * (channels + 1)}}} together 388154\n"
        in words
    )
    assert "the package's Basenji: 388154" in words and PROSE.count("388,154") == 2
    assert sum(p.numel() for p in network.parameters()) == 388_154
    [start] = claims(r"assemble\*\* the ([\d,]+)-parameter network")
    [same] = claims(r"([\d,]+) parameters, as the lecture's own network has")
    assert start == same == "388,154"


def test_the_network_computes_what_the_seed_writes(network, promoter):
    """The seed's lines, with its formula of the gates and of the normalised weights."""
    x, sizes = promoter.double(), [*SQUEEZE, *DILATED]
    with torch.no_grad():
        for number, (block, (kernel, stride, dilation)) in enumerate(
            zip([*network.squeeze, *network.dilated], sizes)
        ):
            g, v = block.conv.parametrizations.weight.original0, block.conv.parametrizations.weight.original1
            weight = (g * v / (v.double() ** 2).sum(dim=(1, 2), keepdim=True) ** 0.5).double()
            pad = kernel // 2 if number < 4 else dilation
            h = F.conv1d(x, weight, block.conv.bias.double(), stride, pad, dilation)
            values, gates = torch.tensor_split(h, 2, dim=1)
            h = values * torch.sigmoid(gates)
            x = h if number < 4 else torch.cat([x, h], dim=1)
        expected = F.conv1d(x, network.head.weight.double(), network.head.bias.double())[0].T
        ours = network(promoter)[0]
    assert ours.shape == (128, 10) and torch.allclose(ours.double(), expected, atol=1e-5)
    assert [block.dropout.p for block in [*network.squeeze, *network.dilated]] == [0, 0.05, 0.05, 0.05] + [
        0.1
    ] * 7


def test_the_comments_of_the_network_give_its_shapes(network):
    shapes = []
    hooks = [
        block.register_forward_hook(
            lambda _, inputs, output: shapes.append((inputs[0].shape[1:], output.shape[1:]))
        )
        for block in [*network.squeeze, *network.dilated, network.head]
    ]
    with torch.no_grad():
        output = network(torch.zeros(1, 4, WINDOW))
    for hook in hooks:
        hook.remove()
    for _, shape in shapes[:4]:
        assert f"(N, {shape[0]}, {shape[1]})" in CODE
    for shape, _ in (
        shapes[5],
        shapes[6],
        shapes[-1],
    ):  # what enters the second block, the third and the head
        assert f"(N, {shape[0]}, {shape[1]})" in CODE
    assert output.shape == (1, 1024, 10) and "# (N, 1024, 10): for each bin, 10 tracks" in CODE


def test_the_package_gives_the_same_numbers(network, promoter):
    packaged = Basenji().eval()
    packaged.load_state_dict(network.state_dict())
    with torch.no_grad():
        assert torch.equal(packaged(promoter), network(promoter))
    assert said(NAME, "same-as-package") == "the same outputs: True\n"


def test_M29_shapes_are_right_on_any_memory_and_only_a_real_input_shows_a_mix_up(network, promoter):
    mixed_up = Basenji().eval()
    mixed_up.load_state_dict(network.state_dict())
    with torch.no_grad():
        first = mixed_up.squeeze[0].conv.parametrizations.weight.original1
        first.copy_(first[:, [3, 1, 2, 0]])  # takes A for T
        # np.empty may hold anything: fresh pages of zeros, or what an earlier array left
        for fill in (torch.zeros_like(promoter), torch.ones_like(promoter)):
            assert network(fill).shape == mixed_up(fill).shape == network(promoter).shape
            assert torch.allclose(network(fill), mixed_up(fill), atol=1e-5), "the fault does not show"
            assert not (fill.sum(dim=1) == 1).any(), "such a memory is no sequence"
        assert not torch.allclose(network(promoter), mixed_up(promoter), atol=1e-3)
        assert not torch.allclose(network(fill), network(promoter), atol=1e-3), "depends on what lay there"
    assert (promoter.sum(dim=1) == 1).all()
    words = said(NAME, "M29")
    assert re.search(r"each row has exactly one 1: True\n", words)
    assert "output: (1, 1024, 10)  from " in words and "`np.empty`" in PROSE
    [letters] = claims(r"Take a real sequence: ([\d,]+) letters of human DNA around the gene \*GATA4\*")
    assert whole(letters) == [WINDOW]


def test_the_outputs_on_the_locus_are_small_numbers_around_0(network):
    if reason := reading.why_unavailable("gata4"):
        pytest.skip(reason)
    [record] = read_fasta(fetch("gata4")[0])
    with torch.no_grad():
        outputs = network(torch.from_numpy(one_hot(record.sequence)).float().T[None])
    low, high = map(float, re.search(r"from (\S+) to (\S+)\n", said(NAME, "M29")).groups())
    assert [low, high] == pytest.approx([outputs.min().item(), outputs.max().item()], abs=0.0055)


# --- 10: how far does it see? --------------------------------------------------------------------


def test_M25_an_output_sees_32785_letters_a_quarter_of_its_window():
    """Four ways: sums by hand, positions by tree, a stack of ones and the network itself by gradient."""
    reach = 10 + 2 * 3 + 8 * 3 + 32 * 3 + 128 * sum(2**i for i in range(7))  # of each kernel, times its step
    assert 2 * reach + 1 == 32_785 and reach == 16_392
    middle = 512 * 128
    expected = np.arange(middle - reach, middle + reach + 1)
    assert (tree([Layer(*layer) for layer in SQUEEZE + DILATED], 512, WINDOW)[-1] == expected).all()
    assert (seen(SQUEEZE + DILATED, 512, WINDOW) == expected).all()
    with seeded(3):
        model = Basenji(base=8).double().eval()
        window = torch.eye(4).double()[torch.randint(4, (1, WINDOW))].permute(0, 2, 1).requires_grad_()
    slope = torch.autograd.grad(model(window)[0, 512].sum(), window)[0]
    assert (slope[0].abs().sum(dim=0).nonzero().flatten().numpy() == expected).all()
    words = said(NAME, "M25")
    assert "by arithmetic, bins:  255\nby arithmetic, bases: 32785\n" in words
    found = re.search(r"by gradient, bases: +([\d,]+), from ([\d,]+) to ([\d,]+)\n", words).groups()
    assert whole(" ".join(found)) == [len(expected), expected[0], expected[-1]] == [32_785, 49_144, 81_928]
    assert f"share of the window:  {32_785 / WINDOW:.0%}\n" in words and abs(32_785 / WINDOW - 1 / 4) < 0.001
    [letters] = claims(r"([\d,]+) letters, a quarter of the window: about 16 thousand to each side")
    assert whole(letters) == [32_785] and round(reach, -3) == 16_000
    claims(r"given\* 131,072 letters may \*see\* (32,785)")
    [far] = claims(r"An enhancer ([\d,]+) letters off is invisible")
    assert whole(far)[0] > reach
    assert claims(r"a stride of (\d+) moves in steps of (\d+) letters") == [str(2 * 4 * 4 * 4)] * 2
    claims(r"Each dilated layer reaches 1, 2, 4, \.\.\. (64) bins to either side")
    claims(r"seven layers see (255) columns")
    claims(r"a gradient measures it: (32,785) letters here")


def test_M25_mutations_farther_than_the_reach_change_no_digit_and_near_its_edge_hardly_any():
    rows = re.findall(r"([\d,]+) letters away: the output moves by (\S+)\n", said(NAME, "mutation"))
    moves = {whole(distance)[0]: float(by) for distance, by in rows}
    assert list(moves) == [1_000, 10_000, 16_000, 17_000, 40_000]
    assert moves[17_000] == moves[40_000] == 0 < moves[16_000] < 1e-4 * moves[1_000], "a whisper"
    assert claims(r"From ([\d,]+) letters on, not .* at ([\d,]+) letters") == ["17,000", "16,000"]
    with seeded(0):  # as in the lesson; float64, where the last position that is seen shows
        model = Basenji().double().eval()
        window = torch.eye(4).double()[torch.randint(4, (1, WINDOW))].permute(0, 2, 1)
    window = window[:, :, (512 - 130) * 128 : (512 + 140) * 128]  # all that bin 512 sees, and more
    ends = {16_392: True, 16_393: False, -16_392 - 127: True, -16_392 - 128: False}
    with torch.no_grad():
        before = model(window)[0, 130]
        for distance in (1_000, 10_000, 16_000, 17_000, *ends):  # of the first letter that changes
            changed, start = window.clone(), 130 * 128 + distance
            stretch = changed[0, :, start : start + 128]
            stretch.copy_(stretch.flip(0))  # A <-> T, C <-> G
            by = (model(changed)[0, 130] - before).abs().max().item()
            assert (by > 0) == ends.get(distance, by > 0)
            assert by == pytest.approx(moves.get(distance, by), rel=0.3, abs=0)


def test_M25_two_layers_more_let_the_middle_bin_see_all_and_three_let_every_bin():
    def ends(last: int, output: int) -> tuple[int, int]:
        """What an output sees with dilations up to 2 ** last: by sums, clipped to the window."""
        reach = 136 + 128 * (2 ** (last + 1) - 1)
        return max(0, 128 * output - reach), min(WINDOW, 128 * output + reach + 1)

    layers = [Layer(*layer) for layer in SQUEEZE] + [Layer(3, 1, 2**i) for i in range(9)]
    assert all(span(layers, output, WINDOW) == ends(8, output) for output in (0, 1023))
    see_all = {last: [i for i in range(1024) if ends(last, i) == (0, WINDOW)] for last in (6, 7, 8, 9)}
    assert see_all[6] == see_all[7] == [] and see_all[8] == [512] and len(see_all[9]) == 1024
    words = said(NAME, "ends")
    for more in (2, 3):
        first, middle = (np.ptp(ends(6 + more, output)) / WINDOW for output in (0, 512))
        line = f"the first output sees {first:.0%} of the window, the middle one {middle:.0%}\n"
        assert f"{more} dilated layers more: {line}" in words


def test_outputs_near_the_ends_of_a_window_look_at_padding():
    assert "Near the ends of a window there is less to see" in PROSE
    whole_field, first = whole(said(NAME, "ends").split(" letters")[0])[::2]
    inside = [i for i in range(1024) if 128 * i >= 16_392 and 128 * i + 16_392 < WINDOW]
    assert whole_field == len(inside) == 767 and first == 16_392 + 1
    assert len(seen(SQUEEZE + DILATED, 0, WINDOW // 4)) == first


def test_M23_what_dilation_buys_is_counted_rightly_and_five_layers_do_not_reach():
    """Counted on the networks themselves, all of which see 32,785 letters."""
    rows = re.findall(r"^(.*\S) +([\d,]+) +(\S+) M +(\S+) billion$", said(NAME, "what-dilation-buys"), re.M)

    def cost(model: Basenji) -> tuple[int, int, int]:
        blocks = [*model.squeeze, *model.dilated]
        positions = WINDOW // np.cumprod([layer.stride for layer in model.layers])
        weights = np.array([block.conv.weight.numel() for block in blocks])
        assert receptive_field(model.layers) == 32_785
        return len(blocks), weights.sum(), weights @ positions

    one = nn.Conv1d(24, 48, 3).weight.numel()
    layers = (32_785 - 1) // 2
    assert receptive_field([Layer(3)] * layers) == 32_785
    costs = {
        "plain, on letters": (layers, one * layers, one * layers * WINDOW),
        "squeeze, plain": cost(Basenji(dilations=(1,) * 127)),
        "squeeze, dilated": cost(Basenji()),
    }
    assert [tuple(row) for row in rows] == [
        (name, f"{many:,}", f"{weights / 1e6:.2f}", f"{products / 1e9:,.1f}")
        for name, (many, weights, products) in costs.items()
    ]
    assert "Three networks that see exactly 32,785 letters" in PROSE
    claims(r"(a twentieth) of the multiplications, and (about an eightieth) of the weights")
    (_, weights, products), (_, dilated_weights, dilated_products) = list(costs.values())[1:]
    assert 17 < products / dilated_products < 23 and 73 < weights / dilated_weights < 87
    squeeze_products = dilated_products - 1024 * sum(b.conv.weight.numel() for b in Basenji().dilated)
    assert squeeze_products > 0.8 * dilated_products, "what is left is mostly the squeeze"
    # Fewer than five layers: plain ones see 9, those that squeeze 273 and not two thousand.
    claims(r"inputs of up to two thousand letters\" \((M23), lesson 00\)")
    assert len(seen([(3, 1, 1)] * 4, 50, 101)) == 9
    assert len(seen(SQUEEZE, 100, WINDOW // 8)) == 273 < 2_000 < 32_785
    assert len(SQUEEZE) < 5 < len(SQUEEZE + DILATED) == 11
