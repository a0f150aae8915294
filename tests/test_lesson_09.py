"""Lesson 09: its figures, and the mistakes of the source lectures that it corrects.

The parts of the network, from dilation to dense connections, have test_lesson_09_parts.py.
"""

import re
from math import ceil, log2

import numpy as np
import pytest
import reading
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
    sums,
    whole,
)
from reading import said
from test_exercises import run, solution
from torch import nn
from torch.nn import functional as F

from course_utils.datasets import fetch
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.receptive_fields import Layer, receptive_field, span, tree
from course_utils.sequences import one_hot, read_fasta

pytestmark = pytest.mark.usefixtures("one_thread")

# --- 1: three ways to read -----------------------------------------------------------------------


def test_the_networks_of_lesson_04_read_20_letters_and_this_one_131072():
    [letters] = claims(r"The networks of lesson 04 read (\d+) letters at once")
    assert f"train (1600, {letters}, 4)" in said("04_cnn_classifier", "seed:000-train-test-split")
    window, bins = claims(r"\*given\* ([\d,]+) letters and predicts .* start in each of ([\d,]+) stretches")
    assert whole(window) == [WINDOW] and whole(bins) == [WINDOW // 128]


def test_every_large_number_of_the_text_is_one_that_a_test_accounts_for():
    known = {"131,072", "32,785", "388,154", "16,000", "17,000", "40,000"}
    assert set(re.findall(r"\d{2,3},\d{3}", PROSE)) == known


def test_28_words_differ_at_the_seams_by_the_distance_and_more_by_the_place():
    near_apart, far_apart = map(int, claims(r"for an enhancer, (\d+) letters apart in one, (\d+) in the"))
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
    [stride, letters, more, apart] = map(int, claims(r"stride of (\d) computes .* (\d) letters .* of (\d) they stand (\d) apart"))
    behind_both = [(1, stride, 1), (1, more, 1)]
    assert [seen(behind_both[:n], 1, 101)[0] - seen(behind_both[:n], 0, 101)[0] for n in (1, 2)] == [letters, apart]


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
    claims(r"lecture's D/K is (too few) for long distances; its log2 D is right for a kernel of (2)")
    claims(r"right for a kernel of (2), and up to (one) too many for (3) \(mistake M25\)")
    claims(r"text counts with a kernel of (2), its code has (3)\.")


# --- 9: the whole network ------------------------------------------------------------------------


def test_the_network_has_388154_parameters_weights_offsets_and_gains():
    squeeze, dilated, channels = 0, 0, 4
    for out, kernel in [(48, 21), (60, 7), (76, 7), (96, 7)]:
        # two filters for each channel; an offset and a gain for each filter
        squeeze += 2 * out * (channels * kernel + 2)
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
    assert sum(p.numel() for p in network().parameters()) == 388_154
    [start] = claims(r"assemble\*\* the ([\d,]+)-parameter network")
    [same] = claims(r"([\d,]+) parameters, as the lecture's own network has")
    assert start == same == "388,154"


def test_the_network_computes_what_the_seed_writes():
    """The seed's lines, with its formula of the gates and of the normalised weights."""
    x, blocks = promoter().double(), [*network().squeeze, *network().dilated]
    with torch.no_grad():
        for number, (block, (kernel, stride, dilation)) in enumerate(zip(blocks, SQUEEZE + DILATED)):
            g, v = block.conv.parametrizations.weight.original0, block.conv.parametrizations.weight.original1
            weight = (g * v / (v.double() ** 2).sum(dim=(1, 2), keepdim=True) ** 0.5).double()
            pad = kernel // 2 if number < 4 else dilation
            h = F.conv1d(x, weight, block.conv.bias.double(), stride, pad, dilation)
            values, gates = torch.tensor_split(h, 2, dim=1)
            h = values * torch.sigmoid(gates)
            x = h if number < 4 else torch.cat([x, h], dim=1)
        expected = F.conv1d(x, network().head.weight.double(), network().head.bias.double())[0].T
        ours = network()(promoter())[0]
    assert ours.shape == (128, 10) and torch.allclose(ours.double(), expected, atol=1e-5)
    assert [block.dropout.p for block in blocks] == [0, 0.05, 0.05, 0.05] + [0.1] * 7


def test_the_comments_of_the_network_give_its_shapes():
    shapes = []
    hooks = [
        block.register_forward_hook(
            lambda _, inputs, output: shapes.append((inputs[0].shape[1:], output.shape[1:]))
        )
        for block in [*network().squeeze, *network().dilated, network().head]
    ]
    with torch.no_grad():
        output = network()(torch.zeros(1, 4, WINDOW))
    for hook in hooks:
        hook.remove()
    for _, shape in shapes[:4]:
        assert f"(N, {shape[0]}, {shape[1]})" in CODE
    for shape, _ in (shapes[5], shapes[6], shapes[-1]):  # what enters blocks 2 and 3, and the head
        assert f"(N, {shape[0]}, {shape[1]})" in CODE
    assert output.shape == (1, 1024, 10) and "# (N, 1024, 10): for each bin, 10 tracks" in CODE


def test_the_package_gives_the_same_numbers():
    packaged = Basenji().eval()
    packaged.load_state_dict(network().state_dict())
    with torch.no_grad():
        assert torch.equal(packaged(promoter()), network()(promoter()))
    assert said(NAME, "same-as-package") == "the same outputs: True\n"


def on_zeros(net: nn.Module) -> np.ndarray:
    """What a bin far from both ends gets: all its columns are equal, so that each filter acts by its sum."""
    column = np.zeros(4)
    for block in [*net.squeeze, *net.dilated]:
        weight, offset = (part.detach().numpy().astype(float) for part in (block.conv.weight, block.conv.bias))
        values, gates = np.split(weight.sum(axis=2) @ column + offset, 2)
        made = values / (1 + np.exp(-gates))
        column = np.concatenate([column, made]) if block in net.dilated else made
    head, offset = (part.detach().numpy().astype(float) for part in (net.head.weight, net.head.bias))
    return head[:, :, 0] @ column + offset


def test_M29_on_zeros_all_inner_bins_agree_and_a_network_that_ignores_its_input_passes():
    zeros, ones = torch.zeros(1, 4, WINDOW), torch.ones(1, 4, WINDOW)
    dna = torch.eye(4)[torch.from_numpy(np.random.default_rng(0).integers(0, 4, (1, WINDOW)))].permute(0, 2, 1)
    mixed_up, deaf = (Basenji().eval() for _ in range(2))
    with torch.no_grad():
        for other in (mixed_up, deaf):
            other.load_state_dict(network().state_dict())
        deaf.squeeze[0].conv.parametrizations.weight.original0.zero_()  # no gain: it hears nothing
        direction = mixed_up.squeeze[0].conv.parametrizations.weight.original1
        direction.copy_(direction[:, [3, 1, 2, 0]])  # takes A for T
        nothing, full, real = (network()(given)[0] for given in (zeros, ones, dna))
        assert nothing.shape == full.shape == real.shape == (1024, 10), "the shape is right either way"
        for outputs in (nothing, deaf(dna)[0]):  # the second on real letters too
            assert np.abs(outputs[200:800].numpy() - on_zeros(network())).max() < 1e-6
        for faulty in (mixed_up, deaf):
            assert torch.allclose(faulty(zeros)[0], nothing, atol=1e-6), "the fault does not show"
            assert not torch.allclose(faulty(dna)[0], real, atol=1e-3), "but here it does"
    assert not torch.allclose(nothing, full, atol=1e-3), "what comes out depends on what lay in the memory"
    assert len(nothing[200:800].unique(dim=0)) == 1 < len(real[200:800].unique(dim=0))
    assert not torch.allclose(nothing[0], nothing[512], atol=1e-3), "but for the ends"
    assert "len(outputs[0, 200:800].unique(dim=0))" in CODE
    assert "zeros    output (1, 1024, 10); bins 200 to 799 have 1 different predictions" in said(NAME, "M29")
    assert "On zeros every bin, away from the ends, gets the same answer." in PROSE
    assert "A network that ignores its input would pass such a trial." in PROSE
    assert "`np.empty`, an array that nobody filled (mistake M29)" in PROSE
    assert "The shape is right either way, and yet nothing is tested." in PROSE


def test_on_the_locus_each_of_600_bins_has_a_prediction_of_its_own():
    if reason := reading.why_unavailable("gata4"):
        pytest.skip(reason)
    [record] = read_fasta(fetch("gata4")[0])
    locus = torch.from_numpy(one_hot(record.sequence)).float().T[None]
    [letters] = claims(r"a real sequence, ([\d,]+) letters of human DNA around the gene \*GATA4\*")
    assert whole(letters) == [locus.shape[2]] == [WINDOW]
    assert (locus.sum(dim=1) == 1).all()
    with torch.no_grad():
        outputs = network()(locus)[0, 200:800]
    apart = torch.cdist(outputs, outputs, p=torch.inf)
    assert apart.fill_diagonal_(torch.inf).min() > 1e-4, "no matter of rounding"
    assert said(NAME, "M29").splitlines()[:2] == [
        "each row has exactly one 1: True",
        f"real DNA output (1, 1024, 10); bins 200 to 799 have {len(outputs)} different predictions",
    ]


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
    [letters] = claims(r"([\d,]+) letters, a quarter of the window: about 16,000 to each side")
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
    near, whisper = claims(
        r"At 17,000 and at 40,000 letters not a single digit changes.*: (\S+) at 1,000 letters, (\S+) at 16,000\."
    )
    assert [float(near), float(whisper)] == [moves[1_000], moves[16_000]]
    claims(r"An enhancer (40,000) letters off is invisible")
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
    claims(r"(Two) more layers show the whole window to the output in the middle, (three) show it to all")


def test_outputs_near_the_ends_of_a_window_look_at_padding():
    assert "Near the ends of a window there is less to see" in PROSE
    whole_field, first = whole(said(NAME, "ends").split(" letters")[0])[::2]
    inside = [i for i in range(1024) if 128 * i >= 16_392 and 128 * i + 16_392 < WINDOW]
    assert whole_field == len(inside) == 767 and first == 16_392 + 1
    claims(r"(a quarter) of the outputs see less than the whole field")
    assert 1 - len(inside) / 1024 == pytest.approx(1 / 4, abs=0.01)
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
    claims(r"inputs of up to two thousand letters\" \(mistake (M23), lesson 00\)")
    assert len(seen([(3, 1, 1)] * 4, 50, 101)) == 9
    assert len(seen(SQUEEZE, 100, WINDOW // 8)) == 273 < 2_000 < 32_785
    assert len(SQUEEZE) < 5 < len(SQUEEZE + DILATED) == 11
