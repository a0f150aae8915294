"""A network for the peaks of a transcription factor that reads both strands alike (lesson 06).

A factor binds a double strand, and which of the two strands the file of a genome has written down is chance. So
each filter reads the sequence and its reverse complement, and keeps its best match on either: a scan with learned
PWMs (lesson 02), of which one linear layer makes a logit.

    Alipanahi et al., Nature Biotechnology 33, 831-838 (2015): filters, their best match, both strands (DeepBind)
    Shrikumar, Greenside and Kundaje, bioRxiv 103663 (2017): weights shared by the strands

Weights trained on CTCF peaks against dinucleotide shuffles travel with the package:
``load_weights(model, shipped("ctcf_network.pt"))`` puts them into ``BothStrandsCNN()``.
"""

import torch
from torch import nn

from course_utils.models import check_input, check_size


class BothStrandsCNN(nn.Module):
    """Filters, the best match of each anywhere on either strand, ReLU, and one linear layer: 4,705 parameters.

    It takes sequences (N, 4, L) of any length from `width` up, and gives logits (N,): log-odds of "bound". A
    sequence and its reverse complement get the same logit, and a match counts the same at every place.

    The ReLU comes after the max-pool, where fewer numbers are left: the best of ReLUs is the ReLU of the best.

    Args:
        filters: how many.
        width: of each filter, in bases.

    Raises:
        ValueError: for filters or a width that are no whole number from 1 up (lesson 06).
    """

    def __init__(self, filters: int = 48, width: int = 24):
        super().__init__()
        check_size("number of filters", filters, 1)
        check_size("width", width, 1)
        self.conv = nn.Conv1d(4, filters, kernel_size=width)
        self.pool = nn.AdaptiveMaxPool1d(1)
        self.flatten = nn.Flatten()
        self.relu = nn.ReLU()
        self.linear = nn.Linear(filters, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot)  # (N, 4, L)
        width = self.conv.kernel_size[0]
        if one_hot.shape[2] < width:
            raise ValueError(
                f"the sequences have {one_hot.shape[2]} bases; at least {width}, the width of a filter, are expected"
            )
        opposite = one_hot.flip(1, 2)  # the order of A, C, G, T turned round is that of their partners
        both = torch.stack((one_hot, opposite), dim=1)  # (N, 2, 4, L)
        x = self.conv(both.flatten(0, 1))  # (2N, 48, L - 23)
        x = x.unflatten(0, (-1, 2)).transpose(1, 2)  # (N, 48, 2, L - 23)   by filter, strand and place
        x = self.pool(x.flatten(2))  # (N, 48, 1)   the best of both strands
        x = self.relu(self.flatten(x))  # (N, 48)
        return self.linear(x).squeeze(1)  # (N,)
