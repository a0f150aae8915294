"""The network of lesson 09 is the lecture's: its sizes, its function and its reach."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.checkpoints import CheckpointError
from course_utils.interpretation import seen_by
from course_utils.models import seeded
from course_utils.models.basenji import Basenji, GatedConv, Squeeze, lecture_squeeze, load_chainer
from course_utils.receptive_fields import receptive_field, span, step

SMALL = {"base": 2, "growth": 3, "targets": 4}


def made(seed: int = 0, **settings) -> Basenji:
    with seeded(seed):
        return Basenji(**settings)


def sequences(many: int, length: int, seed: int = 0) -> torch.Tensor:
    """Random one-hot sequences (many, 4, length)."""
    codes = torch.randint(4, (many, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1)


# --- an oracle in NumPy, written from the lecture's code ------------------------------------------


def convolve(x, weights, bias, stride, pad, dilation):
    """x (N, channels, L), weights (out, channels, kernel) -> (N, out, positions), tap by tap."""
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    kernel = weights.shape[2]
    positions = (padded.shape[2] - dilation * (kernel - 1) - 1) // stride + 1
    y = np.zeros((len(x), len(weights), positions)) + bias[:, None]
    for tap in range(kernel):
        start = tap * dilation
        read = padded[:, :, start : start + stride * (positions - 1) + 1 : stride]
        y += np.einsum("oc,ncl->nol", weights[:, :, tap], read)
    return y


def gated(x, arrays, name, stride, pad, dilation):
    weights = arrays[f"{name}/conv/W"].astype(float)
    norm = np.sqrt((weights.reshape(len(weights), -1) ** 2).sum(axis=1))
    weights = arrays[f"{name}/conv/g"][:, None, None] * weights / norm[:, None, None]
    h, g = np.split(convolve(x, weights, arrays[f"{name}/conv/b"], stride, pad, dilation), 2, axis=1)
    return h / (1 + np.exp(-g))


def lecture(one_hot, arrays):
    """(N, L, 4) -> (N, L / 128, targets): `Net.forward` of the lecture, without dropout."""
    h = np.transpose(one_hot, (0, 2, 1)).astype(float)
    for i, (kernel, stride) in enumerate([(21, 2), (7, 4), (7, 4), (7, 4)]):
        h = gated(h, arrays, f"s_{i}", stride, kernel // 2, 1)
    hs = [h]
    for i in range(sum(name.startswith("d_") and name.endswith("W") for name in arrays)):
        hs.append(gated(np.concatenate(hs, axis=1), arrays, f"d_{i}", 1, 2**i, 2**i))
    h = convolve(np.concatenate(hs, axis=1), arrays["l/W"], arrays["l/b"], 1, 0, 1)
    return np.transpose(h, (0, 2, 1))


def arrays_of_lecture(base=24, growth=None, dilated=7, targets=10, seed=0):
    """Random weights, gains and biases under the names and in the shapes of the lecture's network."""
    rng = np.random.default_rng(seed)
    growth = base if growth is None else growth
    arrays, channels = {}, 4
    widths = [base * 2, int(base * 2.5), int(base * 3.2), base * 4]
    blocks = [(f"s_{i}", out, kernel) for i, (out, kernel) in enumerate(zip(widths, (21, 7, 7, 7)))]
    blocks += [(f"d_{i}", growth, 3) for i in range(dilated)]
    for name, out, kernel in blocks:
        arrays[f"{name}/conv/W"] = rng.normal(0, 0.2, (2 * out, channels, kernel)).astype(np.float32)
        arrays[f"{name}/conv/b"] = rng.normal(0, 0.5, 2 * out).astype(np.float32)
        arrays[f"{name}/conv/g"] = rng.uniform(0.5, 3, 2 * out).astype(np.float32)
        channels = out if name.startswith("s") else channels + out
    arrays["l/W"] = rng.normal(0, 0.2, (targets, channels, 1)).astype(np.float32)
    arrays["l/b"] = rng.normal(0, 1, targets).astype(np.float32)
    return arrays


def npz(path, arrays, prefix=""):
    with open(path, "wb") as file:  # numpy would add .npz to a name
        np.savez_compressed(file, **{prefix + name: array for name, array in arrays.items()})
    return path


@pytest.mark.parametrize("prefix", ["", "predictor/", "updater/model:main/predictor/"])
def test_weights_of_the_chainer_network_give_its_function(tmp_path, prefix):
    arrays = arrays_of_lecture()
    model = load_chainer(npz(tmp_path / "model_epoch_10", arrays, prefix)).eval()  # the lecture's name
    one_hot = sequences(2, 2_048).permute(0, 2, 1).numpy().astype(bool)
    with torch.no_grad():
        log_rates = model(torch.from_numpy(one_hot).float().permute(0, 2, 1))
    expected = lecture(one_hot, arrays)
    assert expected.std() > 0.3, "an oracle that gives nearly constants would show little"
    np.testing.assert_allclose(log_rates.numpy(), expected, atol=1e-5, rtol=0)


def test_a_network_of_other_sizes_is_made_from_its_file(tmp_path):
    arrays = arrays_of_lecture(base=5, growth=7, dilated=4, targets=3)
    model = load_chainer(npz(tmp_path / "small.npz", arrays)).eval()
    assert [layer.dilation for layer in model.layers] == [1] * 4 + [1, 2, 4, 8]
    assert [block.dropout.p for block in model.squeeze] == [0.0, 0.05, 0.05, 0.05]
    inputs = sequences(1, 4_096, seed=1)
    with torch.no_grad():
        expected = lecture(inputs.permute(0, 2, 1).numpy(), arrays)
        np.testing.assert_allclose(model(inputs).numpy(), expected, atol=1e-5, rtol=0)


def test_a_given_model_is_filled_and_keeps_its_dilations(tmp_path):
    arrays = arrays_of_lecture(base=2, growth=3, targets=4)
    model = made(**SMALL, dilations=(1,) * 7)
    assert load_chainer(npz(tmp_path / "a.npz", arrays), model) is model
    assert {layer.dilation for layer in model.layers} == {1}
    np.testing.assert_array_equal(model.head.weight.detach(), arrays["l/W"])
    np.testing.assert_allclose(
        model.dilated[6].conv.weight.detach().norm(dim=(1, 2)), arrays["d_6/conv/g"], rtol=1e-5
    )


@pytest.mark.parametrize("kind", [">f4", ">f8", "f2", np.longdouble])
def test_numbers_of_any_width_and_byte_order_are_read(tmp_path, kind):
    arrays = {name: array.astype(kind) for name, array in arrays_of_lecture(base=2).items()}
    model = load_chainer(npz(tmp_path / "a.npz", arrays))
    assert model.head.weight.dtype == torch.float32
    np.testing.assert_array_equal(model.head.weight.detach(), arrays["l/W"].astype("f4"))


def test_a_model_in_float64_loses_nothing(tmp_path):
    arrays = {name: array.astype(float) + 1e-12 for name, array in arrays_of_lecture(base=2).items()}
    model = load_chainer(npz(tmp_path / "a.npz", arrays), made(base=2).double())
    np.testing.assert_array_equal(model.head.weight.detach(), arrays["l/W"])


@pytest.mark.parametrize("name", ["epoch", "l/W"])
def test_an_array_beside_the_prefix_is_refused(tmp_path, name):
    arrays = {f"predictor/{name}": array for name, array in arrays_of_lecture(base=2).items()}
    with pytest.raises(CheckpointError, match=f"has {name}, for which this network has no place"):
        load_chainer(npz(tmp_path / "a.npz", arrays | {name: np.ones(1)}))


def test_reading_weights_leaves_the_random_numbers_alone(tmp_path):
    path = npz(tmp_path / "a.npz", arrays_of_lecture(base=2))
    before = torch.get_rng_state()
    load_chainer(path)
    assert torch.equal(torch.get_rng_state(), before)


def edit(**changes):
    """Arrays with some replaced, or taken away where the replacement is None."""
    names = {name.replace("__", "/"): array for name, array in changes.items()}
    arrays = arrays_of_lecture(base=2, growth=3, targets=4) | names
    return {name: array for name, array in arrays.items() if array is not None}


BAD = {
    "missing gain": (edit(d_3__conv__g=None), ["has no d_3/conv/g"]),
    "missing head": (edit(l__W=None), ["has no l/W"]),
    "missing block": (edit(d_3__conv__W=None), ["d_3"]),
    "a block more": (edit(s_4__conv__g=np.ones(3, "f")), ["has s_4/conv/g", "no place"]),
    "other length": (edit(d_3__conv__b=np.ones(5, "f")), ["d_3/conv/b", "(5,)", "(6,)"]),
    "other channels": (edit(d_3__conv__W=np.ones((6, 9, 3), "f")), ["d_3/conv/W", "(6, 9, 3)", "(6, 17, 3)"]),
    "other axes": (edit(s_0__conv__W=np.ones((8, 84), "f")), ["s_0/conv/W", "(8, 84)"]),
    "even kernel": (edit(s_0__conv__W=np.ones((8, 4, 20), "f")), ["s_0/conv/W", "(8, 4, 20)"]),
    "not a number": (edit(l__b=np.full(4, np.nan, "f")), ["l/b", "finite"]),
    "infinite": (edit(l__b=np.full(4, -np.inf, "f")), ["l/b", "finite"]),
    "too large": (edit(l__b=np.full(4, 1e300)), ["l/b", "finite"]),
    "no direction in float32": (edit(d_0__conv__W=np.full((6, 8, 3), 1e-60)), ["d_0/conv/W", "no direction"]),
    "whole numbers": (edit(l__b=np.ones(4, int)), ["l/b", "floating-point"]),
    "text": (edit(l__b=np.array(["a"] * 4)), ["l/b", "floating-point"]),
    "no direction": (edit(d_0__conv__W=np.zeros((6, 8, 3), "f")), ["d_0/conv/W", "no direction"]),
    "another network": ({"l/W": np.ones((1, 2, 1), "f")}, ["not of the lecture's network"]),
    "pickled": (edit(l__b=np.array([None] * 4)), ["no whole .npz file"]),
}


@pytest.mark.parametrize("arrays, words", BAD.values(), ids=BAD)
def test_a_file_that_does_not_fit_changes_nothing_and_is_refused_in_one_sentence(tmp_path, arrays, words):
    path = npz(tmp_path / "bad.npz", arrays)
    model = made(**SMALL)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(CheckpointError) as caught:
        load_chainer(path, model)
    said = str(caught.value)
    assert [word for word in [*words, "bad.npz"] if word not in said] == [] and "\n" not in said, said
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    with pytest.raises(CheckpointError):
        load_chainer(path)


@pytest.mark.parametrize("content", [b"", b"PK\3\4 cut", b"some text\n"], ids=["empty", "zip", "text"])
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(CheckpointError, match="no whole .npz file"):
        load_chainer(tmp_path / "a.npz")


@pytest.mark.parametrize("share", [0.3, 0.99, 0.5])
def test_a_file_that_was_cut_short_or_damaged_is_refused(tmp_path, share):
    whole = npz(tmp_path / "a.npz", arrays_of_lecture(base=2)).read_bytes()
    middle = int(share * len(whole))
    for content in (whole[:middle], whole[: middle // 2] + b"\xff" * 50 + whole[middle // 2 + 50 :]):
        (tmp_path / "a.npz").write_bytes(content)
        with pytest.raises(CheckpointError):
            load_chainer(tmp_path / "a.npz")


def test_a_lone_array_is_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.ones(3))
    with pytest.raises(CheckpointError, match="no whole .npz file"):
        load_chainer(tmp_path / "a.npy")


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings, many", [({}, 388_154), ({"base": 8, "growth": 16}, 81_398)])
def test_the_networks_have_their_numbers_of_parameters_with_and_without_dilation(settings, many):
    for more in ({}, {"dilations": (1,) * 7}):
        assert sum(parameter.numel() for parameter in made(**settings, **more).parameters()) == many


def test_a_window_gives_ten_numbers_for_each_of_1024_bins():
    with torch.no_grad():
        assert made()(sequences(2, 131_072)).shape == (2, 1024, 10)


def test_any_multiple_of_the_bin_will_do():
    model = made(**SMALL)
    assert [model(sequences(1, 128 * bins)).shape for bins in (1, 2, 7)] == [(1, b, 4) for b in (1, 2, 7)]
    assert model.bin_size == step(model.layers) == 128


def test_each_dilated_block_reads_all_columns_before_it():
    model = made()
    assert [block.conv.in_channels for block in model.dilated] == [96, 120, 144, 168, 192, 216, 240]
    assert model.head.in_channels == 264
    assert [block.conv.out_channels for block in model.squeeze] == [96, 120, 152, 192], "values and gates"
    assert list(lecture_squeeze(24)) == [(48, 21, 2, 0), (60, 7, 4, 0.05), (76, 7, 4, 0.05), (96, 7, 4, 0.05)]


def test_the_head_reads_the_squeezed_columns_directly():
    model = made(**SMALL).eval()
    with torch.no_grad():
        for block in model.dilated:  # closed: what is left are the connections around them
            block.conv.parametrizations.weight.original0.zero_()
    inputs = sequences(1, 1_280)
    columns = inputs
    for block in model.squeeze:
        columns = block(columns)
    expected = torch.einsum("tc,ncb->nbt", model.head.weight[:, :8, 0], columns) + model.head.bias
    torch.testing.assert_close(model(inputs), expected)


def test_other_squeeze_blocks_make_other_bins():
    model = made(squeeze=[(6, 5, 3, 0.0), Squeeze(8, 3, 2, 0.1)], growth=2, dilations=(1, 3), targets=1)
    assert model.bin_size == 6 and model(sequences(1, 60)).shape == (1, 10, 1)
    assert [tuple(layer) for layer in model.layers] == [(5, 3, 1), (3, 2, 1), (3, 1, 1), (3, 1, 3)]


# --- reach ----------------------------------------------------------------------------------------


def test_an_output_sees_32785_bases_by_arithmetic_and_by_gradient():
    model = made()
    assert receptive_field(model.layers) == 32_785 and receptive_field(model.layers[4:]) == 255
    seen = np.flatnonzero(seen_by(model, sequences(1, 49_152), 190))
    assert len(seen) == 32_785
    assert (seen[0], seen[-1]) == (128 * 190 - 16_392, 128 * 190 + 16_392), "centred on the start of the bin"


@pytest.mark.parametrize("dilations", [(1, 2, 4), (1, 1, 1), (1, 3, 9), (4,), ()])
def test_small_networks_see_what_the_arithmetic_says(dilations):
    model, inputs = made(**SMALL, dilations=dilations), sequences(1, 4_096)
    for bin in (0, 3, 16, 31):
        seen = np.flatnonzero(seen_by(model, inputs, bin))
        assert (seen[0], seen[-1] + 1) == span(model.layers, bin, 4_096)


# --- weight normalisation, gates, dropout, gradients ------------------------------------------------


def test_the_gain_is_the_length_of_each_filter_and_its_direction_has_none():
    with seeded(1):
        block = GatedConv(4, 3, 5)
    gain, direction = block.conv.parametrizations.weight.original0, block.conv.parametrizations.weight.original1
    inputs = sequences(2, 20)
    plain = nn.functional.conv1d(inputs, block.conv.weight, padding=2)
    first = block(inputs)
    torch.testing.assert_close(first, plain[:, :3] * plain[:, 3:].sigmoid())  # biases start at 0
    with torch.no_grad():
        direction *= 7
        torch.testing.assert_close(block(inputs), first)
        gain[:3] *= 2  # of the values, not of the gates
        torch.testing.assert_close(block(inputs), 2 * first)


def test_the_first_weights_are_as_chainer_draws_them():
    model = made()
    for block in [*model.squeeze, *model.dilated]:
        weights = block.conv.weight.detach()
        fan_in = weights[0].numel()
        assert weights.std().item() * fan_in**0.5 == pytest.approx(1, abs=0.05) and not block.conv.bias.any()
        drawn = block.conv.parametrizations.weight.original1
        torch.testing.assert_close(weights, drawn)  # the gains leave them as they were
    assert model.head.weight.std().item() * 264**0.5 == pytest.approx(1, abs=0.05) and not model.head.bias.any()


def test_dropout_is_on_in_training_and_off_in_eval_mode():
    model, inputs = made(**SMALL), sequences(1, 1_280)
    assert [block.dropout.p for block in model.squeeze] == [0.0, 0.05, 0.05, 0.05]
    assert {block.dropout.p for block in model.dilated} == {0.1}
    with seeded(2):
        assert not torch.equal(model(inputs), model(inputs))
    model.eval()
    assert torch.equal(model(inputs), model(inputs))


def test_gradients_are_those_of_finite_differences():
    model = made(base=1, growth=1, targets=1, dilations=(1, 2)).double().eval()
    inputs = sequences(1, 384).double()
    with seeded(3), torch.no_grad():
        for parameter in model.parameters():  # gains and biases that are neither 0 nor the first ones
            parameter.add_(0.3 * torch.randn_like(parameter))
    names, values = zip(*model.named_parameters())

    def outputs(*parameters):
        return torch.func.functional_call(model, dict(zip(names, parameters)), inputs)

    assert torch.autograd.gradcheck(outputs, tuple(value.detach().requires_grad_() for value in values))
    model(inputs).sum().backward()
    assert all(value.grad.abs().max() > 0 for value in model.parameters())


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "inputs, words",
    [
        (torch.zeros(1, 4, 1_000), ["1,000 bases", "multiple of 128"]),
        (torch.zeros(1, 4, 0), ["0 bases", "multiple of 128"]),
        (torch.zeros(1, 1_280, 4), ["bases last", "permute(0, 2, 1)"]),
        (torch.zeros(1, 4, 1_280, dtype=torch.bool), ["torch.bool", "float()"]),
        (torch.zeros(4, 1_280), ["a batch of sequences"]),
    ],
)
def test_the_network_says_which_input_it_cannot_take(inputs, words):
    with pytest.raises(ValueError) as caught:
        made(**SMALL)(inputs)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"targets": 0}, ["number of targets is 0", "from 1 up"]),
        ({"base": 2.5}, ["base is 2.5"]),
        ({"growth": 0}, ["growth is 0"]),
        ({"kernel": 4}, ["kernel is 4", "odd"]),
        ({"dilations": (1, 0)}, ["dilation is 0"]),
        ({"dropout": 1.0}, ["dropout is 1.0"]),
        ({"squeeze": [(4, 7, 0, 0.0)]}, ["stride is 0"]),
        ({"squeeze": [(0, 7, 2, 0.0)]}, ["number of channels is 0"]),
    ],
)
def test_sizes_that_make_no_network_are_refused(settings, words):
    with pytest.raises(ValueError) as caught:
        Basenji(**settings)
    assert [word for word in words if word not in str(caught.value)] == [], caught.value
