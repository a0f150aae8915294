"""What the tests of lesson 09 share: its words, its network, and fields measured without its arithmetic."""

import re
from functools import cache, partial
from itertools import product

import numpy as np
import reading
import torch
from reading import code, prose, tagged
from torch import nn

from course_utils.datasets import shipped
from course_utils.models import seeded
from course_utils.sequences import one_hot, read_fasta

NAME = "09_dilated_convolutions"
PROSE, CODE = prose(NAME), code(NAME)
WINDOW = 2**17
SQUEEZE = [(21, 2, 1), (7, 4, 1), (7, 4, 1), (7, 4, 1)]  # kernel, stride, dilation, as in the seed
DILATED = [(3, 1, 2**i) for i in range(7)]
claims = partial(reading.claims, NAME)


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


@cache
def network() -> nn.Module:
    """The network as the lesson's own cells write it; nobody changes it."""
    [imports] = tagged(NAME, "imports")
    [blocks] = tagged(NAME, "seed:001-blocks")
    namespace = {}
    exec(imports.source + "\n" + blocks.source, namespace)
    with seeded(0):
        return namespace["Network"]().eval()


@cache
def promoter() -> torch.Tensor:
    """16,384 real bases: (1, 4, 16384)."""
    [record] = read_fasta(shipped("gata4_promoter.fa"))
    return torch.from_numpy(one_hot(record.sequence)).float().T[None]
