"""Numbers of Python, NumPy and PyTorch are taken alike; truth values, text, NaN and infinity are no numbers."""

import numpy as np
import pytest
import torch

from course_utils.checks import finite, whole


@pytest.mark.parametrize("value", [2, np.int64(2), np.uint8(2), np.array(2), torch.tensor(2)])
def test_a_whole_number_is_both(value):
    assert whole(value) == finite(value) == 2


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), np.array(0.5), torch.tensor(0.5, requires_grad=True)])
def test_a_fraction_is_finite_and_not_whole(value):
    assert finite(value) == 0.5 and whole(value) is None


@pytest.mark.parametrize(
    "value", [True, np.True_, torch.tensor(True), "1", None, 1j, np.complex64(1), [1], np.ones(1), np.nan, -np.inf]
)
def test_what_is_no_number_is_neither(value):
    assert finite(value) is None and whole(value) is None
