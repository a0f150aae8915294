"""More examples from the same windows: sequences moved by a few bases, and read from the other strand.

inputs are one-hot sequences ``(N, 4, L)``, channels A, C, G, T; tracks ``(N, bins, T)``. Explained in
lesson 10.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from course_utils.checks import partners, said, whole, whole_numbers


def shift(inputs: torch.Tensor, by: int | torch.Tensor) -> torch.Tensor:
    """Move sequences ``(N, 4, L)`` along their axis; zeros, the code of an unknown base, come in.

    Nothing wraps around: what leaves at one end is lost. Tracks stay as they are, since a move by much
    less than a bin hardly changes what a bin holds.

    Args:
        by: bases, to the right if above 0: ``shift(inputs, 2)[..., i + 2]`` is ``inputs[..., i]``. One
            whole number for all, or ``(N,)`` of them.

    Raises:
        ValueError: for inputs of another shape, for no whole numbers, or a move that leaves no base.

    Explained in lesson 10.
    """
    _check_inputs(inputs)
    many, _, length = inputs.shape
    moves = whole_numbers(by) if whole(by) is None else (whole(by),) * many
    if moves is None or len(moves) != many:
        raise ValueError(f"by is {said(by)}; a whole number is expected, or {many} of them")
    if any(abs(move) >= length for move in moves):
        raise ValueError(f"by is {max(moves, key=abs)}, and the sequences have {length} bases: none would be left")
    moved = torch.zeros_like(inputs)
    for one, move, source in zip(moved, moves, inputs):
        one[:, max(move, 0) : length + min(move, 0)] = source[:, max(-move, 0) : length - max(move, 0)]
    return moved


def reverse_complement(
    inputs: torch.Tensor, tracks: torch.Tensor, swap: Sequence[int] | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same windows, read along the other strand: sequences ``(N, 4, L)`` and tracks ``(N, bins, T)``.

    Bases are complemented and their order is reversed, and with it that of the bins. A track of one strand
    becomes that of the other, its partner; twice gives back what came.

    In the data, bin i becomes bin ``bins - 1 - i`` exactly, because the bins divide the window into equal
    parts. In the network it is not exact: with its padding, the output of bin i is centred on base 128 i,
    the first of the bin. In the turned window the output for the same bin is centred on the base that was
    its last, 127 bases away.

    Args:
        swap: for each track the index of its partner on the other strand, its own for a track without
            strands. None: no track has a partner.

    Raises:
        ValueError: for inputs or tracks of another shape, or a swap that is not of T partners, each the
            partner of its partner (lesson 10).
    """
    _check_inputs(inputs)
    if tracks.dim() != 3 or len(tracks) != len(inputs):
        raise ValueError(
            f"the tracks have the shape {tuple(tracks.shape)}; ({len(inputs)}, bins, T) is expected, for "
            f"{len(inputs)} sequences"
        )
    turned = tracks.flip(1)
    if swap is not None:
        order = torch.tensor(partners(swap, tracks.shape[2]), device=tracks.device)
        turned = turned[..., order]
    return inputs.flip(1, 2), turned  # A, C, G, T backwards is T, G, C, A: each base's complement


@dataclass(frozen=True)
class Augmentation:
    """Chance changes for each example of a batch on its own; the `augment` of :func:`course_utils.training.fit`.

    Attributes:
        max_shift: each sequence is moved by -max_shift to max_shift bases, all equally likely (see `shift`).
        flip: whether each window is turned with probability 1/2 (see `reverse_complement`), after the move.
        swap: for each track the index of its partner on the other strand, as `reverse_complement` takes it.

    Raises:
        ValueError: for a max_shift that is no whole number from 0 up, or a swap that does not fit.

    Explained in lesson 10.
    """

    max_shift: int = 0
    flip: bool = False
    swap: Sequence[int] | None = None

    def __post_init__(self):
        if whole(self.max_shift) is None or whole(self.max_shift) < 0:
            raise ValueError(f"max_shift is {self.max_shift!r}; a whole number from 0 up is expected")
        object.__setattr__(self, "max_shift", whole(self.max_shift))
        if self.swap is not None:
            tracks = len(whole_numbers(self.swap) or ()) or 1  # how many there will be, nothing says yet
            object.__setattr__(self, "swap", partners(self.swap, tracks))

    def __call__(
        self, inputs: torch.Tensor, tracks: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """New inputs and tracks of the same shapes; all chance comes from `generator`."""
        many = len(inputs)
        if self.max_shift:
            moves = torch.randint(-self.max_shift, self.max_shift + 1, (many,), generator=generator)
            inputs = shift(inputs, moves)
        if self.flip:
            turn = torch.randint(2, (many,), generator=generator).bool().nonzero().flatten()
            turned = reverse_complement(inputs[turn], tracks[turn], self.swap)
            inputs, tracks = inputs.clone(), tracks.clone()
            inputs[turn], tracks[turn] = turned
        return inputs, tracks


def _check_inputs(inputs: torch.Tensor) -> None:
    shape = tuple(inputs.shape)
    if len(shape) != 3 or shape[1] != 4:
        last = ": permute(0, 2, 1) moves the bases" if len(shape) == 3 and shape[2] == 4 else ""
        raise ValueError(f"the inputs have the shape {shape}; (N, 4, L) is expected{last}")
