"""Small convolutional networks that tell sequences with a motif from those without (lesson 04).

Each filter of the first layer is a matrix of weights (4, width) that slides along the sequence: a scan with a
learned PWM (lesson 02). What follows decides whether the *place* of a match counts.

* `MotifCNN`: after the network of a Korean university lecture (2024), in PyTorch: 10,642 parameters.
* `TinyMotifCNN`: after a Korean magazine article, in Keras there: 312 parameters.
* `GlobalMaxCNN`: keeps the best match of each filter and forgets its place, as DeepBind does (Alipanahi et al.,
  Nature Biotechnology 33, 831-838, 2015).

Input (N, 4, L), channels A, C, G, T; output (N, 2): logits for "no motif" (class 0) and "motif" (class 1).
"""

import torch
from torch import nn

from course_utils.models import check_input, check_size


class MotifCNN(nn.Module):
    """16 filters of width 3, pooled in pairs, then two linear layers with nothing between them.

    Two linear layers in a row are one linear layer (an exercise of lesson 04 folds them): kept as in
    the lecture. A weight for every position and filter lets the network learn the place of the motif.

    Args:
        length: of the sequences, in bases. 20 gives the lecture's 10,642 parameters.
    """

    def __init__(self, length: int = 20):
        super().__init__()
        self.length = check_size("length", length, 2)
        self.conv = nn.Conv1d(4, 16, kernel_size=3, padding=1)
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(2)
        self.flatten = nn.Flatten()
        self.linear1 = nn.Linear(16 * (length // 2), 64)
        self.linear2 = nn.Linear(64, 2)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot, self.length)  # (N, 4, 20)
        x = self.relu(self.conv(one_hot))  # (N, 16, 20)   a score per filter and position
        x = self.pool(x)  # (N, 16, 10)   the better of two neighbours
        x = self.flatten(x)  # (N, 160)
        x = self.linear1(x)  # (N, 64)
        return self.linear2(x)  # (N, 2)


class TinyMotifCNN(nn.Module):
    """10 filters of width 5, pooled in fours, and one linear layer.

    Args:
        length: of the sequences, in bases. 20 gives the article's 312 parameters.
    """

    def __init__(self, length: int = 20):
        super().__init__()
        self.length = check_size("length", length, 4)
        self.conv = nn.Conv1d(4, 10, kernel_size=5, padding="same")
        self.relu = nn.ReLU()
        self.pool = nn.MaxPool1d(4)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(10 * (length // 4), 2)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot, self.length)  # (N, 4, 20)
        x = self.relu(self.conv(one_hot))  # (N, 10, 20)
        x = self.pool(x)  # (N, 10, 5)
        x = self.flatten(x)  # (N, 50)
        return self.linear(x)  # (N, 2)


class GlobalMaxCNN(nn.Module):
    """Filters, the best match of each anywhere in the sequence, and one linear layer.

    It takes sequences of any length and cannot learn a place: a match counts the same everywhere.

    Args:
        filters: how many.
        width: of each filter, in bases; odd, so that it can be centred on a base.
    """

    def __init__(self, filters: int = 16, width: int = 7):
        super().__init__()
        if check_size("width", width, 1) % 2 == 0:
            raise ValueError(f"the width is {width}; an odd number is expected")
        self.conv = nn.Conv1d(4, filters, kernel_size=width, padding=width // 2)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveMaxPool1d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(filters, 2)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot)  # (N, 4, L)
        x = self.relu(self.conv(one_hot))  # (N, 16, L)
        x = self.pool(x)  # (N, 16, 1)   the best match of each filter
        x = self.flatten(x)  # (N, 16)
        return self.linear(x)  # (N, 2)
