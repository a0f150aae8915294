"""The networks of the lessons, one file per family, each to be read from top to bottom.

All take one-hot sequences as ``(N, 4, L)``, float32: N sequences, the channels A, C, G, T, L positions. That
is the order of `torch.nn.Conv1d`; storage order is ``(N, L, 4)``, and `permute(0, 2, 1)` leads from one to the
other (lesson 01). Outputs are *logits*, before any softmax or sigmoid, as torch's loss functions expect them.

* :mod:`~course_utils.models.motif_cnn`: small networks that find one motif (lesson 04);
* :mod:`~course_utils.models.binding`: networks for the primer's planted word, and what a student report made of it
  (lesson 06);
* :mod:`~course_utils.models.families`: one of each family: fully connected, convolutional, recurrent, on graphs,
  auto-encoder (lesson 08); the last two take other inputs;
* :mod:`~course_utils.models.peaks`: the peaks of a transcription factor, both strands alike (lessons 06 and 07);
* :mod:`~course_utils.models.basenji`: tracks along 131,072 bases (lessons 09 and 10); its outputs are the logarithms
  of rates.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from course_utils.checks import whole


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let torch's random numbers start from `seed` inside the block, and go on untouched after it.

    ``with seeded(1): model = MotifCNN()`` gives the same first weights every time, on every device, since
    weights are drawn on the CPU. Around a training with dropout on the CPU it makes that the same, too.

    Source: lesson 04.
    """
    with torch.random.fork_rng(devices=[]):  # keeps the CPU's state and puts it back
        torch.default_generator.manual_seed(seed)
        yield


def check_input(inputs: torch.Tensor, length: int | None = None) -> None:
    """Say so if a network cannot take this input.

    Args:
        inputs: what came; floating-point ``(N, 4, L)`` is expected.
        length: L, for a network made for one length; None if it takes any.

    Raises:
        ValueError: for what is no tensor, another shape, another order of the axes, another length, or whole
            numbers (lesson 04).
    """
    expected = f"(N, 4, {'L' if length is None else length})"
    if not isinstance(inputs, torch.Tensor):
        raise ValueError(f"a {type(inputs).__name__} came; a tensor {expected} is expected")
    shape = tuple(inputs.shape)
    if len(shape) != 3:
        raise ValueError(f"the input has the shape {shape}; {expected} is expected, a batch of sequences")
    if shape[1] != 4 and shape[2] == 4:
        raise ValueError(
            f"the input has the shape {shape}, with the bases last; {expected} is expected: "
            "permute(0, 2, 1) moves them, reshape would mix them up"
        )
    if shape[1] != 4:
        raise ValueError(f"the input has the shape {shape}; {expected} is expected, channels A, C, G, T")
    if length is not None and shape[2] != length:
        raise ValueError(
            f"the sequences have {shape[2]} bases; this network was made for {length}, as its last "
            f"layers have a weight for each position: make it with length={shape[2]}, or cut or pad"
        )
    if not inputs.is_floating_point():
        raise ValueError(f"the input is {inputs.dtype}; floating point is expected: call float() on it")


def check_size(what: str, size: int, least: int) -> int:
    """Return a size of a network, or say that it is none.

    Raises:
        ValueError: unless it is a whole number, `least` or more (lesson 04).
    """
    found = whole(size)
    if found is None or found < least:
        raise ValueError(f"the {what} is {size!r}; a whole number from {least} up is expected")
    return found
