"""What a trained network looks at (lesson 09 and on).

Inputs are one-hot (N, 4, L), as the networks take them.
"""

import copy
import operator

import numpy as np
import torch
from torch import nn

from course_utils.models import check_input


def seen_by(model: nn.Module, inputs: torch.Tensor, bin: int) -> np.ndarray:
    """Which positions of the input the outputs of one bin depend on, by their gradient.

    A position is seen if the gradient of ``model(inputs)[:, bin].sum()`` is not exactly zero there, for any of
    the sequences and channels. It is computed by a copy of the model, without dropout and in float64, where
    small gradients do not vanish by rounding; the model itself and its gradients stay as they are.

    Args:
        model: (N, 4, L) -> (N, bins, ...).
        inputs: (N, 4, L), floating point; random ones show more than zeros, which may close gates.
        bin: its number; from the end if it is negative.

    Returns:
        (L,) bool.

    Raises:
        ValueError: for an input that no network of the lessons takes, or a bin that is no whole number or that
            the output does not have (lesson 09).
    """
    check_input(inputs)
    try:
        if isinstance(bin, (bool, np.bool_)):  # an index to Python, but hardly meant as one
            raise TypeError
        bin = operator.index(bin)
    except TypeError:
        raise ValueError(f"the bin is {str(bin)[:40]}; a whole number is expected, the number of the bin") from None
    model = copy.deepcopy(model).double().eval()
    inputs = inputs.detach().double().requires_grad_()  # (N, 4, L)
    with torch.enable_grad():
        outputs = model(inputs)  # (N, bins, targets)
        bins = outputs.shape[1]
        if not -bins <= bin < bins:
            raise ValueError(f"there is no bin {bin}: the output's bins are numbered 0 to {bins - 1:,}")
        [gradient] = torch.autograd.grad(outputs[:, bin].sum(), inputs)  # (N, 4, L)
    return (gradient != 0).any(dim=(0, 1)).cpu().numpy()  # (L,)
