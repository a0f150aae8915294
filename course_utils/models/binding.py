"""Networks for the primer's planted word: those of the report, and a small one that does better (lesson 06).

* `ReportCNN`: the network of a Taiwanese student report, in Keras there, and the five changes that turn it into the
  report's second one, each to be had alone. 6,209 parameters without any, 128,050 with all.
* `MotifDetector`: eight filters, the best match of each, one linear layer. 401 parameters.

Input (N, 4, L), channels A, C, G, T; output (N,): the logit of "has the word" (class 1), before the sigmoid. With two
outputs (N, 2): the logits of class 0 and class 1, before the softmax.

    Zou et al., A primer on deep learning in genomics, Nature Genetics 51, 12-18 (2019): the data
    Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS (2010)
    Alipanahi et al., Nature Biotechnology 33, 831-838 (2015): the best match of each filter
"""

import torch
from torch import nn

from course_utils.checks import finite, whole
from course_utils.models import check_input, check_size

LENGTH = 50  # of the primer's sequences, in bases
FILTERS, WIDTH = 32, 12
DEEP = (256, 128, 64, 32, 16, 16, 8, 8, 4, 4)  # units of the second network's layers before the output
DROPPED = 4  # that many of them are followed by dropout


class ReportCNN(nn.Module):
    """32 filters of width 12, pooled in fours, a layer of 16 and one output: 6,209 parameters.

    No ReLU follows the convolution, as in the report: the first that is not linear is the max-pool.

    The first weights are Keras's: Glorot's uniform ones, between +- sqrt(6 / (inputs + outputs)), and zero biases.

    Args:
        padded: whether zeros around the sequence let the filters reach over its ends, so that there are 50 scores
            of each filter in place of 39. An even width cannot be centred: 5 zeros before, 6 behind.
        pool: how many neighbouring scores the max-pool looks at; what is left over at the end is lost.
        outputs: 1, for a sigmoid, or 2, for a softmax.
        deep: ten layers of 256, 128, 64, 32, 16, 16, 8, 8, 4 and 4 units in place of the one of 16.
        dropout: share of the units that are silenced in training, behind each of the first four layers (of one,
            if it is the only one).

    Raises:
        ValueError: for a pool that leaves no score or is no whole number, another number of outputs, or a
            dropout that is no share (lesson 06).
    """

    def __init__(
        self, *, padded: bool = False, pool: int = 4, outputs: int = 1, deep: bool = False, dropout: float = 0.0
    ):
        super().__init__()
        scores = LENGTH if padded else LENGTH - WIDTH + 1
        if check_size("pool", pool, 1) > scores:
            raise ValueError(f"the pool is {pool}; {scores} at most is expected, the scores of a filter")
        if whole(outputs) not in (1, 2):
            raise ValueError(f"outputs is {outputs!r}; 1 (a sigmoid) or 2 (a softmax) is expected")
        _check_dropout(dropout)
        before = (WIDTH - 1) // 2
        self.pad = nn.ConstantPad1d((before, WIDTH - 1 - before) if padded else (0, 0), 0.0)
        self.conv = nn.Conv1d(4, FILTERS, kernel_size=WIDTH)
        self.pool = nn.MaxPool1d(pool)
        self.flatten = nn.Flatten()
        layers, width = [], FILTERS * (scores // pool)
        for number, units in enumerate(DEEP if deep else (16,)):
            layers += [nn.Linear(width, units), nn.ReLU()]
            if dropout and number < DROPPED:
                layers.append(nn.Dropout(dropout))
            width = units
        self.dense = nn.Sequential(*layers)
        self.output = nn.Linear(width, outputs)
        for layer in self.modules():
            if isinstance(layer, (nn.Conv1d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot, LENGTH)  # (N, 4, 50)
        x = self.conv(self.pad(one_hot))  # (N, 32, 39)   a score per filter and position
        x = self.pool(x)  # (N, 32, 9)   the best of four neighbours
        x = self.flatten(x)  # (N, 288)
        x = self.dense(x)  # (N, 16)
        logits = self.output(x)  # (N, 1) or (N, 2)
        return logits.squeeze(1) if logits.shape[1] == 1 else logits


class MotifDetector(nn.Module):
    """Filters, ReLU, the best match of each anywhere in the sequence, and one linear layer: 401 parameters.

    It takes sequences of any length and cannot learn a place: a match counts the same everywhere. A filter often
    learns the word a few letters off its middle; eleven zeros on each side let it find a word at the ends, too.
    (Without them, 17 of 80 such networks had an AUC of 0.9999 or less: `tools/primer_runs.py`.)

    Args:
        filters: how many.
        width: of each filter, in bases.

    Raises:
        ValueError: for filters or a width that are no whole number from 1 up (lesson 06).
    """

    def __init__(self, filters: int = 8, width: int = 12):
        super().__init__()
        self.pad = nn.ConstantPad1d(check_size("width", width, 1) - 1, 0.0)
        self.conv = nn.Conv1d(4, check_size("number of filters", filters, 1), kernel_size=width)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveMaxPool1d(1)
        self.flatten = nn.Flatten()
        self.linear = nn.Linear(filters, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot)  # (N, 4, L)
        x = self.relu(self.conv(self.pad(one_hot)))  # (N, 8, L + 11)   a score per filter and position
        x = self.pool(x)  # (N, 8, 1)   the best match of each filter
        x = self.flatten(x)  # (N, 8)
        return self.linear(x).squeeze(1)  # (N,)


def _check_dropout(dropout) -> None:
    share = finite(dropout)
    if share is None or not 0 <= share < 1:
        raise ValueError(f"the dropout is {dropout!r}; a share from 0 up to, not including, 1 is expected")
