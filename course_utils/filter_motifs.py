"""What the filters of a first convolution look for: the words at which they fire, counted into motifs.

A filter's weights are no PWM: they are not in bits, the next layer may turn their sign, and a constant added
to the four weights of a position, taken off again by the bias, changes nothing. What a filter *fires at* can
be counted. The rule is that of Alipanahi et al. (Nature Biotechnology 33, 831-838, 2015) and Kelley et al.
(Genome Research 26, 990-999, 2016): the words with an activation above half of the filter's highest, aligned,
are the sites of its motif.

Inputs are one-hot (N, 4, L), as the networks take them; four zeros are an N. Explained in lesson 07.
"""

import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from course_utils.checks import finite, said, whole
from course_utils.models import check_input, check_size
from course_utils.motifs import Motif, consensus, pfm_to_ppm


class Sites(NamedTuple):
    """Where a filter fires, at most once a sequence: four arrays of one length.

    Attributes:
        sequence: the number of the sequence.
        start: first base of the window, from 0, also on the minus strand.
        strand: ``"+"``, or ``"-"`` if the filter reads the reverse complement of the window.
        activation: after the ReLU, above 0.
    """

    sequence: np.ndarray
    start: np.ndarray
    strand: np.ndarray
    activation: np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class FilterMotif:
    """What one filter fires at.

    Attributes:
        number: of the filter, from 0.
        pfm: bases counted over its sites, ``(width, 4)``, as the filter reads them; zeros if it never fires.
        sites: where it fires.
        looked_at: how many sequences were looked at.
        highest: its highest activation in all of them; 0 if it never fires.
    """

    number: int
    pfm: np.ndarray
    sites: Sites
    looked_at: int
    highest: float

    def __len__(self) -> int:
        """How many sites it has."""
        return len(self.sites.start)

    def __repr__(self) -> str:
        if self.dead:
            return f"filter {self.number}: never fires"
        return (
            f"filter {self.number}: {consensus(self.pfm)}, {len(self):,} sites in {self.share:.1%} of the "
            f"sequences, mean activation {self.mean:.2f}"
        )

    @property
    def dead(self) -> bool:
        """Whether it never fires: its activation is 0 everywhere, and the network does without it."""
        return not len(self)

    @property
    def share(self) -> float:
        """In which share of the sequences it has a site."""
        return len(self) / self.looked_at

    @property
    def mean(self) -> float:
        """Mean activation of its sites; 0 if there are none."""
        return 0.0 if self.dead else float(self.sites.activation.mean())

    @property
    def motif(self) -> Motif:
        """The counts with a name, as :func:`course_utils.motifs.write_motifs` and pictures take them."""
        return Motif(f"filter_{self.number}", f"filter {self.number}", self.pfm)

    @property
    def ppm(self) -> np.ndarray:
        """Probabilities ``(width, 4)``, for a logo and :func:`course_utils.motif_matching.best_matches`.

        Raises:
            ValueError: for a filter that never fires, which has none.
        """
        if self.dead:
            raise ValueError(f"filter {self.number} never fires at these sequences, so it has no motif")
        return pfm_to_ppm(self.pfm)


def filter_pfms(
    conv: nn.Conv1d,
    inputs: torch.Tensor,
    *,
    both_strands: bool = True,
    share: float = 0.5,
    batch_size: int = 512,
) -> list[FilterMotif]:
    """Count the words at which each filter of a first convolution fires: a :class:`FilterMotif` for each.

    A filter fires in a sequence if its best window there has an activation, ReLU(weights * bases + bias),
    above `share` of its highest in all sequences; that window is its site. Windows that hang over the end of
    a sequence (padding makes such) or hold an N do not take part: their words are not whole. A filter whose
    best activation is 0 never fires; it is kept, with a PFM of zeros.

    The sequences decide as much as the filter. In peaks that nearly all hold one motif, some filters of
    random weights show it, too: count in sequences without it as well, and in a network not yet trained.

    Args:
        conv: the layer, of 4 channels; the convolution of a network (`model.conv`) whose next steps are a
            ReLU and a max-pool, in any order. Its padding is not used.
        inputs: sequences ``(N, 4, L)``, such as held-out positives.
        both_strands: whether the network reads the reverse complement, too. Say False for one that does not:
            its filters have never seen the other strand.
        share: from 0 up to, not including, 1.
        batch_size: sequences at a time.

    Raises:
        ValueError: for another layer, one with a stride or dilation, inputs that are not one-hot or no
            sequences at all, sequences shorter than a filter, or a share out of range (lesson 07).
    """
    width = _check_convolution(conv).kernel_size[0]
    _check_one_hot(inputs)
    if inputs.shape[2] < width:
        raise ValueError(f"the sequences have {inputs.shape[2]} bases; a filter needs {width}")
    least = finite(share)
    if least is None or not 0 <= least < 1:
        raise ValueError(f"the share is {said(share)}; from 0 up to, not including, 1 is expected")
    size = check_size("batch size", batch_size, 1)
    with torch.inference_mode():
        found = [_best_windows(conv, batch, both_strands) for batch in inputs.split(size)]
    activation, place = (torch.cat(parts).cpu().numpy() for parts in zip(*found))  # (N, F), (N, F)
    codes = inputs.argmax(dim=1).cpu().numpy()  # (N, L)
    windows = inputs.shape[2] - width + 1
    motifs = []
    for number in range(conv.out_channels):
        highest = max(0.0, float(activation[:, number].max()))
        firing = np.flatnonzero(activation[:, number] > least * highest)
        minus, start = np.divmod(place[firing, number], windows)
        words = codes[firing[:, None], start[:, None] + np.arange(width)]  # (sites, width)
        words = np.where(minus[:, None] == 1, 3 - words[:, ::-1], words)  # A 0 pairs with T 3, C 1 with G 2
        pfm = np.stack([(words == base).sum(axis=0) for base in range(4)], axis=1)  # (width, 4)
        sites = Sites(firing, start, np.array(["+", "-"])[minus], activation[firing, number])
        motifs.append(FilterMotif(number, pfm, sites, len(inputs), highest))
    return motifs


def without_filter(model: nn.Module, number: int) -> nn.Module:
    """A copy of a network with one filter of its first convolution, `conv`, silenced: weights and bias are 0.

    How much worse the copy does says how much the network needs the filter, given all the others; two filters
    that do the same work both look dispensable.

    Raises:
        ValueError: for a network without a convolution called `conv`, or a filter that it does not have (lesson
            07).
    """
    if not isinstance(getattr(model, "conv", None), nn.Conv1d):
        raise ValueError(f"a {type(model).__name__} has no convolution called conv, with filters to silence")
    index, filters = whole(number), model.conv.out_channels
    if index is None or not 0 <= index < filters:
        raise ValueError(f"there is no filter {said(number)}: they are numbered 0 to {filters - 1}")
    model = copy.deepcopy(model)
    with torch.no_grad():
        model.conv.weight[index] = 0
        if model.conv.bias is not None:
            model.conv.bias[index] = 0
    return model


def _best_windows(
    conv: nn.Conv1d, batch: torch.Tensor, both_strands: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """The highest activation of each filter in each sequence ``(B, F)``, and its window ``(B, F)``.

    Windows are numbered by their start on the plus strand, those of the minus strand behind those of the plus
    strand; of equally high ones the first counts.
    """
    batch = batch.to(conv.weight)  # (B, 4, L)
    width = conv.kernel_size[0]
    scores = [functional.conv1d(batch, conv.weight, conv.bias)]  # (B, F, windows)
    if both_strands:
        turned = functional.conv1d(batch.flip(1, 2), conv.weight, conv.bias)
        scores.append(turned.flip(2))  # numbered from the other end
    known = functional.avg_pool1d(batch.sum(dim=1, keepdim=True), width, stride=1)  # (B, 1, windows), a share
    unknown = known < 1 - 0.5 / width
    return torch.cat([one.relu().masked_fill(unknown, 0) for one in scores], dim=2).max(dim=2)


def _check_convolution(conv: nn.Conv1d) -> nn.Conv1d:
    if not isinstance(conv, nn.Conv1d):
        raise ValueError(f"a {type(conv).__name__} came; a network's convolution, an nn.Conv1d, is expected")
    if conv.in_channels != 4 or conv.groups != 1:
        raise ValueError(
            f"the convolution has {conv.in_channels} channels, in {conv.groups} groups; a first layer, which "
            "reads the 4 channels A, C, G, T together, is expected"
        )
    if conv.stride != (1,) or conv.dilation != (1,):
        raise ValueError(
            f"the convolution has stride {conv.stride[0]} and dilation {conv.dilation[0]}; 1 is expected of "
            "both, so that a filter reads neighbouring bases at every place"
        )
    return conv


def _check_one_hot(inputs: torch.Tensor) -> None:
    check_input(inputs)
    if not len(inputs):
        raise ValueError("there are no sequences: the input has the shape (0, 4, L)")
    proper = ((inputs == 0) | (inputs == 1)).all(dim=1) & (inputs.sum(dim=1) <= 1)  # (N, L)
    if not proper.all():
        sequence, position = (~proper).nonzero()[0].tolist()
        raise ValueError(
            f"position {position} of sequence {sequence} is {inputs[sequence, :, position].tolist()}; one 1 "
            "is expected (one-hot), or four zeros for an N"
        )
