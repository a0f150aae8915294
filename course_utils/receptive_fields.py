"""Which inputs an output of a stack of convolutions depends on: arithmetic, without a network.

A stack is a list of layers from the input up. Positions are 0-based and spans half-open. Each layer is padded
with ``kernel // 2 * dilation`` zeros at both ends, as in all networks of lessons 09 and 10, so that output i of
one layer reads the positions ``i * stride + (tap - kernel // 2) * dilation`` of the level below, tap = 0, 1, ...,
kernel - 1: an odd kernel is centred on position ``i * stride``.

The growth of the receptive field with dilation: Yu and Koltun, Multi-scale context aggregation by dilated
convolutions, arXiv:1511.07122 (2016). Explained in lesson 09.
"""

import operator
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Layer(NamedTuple):
    """A convolution, as far as its receptive field is concerned; all three count positions, from 1 up."""

    kernel: int
    stride: int = 1
    dilation: int = 1


#: The lecture's four blocks in front of the dilated layers, with which 128 bases become one column.
LECTURE_SQUEEZE = (Layer(21, 2), Layer(7, 4), Layer(7, 4), Layer(7, 4))


def receptive_field(layers: Sequence[Layer]) -> int:
    """Positions from the first to the last that one output depends on, far from the ends of the input.

    Each layer adds ``(kernel - 1) * dilation`` steps of the level that it reads, and a step of that level is
    as long as the product of all strides below.

    Raises:
        ValueError: for a kernel, stride or dilation that is no whole number from 1 up (lesson 09).
    """
    field, step_below = 1, 1
    for kernel, stride, dilation in _checked(layers):
        field += (kernel - 1) * dilation * step_below
        step_below *= stride
    return field


def step(layers: Sequence[Layer]) -> int:
    """Positions of the input between two neighbouring outputs: the product of the strides.

    Raises:
        ValueError: for a kernel, stride or dilation that is no whole number from 1 up (lesson 09).
    """
    product = 1
    for layer in _checked(layers):
        product *= layer.stride
    return product


def span(layers: Sequence[Layer], output: int, length: int) -> tuple[int, int]:
    """From where to where in an input of `length` positions an output sees: ``(start, end)``, half-open.

    The positions at both ends are truly seen; between them there may be holes (:func:`tree` has each position).
    An output that sees nothing but padding has the span (0, 0).

    Raises:
        ValueError: for a layer that is none, or an output that an input of this length does not have (lesson 09).
    """
    seen = _levels(_checked(layers), output, length)[-1]
    return (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, 0)


def tree(layers: Sequence[Layer], output: int, length: int | None = None) -> list[list[int]]:
    """Which positions of each level reach an output: sorted lists, the output's level first, the input last.

    With the `length` of the input, what falls off an end of a level is left out: it is a zero of the padding.
    Without, there are no ends, and positions may be negative.

    Raises:
        ValueError: for a layer that is none, or an output that an input of this length does not have (lesson 09).
    """
    return [level.tolist() for level in _levels(_checked(layers), output, length)]


def _levels(layers: list[Layer], output: int, length: int | None) -> list[np.ndarray]:
    """:func:`tree`, as arrays."""
    ends = None if length is None else _lengths(layers, length)
    try:
        output = operator.index(output)
    except TypeError:
        raise ValueError(f"the output position is {output!r}; a whole number is expected") from None
    if ends and not 0 <= output < ends[-1]:
        raise ValueError(
            f"the output position is {output}; an input of {length:,} positions has the outputs 0 to {ends[-1] - 1:,}"
        )
    levels = [np.array([output])]
    for number in reversed(range(len(layers))):
        kernel, stride, dilation = layers[number]
        taps = (np.arange(kernel) - kernel // 2) * dilation
        below = np.unique(levels[-1][:, None] * stride + taps)
        if ends:
            below = below[(below >= 0) & (below < ends[number])]
        levels.append(below)
    return levels


def _lengths(layers: list[Layer], length: int) -> list[int]:
    """Positions of each level, the input first."""
    lengths = [_whole("length of the input", length)]
    for kernel, stride, dilation in layers:
        padded = lengths[-1] + 2 * (kernel // 2) * dilation
        lengths.append((padded - (kernel - 1) * dilation - 1) // stride + 1)
    return lengths


def _checked(layers: Sequence[Layer]) -> list[Layer]:
    layers = list(layers)
    for number, layer in enumerate(layers):
        try:
            layers[number] = layer = Layer(*layer)
        except TypeError:
            raise ValueError(f"layer {number} is {layer!r}; Layer(kernel, stride, dilation) is expected") from None
        for name, value in zip(layer._fields, layer, strict=True):
            _whole(f"{name} of layer {number}", value)
    return layers


def _whole(what: str, value: int) -> int:
    try:
        whole = operator.index(value)
    except TypeError:
        whole = 0
    if whole < 1:
        raise ValueError(f"the {what} is {value!r}; a whole number from 1 up is expected")
    return whole
