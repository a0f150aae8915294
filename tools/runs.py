"""What the tools that train networks share: what a network reads, first steps, and how a file keeps numbers."""

from collections.abc import Callable

import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.losses import log_poisson
from course_utils.training import Loss
from course_utils.windows import Windows

DILATIONS = {"dilated": (1, 2, 4, 8, 16, 32, 64), "plain": (1,) * 7}
FIRST = 20  # steps whose losses are kept


def as_inputs(one_hot: np.ndarray) -> torch.Tensor:
    """What a network reads, ``(N, 4, L)``, from ``(N, L, 4)``."""
    return torch.from_numpy(one_hot).permute(0, 2, 1).float().contiguous()


def as_dataset(windows: Windows) -> TensorDataset:
    return TensorDataset(as_inputs(windows.one_hot), torch.from_numpy(windows.tracks))


def rounded(numbers, digits: int = 5) -> list[float]:
    """As the files keep them."""
    return [round(float(number), digits) for number in numbers]


def first_losses(train: Callable[[Loss], object], loss: Loss = log_poisson) -> list[float]:
    """The losses of the first steps, as the files keep them; `train` is broken off after these."""
    losses = []

    def counted(outputs, labels):
        if len(losses) == FIRST:
            raise _Enough
        found = loss(outputs, labels)
        losses.append(found.item())
        return found

    try:
        train(counted)
    except _Enough:
        pass
    return rounded(losses)


class _Enough(Exception):
    """The training may stop."""
