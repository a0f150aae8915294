"""Basenji: from 131,072 letters to how often transcription starts in each of 1,024 stretches of them (lesson 09).

The network of a Japanese lecture, in Chainer there, after Basenji; in PyTorch, the same function of the same
weights (:func:`load_chainer` reads them). 388,154 parameters, in three parts:

* `squeeze`: four convolutions with strides turn each bin of 128 bases into a column of 96 numbers;
* `dilated`: seven convolutions along the columns, each with twice the dilation of the one before. Each reads the
  columns *and* what all earlier ones made of them (dense connections): 96, 120, 144, ..., 240 channels;
* `head`: for each column of 264 channels, one number for each of the 10 targets.

Input (N, 4, L), channels A, C, G, T, L a multiple of 128; output (N, L / 128, targets): *log rates*, the natural
logarithm of the count expected in each bin.

**How far it sees.** Output i depends on the bases from 128 i - 16,392 to 128 i + 16,392, both included: 32,785 of
them, a quarter of its window. The middle is base 128 i, the *first* of the 128 in bin i: the padding puts it there.
So an output sees 16,392 bases before its bin and 16,265 behind it.

* Kelley et al., Sequential regulatory activity prediction across chromosomes with convolutional neural
  networks, Genome Research 28, 739-750 (2018): Basenji
* Salimans and Kingma, Weight normalization, arXiv:1602.07868 (2016)
* Dauphin et al., Language modeling with gated convolutional networks, arXiv:1612.08083 (2017): GLU
* Huang et al., Densely connected convolutional networks, CVPR (2017): DenseNet
* Yu and Koltun, Multi-scale context aggregation by dilated convolutions, arXiv:1511.07122 (2016)
* LeCun et al., Efficient BackProp, in: Neural Networks: Tricks of the Trade (1998): the first weights
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

from course_utils.checkpoints import CheckpointError
from course_utils.models import check_input, check_size, seeded
from course_utils.receptive_fields import LECTURE_SQUEEZE, Layer


class Squeeze(NamedTuple):
    """One of the convolutions that turn bases into bins."""

    channels: int
    kernel: int
    stride: int
    dropout: float


def lecture_squeeze(base: int) -> tuple[Squeeze, ...]:
    """The lecture's four blocks: 128 bases -> 64 -> 16 -> 4 -> 1 column of ``4 * base`` channels."""
    widths, dropouts = (2, 2.5, 3.2, 4), (0.0, 0.05, 0.05, 0.05)
    return tuple(
        Squeeze(int(width * base), layer.kernel, layer.stride, dropout)
        for width, layer, dropout in zip(widths, LECTURE_SQUEEZE, dropouts)
    )


class GatedConv(nn.Module):
    """Weight-normalised convolution -> gated linear unit -> dropout.

    The convolution makes twice `channels_out`: the first half are values, the second decides how far the gate
    of each value opens. Weight normalisation stores each filter as a direction and a length, the *gain*.

    The first weights are Chainer's: normal with variance 1 / (channels_in * kernel), zero bias, and gains that
    leave the weights as they were drawn.
    """

    def __init__(
        self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, dilation: int = 1, dropout: float = 0.0
    ):
        super().__init__()
        if check_size("kernel", kernel, 1) % 2 == 0:
            raise ValueError(f"the kernel is {kernel}; an odd number is expected, so that it has a middle")
        if not isinstance(dropout, (int, float)) or not 0 <= dropout < 1:
            raise ValueError(f"the dropout is {dropout}; a share from 0 up to, not including, 1 is expected")
        conv = nn.Conv1d(
            channels_in,
            2 * check_size("number of channels", channels_out, 1),
            kernel,
            stride=check_size("stride", stride, 1),
            padding=kernel // 2 * check_size("dilation", dilation, 1),
            dilation=dilation,
        )
        nn.init.normal_(conv.weight, std=(channels_in * kernel) ** -0.5)
        nn.init.zeros_(conv.bias)
        self.conv = weight_norm(conv)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: torch.Tensor) -> torch.Tensor:  # (N, channels_in, L)
        x = self.conv(x)  # (N, 2 * channels_out, L / stride)
        x = F.glu(x, dim=1)  # (N, channels_out, L / stride)   values * sigmoid(gates)
        return self.dropout(x)  # the same shape

    @property
    def layer(self) -> Layer:
        """Kernel, stride and dilation, for the arithmetic of `receptive_fields`."""
        return Layer(self.conv.kernel_size[0], self.conv.stride[0], self.conv.dilation[0])


class Basenji(nn.Module):
    """The whole network.

    Args:
        targets: tracks to predict.
        base: the unit of all widths; 24 gives the lecture's 388,154 parameters.
        growth: channels that each dilated block adds; `base` unless given.
        dilations: one block for each. ``(1,) * 7`` is the network without dilation, of the same size.
        squeeze: other blocks than :func:`lecture_squeeze` gives for `base`.
        kernel: of the dilated blocks; odd.
        dropout: of the dilated blocks.

    Attributes:
        bin_size: bases for each output, the product of the strides; 128.

    Raises:
        ValueError: for sizes that make no network; of its call, for an input that is not (N, 4, L) of floats
            with L a multiple of `bin_size`.
    """

    def __init__(
        self,
        targets: int = 10,
        *,
        base: int = 24,
        growth: int | None = None,
        dilations: Sequence[int] = (1, 2, 4, 8, 16, 32, 64),
        squeeze: Sequence[Squeeze] | None = None,
        kernel: int = 3,
        dropout: float = 0.1,
    ):
        super().__init__()
        check_size("number of targets", targets, 1)
        check_size("base", base, 1)
        growth = base if growth is None else check_size("growth", growth, 1)
        squeeze = lecture_squeeze(base) if squeeze is None else [Squeeze(*block) for block in squeeze]
        self.bin_size, channels = 1, 4
        self.squeeze, self.dilated = nn.ModuleList(), nn.ModuleList()
        for block in squeeze:
            self.squeeze.append(
                GatedConv(channels, block.channels, block.kernel, stride=block.stride, dropout=block.dropout)
            )
            self.bin_size *= block.stride
            channels = block.channels
        for dilation in dilations:
            self.dilated.append(GatedConv(channels, growth, kernel, dilation=dilation, dropout=dropout))
            channels += growth  # the next block reads this one's output too
        self.head = nn.Conv1d(channels, targets, kernel_size=1)
        nn.init.normal_(self.head.weight, std=channels**-0.5)
        nn.init.zeros_(self.head.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        check_input(inputs)  # (N, 4, 131072)
        length = inputs.shape[2]
        if length == 0 or length % self.bin_size:
            raise ValueError(
                f"the sequences have {length:,} bases; a multiple of {self.bin_size}, the bases in a bin, is expected"
            )
        x = inputs
        for block in self.squeeze:
            x = block(x)  # (N, 48, 65536), (N, 60, 16384), (N, 76, 4096), (N, 96, 1024)
        for block in self.dilated:
            x = torch.cat([x, block(x)], dim=1)  # (N, 120, 1024), (N, 144, 1024), ..., (N, 264, 1024)
        x = self.head(x)  # (N, 10, 1024)
        return x.permute(0, 2, 1)  # (N, 1024, 10)   as the tracks are stored

    @property
    def layers(self) -> list[Layer]:
        """Of the squeeze and the dilated blocks, from the input up; the head looks at one column only."""
        return [block.layer for block in [*self.squeeze, *self.dilated]]


# --- weights of the Chainer network --------------------------------------------------------------


def load_chainer(path: str | Path, model: Basenji | None = None) -> Basenji:
    """Read the weights that the lecture's Chainer network wrote with ``serializers.save_npz``.

    Args:
        path: the .npz file, with the names ``s_0/conv/W``, ``/b`` and ``/g`` (squeeze), ``d_0/conv/...`` (dilated),
            ``l/W`` and ``l/b`` (head), after one prefix or none; the lecture's files have ``predictor/``.
        model: filled and returned; by default a new one, with the sizes of the file. What a file of weights does
            not hold is the lecture's there: strides 2, 4, 4, 4, dilations 1, 2, 4, ..., shares of dropout.

    Raises:
        CheckpointError: for another kind of file, missing or additional arrays, other shapes, and numbers that
            cannot be weights; the model stays as it was.
        ValueError: for a model that is no Basenji.
        FileNotFoundError: if there is no such file (lesson 09).
    """
    if model is not None and not isinstance(model, Basenji):
        raise ValueError(f"the model is a {type(model).__name__}; a Basenji is expected, or None for a new one")
    arrays = _read_npz(path)
    if model is None:
        with seeded(0):  # the first weights are overwritten; the caller's random numbers stay
            model = _model_of(arrays, path)
    names = _names_of(model)
    missing = [name for name in names if name not in arrays]
    if missing:
        raise CheckpointError(f"{path} has no {missing[0]}, which this network needs")
    additional = [name for name in arrays if name not in names]
    if additional:
        raise CheckpointError(f"{path} has {additional[0]}, for which this network has no place")
    state = model.state_dict()
    weights = {}
    for name, key in names.items():
        array = arrays[name]
        # a gain is (channels,) there and (channels, 1, 1) here
        expected = tuple(state[key].shape[:1] if name.endswith("/g") else state[key].shape)
        if array.shape != expected:
            raise CheckpointError(f"{path}: {name} has the shape {array.shape}; {expected} is expected")
        if array.dtype.kind != "f":
            raise CheckpointError(f"{path}: {name} holds {array.dtype}; floating-point numbers are expected")
        with np.errstate(over="ignore"):  # torch knows neither other byte orders nor long doubles
            weight = torch.from_numpy(array.astype(np.float64)).to(state[key].dtype)
        if not weight.isfinite().all():  # as the model will hold them: 1e300 is infinite in float32
            raise CheckpointError(f"{path}: {name} holds something else than finite floating-point numbers")
        if name.endswith("conv/W") and not weight.flatten(1).any(dim=1).all():
            raise CheckpointError(f"{path}: {name} has a filter of zeros, which has no direction")
        weights[key] = weight.reshape(state[key].shape)
    model.load_state_dict(weights)
    return model


def _read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays of a file by their names, without the prefix that all of them have."""
    with open(path, "rb") as file:
        try:
            with np.load(file, allow_pickle=False) as stored:  # a pickle could run a program of its author
                arrays = {name: stored[name] for name in stored.files}
        except Exception:  # numpy and zipfile have no one exception for a file that they cannot read
            arrays = None
    if arrays is None:
        raise CheckpointError(f"{path} is no whole .npz file of arrays: it was cut short, or is another kind of file")
    first = [name for name in arrays if name == "s_0/conv/W" or name.endswith("/s_0/conv/W")]
    if len(first) != 1:
        raise CheckpointError(
            f"{path} is not of the lecture's network: {len(first)} of its arrays are named s_0/conv/W, not 1"
        )
    prefix = first[0].removesuffix("s_0/conv/W")
    outside = [name for name in arrays if not name.startswith(prefix)]
    if outside:
        raise CheckpointError(f"{path} has {outside[0]}, for which this network has no place")
    return {name.removeprefix(prefix): array for name, array in arrays.items()}


def _names_of(model: Basenji) -> dict[str, str]:
    """The name of each array there -> the name of the tensor here."""
    parts = {"W": "parametrizations.weight.original1", "g": "parametrizations.weight.original0", "b": "bias"}
    names = {"l/W": "head.weight", "l/b": "head.bias"}
    for letter, blocks in (("s", "squeeze"), ("d", "dilated")):
        for number in range(len(getattr(model, blocks))):
            for part, tensor in parts.items():
                names[f"{letter}_{number}/conv/{part}"] = f"{blocks}.{number}.conv.{tensor}"
    return names


def _model_of(arrays: dict[str, np.ndarray], path: str | Path) -> Basenji:
    """A network with the sizes that the arrays have."""
    shapes = {letter: _shapes(arrays, letter, path) for letter in "sd"}
    head = arrays.get("l/W")
    if head is None or head.ndim != 3:
        raise CheckpointError(f"{path} has no l/W of three axes, which this network needs")
    squeeze = [
        Squeeze(rows // 2, kernel, stride=4 if number else 2, dropout=0.05 if number else 0.0)
        for number, (rows, _, kernel) in enumerate(shapes["s"])
    ]
    rows, _, kernel = shapes["d"][0] if shapes["d"] else (2, 0, 3)
    try:
        return Basenji(
            head.shape[0],
            growth=rows // 2,
            kernel=kernel,
            squeeze=squeeze,
            dilations=[2**number for number in range(len(shapes["d"]))],
        )
    except ValueError as error:
        raise CheckpointError(f"{path} has sizes that make no network: {error}") from None


def _shapes(arrays: dict[str, np.ndarray], letter: str, path: str | Path) -> list[tuple[int, ...]]:
    """(2 * channels, channels of the input, kernel) of each block s_0, s_1, ... or d_0, d_1, ..."""
    shapes = []
    while (array := arrays.get(f"{letter}_{len(shapes)}/conv/W")) is not None:
        if array.ndim != 3:
            raise CheckpointError(
                f"{path}: {letter}_{len(shapes)}/conv/W has the shape {array.shape}; three axes are expected"
            )
        shapes.append(array.shape)
    return shapes
