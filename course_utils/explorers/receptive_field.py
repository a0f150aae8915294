"""The receptive-field explorer of lesson 09: which inputs one output of a stack of convolutions depends on.

The dilation of each layer is `growth` times that of the layer below it: 1, 1, 1, ... for a plain stack,
1, 2, 4, ... for doubling. A position is a base, or a bin of 128 bases behind the four squeeze blocks of the
lesson's network (Basenji: Kelley et al., Genome Research 28, 739-750, 2018).

An even kernel has no middle. With the padding ``kernel // 2 * dilation`` in front, as everywhere in lesson
09, a kernel of 2 reads the position itself and the one `dilation` to the left (the tree of WaveNet: van den
Oord et al., arXiv:1609.03499, 2016).
"""

from dataclasses import dataclass
from functools import cached_property

import ipywidgets
import numpy as np

from course_utils.explorers import Explorer
from course_utils.explorers._receptive_field_picture import draw, name_growth
from course_utils.receptive_fields import LECTURE_SQUEEZE, Layer, receptive_field, step, tree

MOST_LAYERS = 7
KERNELS = (2, 3, 5, 7)
GROWTHS = (1, 2, 3, 4)
LENGTHS = (16, 32, 64, 128, 256, 320, 512, 1024)


@dataclass(frozen=True, eq=False)
class FieldView:
    """What one output of the stack depends on.

    Attributes:
        stack: the layers, from the input up.
        length: positions of the input, and of every layer.
        output: the chosen position of the last layer.
        squeeze: whether a position is a bin of 128 bases behind the squeeze blocks.
        levels: for the output first and the input last, which positions of that level reach the output,
            sorted; what falls off an end of the sequence is a zero of the padding and reaches nothing.
        ends: of the field, 0-based and half-open, as if the input had no ends: the start may be negative.
        base_ends: the same in bases.
        pattern: for each position of that field whether it is read, shape ``(field,)``.
        missed_bases: bases of the field that are never seen, as if the input had no ends. Neighbouring
            bins overlap (each sees 273 bases), so that a hole of one bin hides no base.
        plain_field, plain_bases: of as many layers with the same kernel and no dilation.
        plain_layers: how many such layers have the same field: a plain layer adds ``kernel - 1``,
            a dilated one `dilation` times as much.
        weights: of the stack, for each pair of an input and an output channel.
    """

    stack: tuple[Layer, ...]
    length: int
    output: int
    squeeze: bool
    levels: tuple[np.ndarray, ...]
    ends: tuple[int, int]
    base_ends: tuple[int, int]
    pattern: np.ndarray
    missed_bases: int
    plain_field: int
    plain_bases: int
    plain_layers: int
    weights: int

    @property
    def kernel(self) -> int:
        return self.stack[0].kernel

    @property
    def field(self) -> int:
        """The receptive field in positions, as if the input had no ends."""
        return len(self.pattern)

    @property
    def bases(self) -> int:
        """The receptive field in bases, as if the input had no ends."""
        return self.base_ends[1] - self.base_ends[0]

    @property
    def read(self) -> int:
        """Positions of the field that are read, as if the input had no ends."""
        return int(self.pattern.sum())

    @property
    def holes(self) -> int:
        """Positions of the field that are never read."""
        return self.field - self.read

    @property
    def inside(self) -> tuple[int, int]:
        """The part of `ends` that lies in the input."""
        return max(self.ends[0], 0), min(self.ends[1], self.length)

    @property
    def outside(self) -> int:
        """Positions of the field beyond the ends of the input."""
        return self.field - (self.inside[1] - self.inside[0])

    @property
    def base_span(self) -> tuple[int, int]:
        """From the first to the last base that the output sees, half-open."""
        step_ahead, before, field = _ahead(self.squeeze)
        first, last = (int(position) * step_ahead - before for position in self.levels[-1][[0, -1]])
        return max(first, 0), min(last + field, self.length * step_ahead)

    @property
    def bases_outside(self) -> int:
        """Bases of the field beyond the ends of the input."""
        first, last = self.base_ends
        return self.bases - (min(last, self.length * _ahead(self.squeeze)[0]) - max(first, 0))

    @cached_property
    def holes_inside(self) -> np.ndarray:
        """Positions of `inside` that are holes, sorted."""
        first, last = self.inside
        return first + np.flatnonzero(~self.pattern[first - self.ends[0] : last - self.ends[0]])

    @cached_property
    def cut_off(self) -> np.ndarray:
        """Positions of `inside` that are no holes and yet not read, sorted.

        Near an end of the input, a way through a position that does not exist ends there, even where
        the next layer would lead it back in.
        """
        known = np.concatenate([self.levels[-1], self.holes_inside])
        return np.setdiff1d(np.arange(*self.inside), known, assume_unique=True)


def compute(
    layers: int, kernel: int, growth: int, length: int, output: int, squeeze: bool
) -> FieldView:
    """Follow one output down to the input.

    Args:
        layers: of the stack, from 1 to 7.
        kernel: 2, 3, 5 or 7.
        growth: each dilation is this many times the one below; from 1 (no dilation) to 4.
        length: positions of the input, up to 1,024.
        output: from 0; beyond the last position, the last.
        squeeze: whether the squeeze blocks stand in front, so that a position is a bin of 128 bases.

    Raises:
        ValueError: for a number out of range; the message names it.
    """
    if not 1 <= layers <= MOST_LAYERS:
        raise ValueError(f"the number of layers is {layers}; from 1 to {MOST_LAYERS} are expected")
    for name, value, known in (
        ("the kernel", kernel, KERNELS),
        ("the growth of the dilation", growth, GROWTHS),
    ):
        if value not in known:
            choice = ", ".join(map(str, known))
            raise ValueError(f"{name} is {value}; one of {choice} is expected")
    if not 1 <= length <= LENGTHS[-1]:
        raise ValueError(
            f"the input has {length} positions; from 1 to {LENGTHS[-1]:,} are expected"
        )
    if output < 0:
        raise ValueError(f"the output position is {output}; a position from 0 up is expected")
    output = min(output, length - 1)  # while the slider follows the length
    stack = tuple(Layer(kernel, dilation=growth**number) for number in range(layers))
    plain = (Layer(kernel),) * layers
    pattern = _pattern(stack)
    ahead = LECTURE_SQUEEZE if squeeze else ()
    step_ahead, before, seen = _ahead(squeeze)
    start = output - sum(layer.kernel // 2 * layer.dilation for layer in stack)
    base_start = start * step_ahead - before
    gaps = np.diff(np.flatnonzero(pattern)) * step_ahead - seen
    return FieldView(
        stack=stack,
        length=length,
        output=output,
        squeeze=squeeze,
        levels=tuple(np.array(level) for level in tree(stack, output, length)),
        ends=(start, start + len(pattern)),
        base_ends=(base_start, base_start + receptive_field((*ahead, *stack))),
        pattern=pattern,
        missed_bases=int(np.maximum(gaps, 0).sum()),
        plain_field=receptive_field(plain),
        plain_bases=receptive_field((*ahead, *plain)),
        plain_layers=sum(layer.dilation for layer in stack),
        weights=layers * kernel,
    )


def _ahead(squeeze: bool) -> tuple[int, int, int]:
    """Bases from one position to the next; that it sees before its own first; and that it sees in all."""
    if not squeeze:
        return 1, 0, 1
    blocks = LECTURE_SQUEEZE
    before = sum(layer.kernel // 2 * step(blocks[:number]) for number, layer in enumerate(blocks))
    return step(blocks), before, receptive_field(blocks)


def _pattern(stack: tuple[Layer, ...]) -> np.ndarray:
    """Which positions of a field are read, without ends: a field of 32,767 is no place for sets and loops."""
    seen = np.ones(1, dtype=bool)
    for layer in reversed(stack):
        below = np.zeros(len(seen) + (layer.kernel - 1) * layer.dilation, dtype=bool)
        for tap in range(layer.kernel):
            below[tap * layer.dilation : tap * layer.dilation + len(seen)] |= seen
        seen = below
    return seen


def receptive_field_explorer() -> Explorer:
    """The explorer, starting with seven layers that double, on bases (lesson 09)."""
    looks = {
        "style": {"description_width": "190px"},
        "layout": ipywidgets.Layout(width="520px", max_width="100%"),
    }
    controls = {
        "layers": ipywidgets.IntSlider(
            MOST_LAYERS, min=1, max=MOST_LAYERS, description="layers", **looks
        ),
        "kernel": ipywidgets.SelectionSlider(
            options=[(str(kernel), kernel) for kernel in KERNELS],
            value=3, description="kernel (positions)", **looks,
        ),
        "growth": ipywidgets.SelectionSlider(
            options=[(name_growth(growth), growth) for growth in GROWTHS],
            value=2, description="dilation, layer by layer", **looks,
        ),
        "length": ipywidgets.SelectionSlider(
            options=[(f"{length:,}", length) for length in LENGTHS],
            value=320, description="length of the input", **looks,
        ),
        "output": ipywidgets.IntSlider(
            160, min=0, max=319, description="output position", **looks
        ),
        "squeeze": ipywidgets.Checkbox(
            False, description="squeeze blocks in front: a position is a bin of 128 bases",
            indent=False, layout=looks["layout"],
        ),
    }  # fmt: skip
    output = controls["output"]

    def keep_the_place(change):
        """Another length leaves the output where it is in the picture."""
        new = change["new"]
        value = min(output.value * new // change["old"], new - 1)
        with output.hold_sync():  # the picture goes out first, then both in one message
            output.max = max(output.max, new - 1)  # never below the value
            output.value = value
            output.max = new - 1

    controls["length"].observe(keep_the_place, names="value")
    return Explorer("receptive-field explorer", controls, compute, draw)
