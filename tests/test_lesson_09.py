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

from course_utils.datasets import shipped
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
    """Convolutions of one channel, every weight 1, padded as in the seed: what an output sees can only add up."""
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
    window, bins = claims(r"reads ([\d,]+) letters and predicts .* starts? in each of ([\d,]+)")
    assert whole(window) == [WINDOW] and whole(bins) == [WINDOW // 128]


def test_every_large_number_of_the_text_is_one_that_a_test_below_accounts_for():
    known = {"131,072", "32,785", "388,154", "12,664", "12,937", "12,800"}
    assert set(re.findall(r"\d{2,3},\d{3}", PROSE)) == known


def test_28_of_582_words_differ_and_only_at_the_seams():
    near_apart, far_apart = map(int, claims(r"word, (\d+) letters apart in one, (\d+) in the"))
    assert f"filler[100:{100 + near_apart}]" in CODE and f"filler[100:{100 + far_apart}]" in CODE
    filler = "".join(np.random.default_rng(0).choice(list("ACGT"), 600))
    first, second = "TATAAAAGGCGC", "GGAAGTGACTCA"
    assert first in CODE and second in CODE

    def put(apart: int) -> str:
        return filler[:100] + first + filler[100 : 100 + apart] + second + filler[100 + apart :]

    def counts(text: str) -> dict[str, int]:
        bag = {}
        for i in range(len(text) - 5):
            bag[text[i : i + 6]] = bag.get(text[i : i + 6], 0) + 1
        return bag

    near, far = counts(put(near_apart)), counts(put(far_apart))
    differ = {word for word in near.keys() | far.keys() if near.get(word) != far.get(word)}
    assert whole(said(NAME, "seed:001-bag-of-words"))[:2] == [len(near | far), len(differ)] == [582, 28]
    seams = set()
    for apart in (near_apart, far_apart):
        cut = 100 + apart
        seams |= counts(filler[cut - 5 : cut + 5]).keys()  # which the word that was put in tears apart
        seams |= counts(filler[cut - 5 : cut] + second).keys() | counts(second + filler[cut : cut + 5]).keys()
    assert differ <= seams and len(differ) < 0.05 * len(near | far), "all but equal"


def test_a_hundred_letters_back_a_gru_has_forgotten_all_but_4e_23():
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
    assert float(rows[-1][1]) < np.finfo(np.float32).eps ** 3, "nothing is left"


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
        assert np.ptp(positions) + 1 == field_of(layers) == receptive_field([Layer(*layer) for layer in layers])


def test_M25_plain_layers_for_d_positions_and_doubled_ones_follow_the_two_formulas():
    """Counted by the positions themselves; the lecture's D/K and log2 D miss with the kernel of its code."""
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
            assert kernel > 2 or doubled == ceil(log2(positions)), "as in the lecture"
    assert counted(255, 3, False) == 127 > 255 / 3 and counted(255, 3, True) == 7 < log2(255)
    claims(r"text counts with a kernel of (2), its code has (3) \(mistake M25\)")


# --- 3 and 4: dilation ---------------------------------------------------------------------------


def test_a_kernel_of_3_with_dilation_4_is_one_of_9_with_six_zeros():
    taps = claims(r"kernel of 3 with dilation 4 has three weights and looks at the inputs at \$-(\d)\$, \$0\$ and \$\+(\d)")
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
    rows = re.findall(r"(\w+) +\[([\d, ]+)\] +field +(\d+), of which +(\d+) are never", said(NAME, "seed:001-doubling"))
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
    assert claims(r"Seven plain layers saw (\d+) positions") == ["15"]


def test_dilation_adds_reach_and_no_weight():
    plain, doubled = Basenji(base=4, dilations=(1,) * 7), Basenji(base=4)
    assert len({sum(p.numel() for p in model.parameters()) for model in (plain, doubled)}) == 1
    assert receptive_field(doubled.layers) == receptive_field(plain.layers) + 128 * (254 - 14)


def test_the_explorer_says_255_bins_15_without_dilation_and_127_layers_for_the_same():
    words = said(NAME, "explorer")
    for part in ("255 bins = 32,785 bases; all of them are read", "see 15 bins = 2,065 bases", "127 would be needed"):
        assert part in words
    assert np.ptp(seen(SQUEEZE + [(3, 1, 1)] * 7, 64, 16_384)) + 1 == 2_065
    assert claims(r"How many layers reach (\d+) without dilation\?") == ["255"] and 1 + 2 * 127 == 255
    assert "Output 128 of an input of 256 bins reads 255 of them, from 1 to 255" in words
    assert seen(DILATED, 128, 256).tolist() == list(range(1, 256))


# --- 5: squeeze ----------------------------------------------------------------------------------


def test_strides_of_2_4_4_4_turn_128_letters_into_a_column_of_96(network):
    assert claims(r"strides of (2), (4), (4) and (4) turn each (128) letters into one column of (96) numbers")
    lines = [whole(line) for line in said(NAME, "seed:001-squeeze").splitlines()]
    length, expected = WINDOW, [[1, 4, WINDOW]]
    for block in network.squeeze:
        length //= block.conv.stride[0]
        expected.append([*block.conv.kernel_size, *block.conv.stride, 1, block.conv.out_channels // 2, length])
    assert lines == [*expected, [WINDOW // length]] and expected[-1] == [7, 4, 1, 96, 1024]


def test_a_column_sees_273_bases_around_the_start_of_its_bin():
    assert said(NAME, "squeeze-field") == (
        "bases seen by a column: 273\ncolumn 100 sees the bases (12664, 12937) and its bin is (12800, 12928)\n"
    )
    [start, end, centre] = claims(r"([\d,]+) to ([\d,]+) is centred on base \*\*([\d,]+), the start of the bin")
    positions = seen(SQUEEZE, 100, WINDOW // 8)
    assert positions.tolist() == list(range(*whole(start), *whole(end))) and len(positions) == 273
    assert whole(centre) == [100 * 128] == [positions.mean()]
    assert 100 * 128 + 127 in positions and 100 * 128 + 127 in seen(SQUEEZE, 101, WINDOW // 8), "and by the next"


def test_the_two_ends_of_a_window_are_unequal():
    layers = [Layer(*layer) for layer in SQUEEZE]
    assert span(layers, 0, WINDOW) == (0, 137) and span(layers, 1023, WINDOW) == (WINDOW - 264, WINDOW)
    symmetric = stack(SQUEEZE)
    x = torch.rand(1, 1, 1024, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert not torch.allclose(symmetric(x.flip(2)).flip(2), symmetric(x), rtol=1e-3)
    assert "Turn a sequence around, and the squeezed columns do not just turn around with it" in PROSE


def test_a_shift_by_one_letter_changes_the_columns_and_one_by_a_bin_moves_them(network, promoter):
    """Inner columns, which the ends of the sequence do not reach."""
    with torch.no_grad():
        columns, by_one, by_bin = (
            nn.Sequential(*network.squeeze)(torch.roll(promoter, by, dims=2))[0, :, 4:-4] for by in (0, 1, 128)
        )
    assert torch.allclose(by_bin[:, 1:], columns[:, :-1], atol=1e-6)
    assert "Shift the sequence by one letter and the squeezed numbers change." in PROSE
    assert (by_one - columns).abs().max() > 0.05 * columns.abs().max()


# --- 6 and 7: gates, weight normalisation --------------------------------------------------------


def test_a_gate_lets_nothing_half_or_all_of_2_through():
    printed = re.findall(r"\(b = -?\d\) (\d\.\d+)", said(NAME, "glu"))
    assert printed == [f"{2 / (1 + exp(6)):.3f}", "1.0", f"{2 / (1 + exp(-6)):.3f}"] == ["0.005", "1.0", "1.995"]
    assert "half of a in the middle (1 for a = 2)" in said(NAME, "glu")
    h = torch.randn(2, 6, 8, generator=torch.Generator().manual_seed(0))
    by_hand = h[:, :3] / (1 + torch.exp(-h[:, 3:]))
    assert torch.allclose(F.glu(h, dim=1), by_hand)
    assert torch.allclose(run(NAME, solution(NAME, "glu"))(h), by_hand)
    assert "Without `dim` it cuts the last axis, the positions" in PROSE
    assert F.glu(h).shape == (2, 6, 4), "and no error tells you"


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
    squeezed, growth = map(int, claims(r"the (\d+) squeezed channels and the (\d+) of each earlier dilated layer"))
    entering = run(NAME, solution(NAME, "dense_channels"))
    assert entering(8, 2, 3) == [8, 10, 12, 14] and "for 8, 2, 3 it is\n        [8, 10, 12, 14]" in CODE
    inputs = [layer.in_channels for layer in [*(b.conv for b in network.dilated), network.head]]
    assert inputs == entering(squeezed, growth, 7) == list(range(96, 265, 24))
    assert claims(r"network has (\d+), (\d+) and (\d); the head gets (\d+)\.") == ["96", "24", "7", "264"]


def gradient(depth: int, dense: bool, length: int = 512, first_weights: str = "PyTorch's") -> float:
    """Of the mean output, at the columns that enter a stack of gated layers; the gates written out."""
    with seeded(0):
        columns = torch.randn(8, 24, length, requires_grad=True)
        convs = [nn.Conv1d(24 * (1 + dense * i), 48, 3, padding=1) for i in range(depth)]
        head = nn.Conv1d(24 * (1 + dense * depth), 1, 1)
        if first_weights == "the network's":
            for conv in [*convs, head]:
                nn.init.normal_(conv.weight, std=(conv.in_channels * conv.kernel_size[0]) ** -0.5)
                nn.init.zeros_(conv.bias)
    h = columns
    for conv in convs:
        both = conv(h)
        new = both[:, :24] / (1 + torch.exp(-both[:, 24:]))
        h = torch.cat([h, new], dim=1) if dense else new
    return torch.autograd.grad(head(h).mean(), columns)[0].norm().item()


def test_dense_connections_keep_the_gradient_that_gates_would_stop():
    rows = re.findall(r"(\d+) layers: .* connections (\S+), without (\S+)\n", said(NAME, "dense-gradient"))
    assert [int(depth) for depth, *_ in rows] == [7, 28]
    for depth, dense, without in rows:
        assert float(dense) == pytest.approx(gradient(int(depth), True), rel=0.15, abs=0)
        assert float(without) == pytest.approx(gradient(int(depth), False), rel=0.15, abs=0)
        assert float(dense) > 1000 * float(without)
    assert "in networks of 7 and 28 layers, before training" in PROSE
    for depth in (7, 28):  # not by the smallness of PyTorch's first weights alone
        with_them, without = (gradient(depth, dense, 64, "the network's") for dense in (True, False))
        assert with_them > 10 * without


# --- 9: the whole network ------------------------------------------------------------------------


def test_the_network_has_388154_parameters_weights_offsets_and_gains(network):
    squeeze, dilated, channels = 0, 0, 4
    for out, kernel, _, _ in [(48, 21, 2, 0), (60, 7, 4, 0), (76, 7, 4, 0), (96, 7, 4, 0)]:
        squeeze += 2 * out * (channels * kernel + 2)  # two filters for each; an offset and a gain for each filter
        channels = out
    for _ in range(7):
        dilated += 2 * 24 * (channels * 3 + 2)
        channels += 24
    assert squeeze + dilated + 10 * (channels + 1) == 388_154
    words = said(NAME, "parameters")
    assert f"{{'squeeze': {squeeze}, 'dilated': {dilated}, 'head': {10 * (channels + 1)}}} together 388154\n" in words
    assert "the package's Basenji: 388154" in words and PROSE.count("388,154") == 2
    assert sum(p.numel() for p in network.parameters()) == 388_154
    [start] = claims(r"assemble\*\* the ([\d,]+)-parameter network")
    [same] = claims(r"([\d,]+) parameters, as the lecture's own network has")
    assert start == same == "388,154"


def test_the_network_computes_what_the_seed_writes(network, promoter):
    """The seed's lines, with its formula of the gates and of the normalised weights."""
    x, sizes = promoter.double(), [*SQUEEZE, *DILATED]
    with torch.no_grad():
        for number, (block, (kernel, stride, dilation)) in enumerate(zip([*network.squeeze, *network.dilated], sizes)):
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
    assert [block.dropout.p for block in [*network.squeeze, *network.dilated]] == [0, 0.05, 0.05, 0.05] + [0.1] * 7


def test_the_comments_of_the_network_give_its_shapes(network):
    shapes = []
    hooks = [
        block.register_forward_hook(lambda _, inputs, output: shapes.append((inputs[0].shape[1:], output.shape[1:])))
        for block in [*network.squeeze, *network.dilated, network.head]
    ]
    with torch.no_grad():
        output = network(torch.zeros(1, 4, WINDOW))
    for hook in hooks:
        hook.remove()
    for _, shape in shapes[:4]:
        assert f"(N, {shape[0]}, {shape[1]})" in CODE
    for shape, _ in (shapes[5], shapes[6], shapes[-1]):  # what enters the second block, the third and the head
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
    assert "output: (1, 1024, 10)\n" in words and "`np.empty`" in PROSE
    [letters] = claims(r"Take a real sequence: ([\d,]+) letters of human DNA around the gene \*GATA4\*")
    assert whole(letters) == [WINDOW]


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
    claims(r"seven layers see (255) columns")
    claims(r"a gradient measures it: (32,785) letters here")


def test_M25_mutations_farther_than_the_reach_change_no_bit():
    rows = re.findall(r"([\d,]+) letters away: (.*)\n", said(NAME, "mutation"))
    near_and_far = {whole(distance)[0]: words == "the output moves" for distance, words in rows}
    assert near_and_far == {1_000: True, 10_000: True, 16_000: True, 17_000: False, 40_000: False}
    with seeded(5):
        model = Basenji(base=4).double().eval()
        window = torch.eye(4).double()[torch.randint(4, (1, WINDOW))].permute(0, 2, 1)
    with torch.no_grad():
        before = model(window)[0, 512]
        # in float64 the last position that is seen shows; `distance` is of the stretch's first letter
        outer = {16_392: True, 16_393: False, -16_392 - 127: True, -16_392 - 128: False}
        for distance, moves in {**near_and_far, **outer}.items():
            changed, start = window.clone(), 512 * 128 + distance
            changed[0, :, start : start + 128] = changed[0, :, start : start + 128].flip(0)  # A <-> T, C <-> G
            assert torch.equal(model(changed)[0, 512], before) != moves, distance


def test_M25_dilations_of_128_and_256_let_the_middle_bin_see_all_and_one_more_lets_all_bins():
    more = [int(dilation) for dilation in claims(r"dilations of (\d+) and (\d+)")]
    assert more == [2**7, 2**8]

    def see_all(last: int) -> list[int]:
        """The bins that see the whole window with dilations 1, 2, 4, ..., 2 ** last."""
        layers = [Layer(*layer) for layer in SQUEEZE] + [Layer(3, 1, 2**i) for i in range(last + 1)]
        below = sum(2**i for i in range(last + 1))  # bins to either side
        for output in (0, 512):
            ends = span(layers, output, WINDOW)
            assert ends == (max(0, 128 * (output - below) - 136), min(WINDOW, 128 * (output + below) + 137))
        return [i for i in range(1024) if 128 * (i - below) <= 136 and 128 * (i + below) + 137 >= WINDOW]

    assert see_all(6) == see_all(7) == []
    assert see_all(8) == [512], "a field of 131,089, just wide enough, and only from the middle"
    assert len(see_all(9)) == 1024


def test_outputs_near_the_ends_of_a_window_look_at_padding():
    assert "near the ends of a window there is less to see" in PROSE
    layers = [Layer(*layer) for layer in SQUEEZE + DILATED]
    widths = [end - start for start, end in (span(layers, output, WINDOW) for output in (0, 60, 512, 1023))]
    assert widths[2] == 32_785 > widths[1] > widths[0] > 32_785 / 2 - 1 and widths[3] < 32_785


def test_M23_what_dilation_buys_is_counted_rightly_and_five_layers_do_not_reach():
    rows = re.findall(r"^(.*\S) +([\d,]+) +([\d,]+) +([\d,]+\.\d\d)$", said(NAME, "what-dilation-buys"), re.M)
    weights = nn.Conv1d(24, 48, 3, bias=False).weight.numel()
    stacks = {  # what stands below, the layers, and positions that each layer computes
        "single letters": ([], [(3, 1, 1)] * 16_392, WINDOW),
        "bins of 128": (SQUEEZE, [(3, 1, 1)] * 127, WINDOW // 128),
        "bins of 128, dilated": (SQUEEZE, DILATED, WINDOW // 128),
    }
    assert [row[0] for row in rows] == list(stacks)
    for (name, *printed), (below, layers, positions) in zip(rows, stacks.values()):
        products = len(layers) * weights * positions / 1e9
        assert printed == [f"{len(layers):,}", f"{len(layers) * weights:,}", f"{products:,.2f}"], name
        reach = partial(receptive_field, [Layer(*layer) for layer in below + layers])
        assert reach() == 32_785, name
    assert "Three networks that see 32,785 letters" in PROSE
    shorter = [[Layer(*layer) for layer in below + layers[:-1]] for below, layers, _ in stacks.values()]
    assert all(receptive_field(layers) < 32_785 for layers in shorter), "and not with one layer fewer"
    # Fewer than five layers: plain ones see 9, those that squeeze 273 and not two thousand.
    claims(r"inputs of up to two thousand letters\" \((M23), lesson 00\)")
    assert len(seen([(3, 1, 1)] * 4, 50, 101)) == 9
    assert len(seen(SQUEEZE, 100, WINDOW // 8)) == 273 < 2_000 < 32_785
    assert len(SQUEEZE) < 5 < len(SQUEEZE + DILATED) == 11
