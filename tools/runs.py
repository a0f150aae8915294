"""What the tools that train networks share: first steps; and those of lesson 10, what their networks read."""

from collections.abc import Callable

import torch
from torch.utils.data import TensorDataset

from course_utils.losses import log_poisson
from course_utils.training import Loss
from course_utils.windows import Windows

DILATIONS = {"dilated": (1, 2, 4, 8, 16, 32, 64), "plain": (1,) * 7}
FIRST = 20  # steps whose losses are kept


def as_inputs(windows: Windows) -> torch.Tensor:
    """What a network reads, ``(N, 4, L)``."""
    return torch.from_numpy(windows.one_hot).permute(0, 2, 1).float().contiguous()


def as_dataset(windows: Windows) -> TensorDataset:
    return TensorDataset(as_inputs(windows), torch.from_numpy(windows.tracks))


def rounded(numbers) -> list[float]:
    """As the files keep them."""
    return [round(float(number), 5) for number in numbers]


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
