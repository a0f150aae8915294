"""The exercises of lesson 09: how far a network sees, how many layers that takes, what enters each block.

The two on layers, gates and normalised weights, are in `_lesson_09_layers.py`; the lesson finds all of them
here.
"""

from math import ceil, log, log2, prod

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_09_layers import glu, weight_norm

__all__ = ["receptive_field", "plain_layers", "glu", "weight_norm", "dense_channels"]

# --- receptive_field: how far one output sees ----------------------------------------------------


def _seen(layers: list[tuple[int, int, int]]) -> list[int]:
    """The input positions that reach output 0, found by walking back through the layers."""
    positions = {0}
    for kernel, stride, dilation in reversed(layers):
        positions = {p * stride + k * dilation for p in positions for k in range(kernel)}
    return sorted(positions)


def _receptive_field(layers: list[tuple[int, int, int]]) -> int:
    seen = _seen(layers)
    return seen[-1] - seen[0] + 1


def _field(start: int = 1, less: int = 1, dilated: bool = True, strides: str = "of the layers before"):
    """The formula; each argument that is not left as it is breaks it in one way."""

    def slip(layers: list[tuple[int, int, int]]) -> int:
        field, step = start, 1
        for kernel, stride, dilation in layers:
            if strides == "with its own":
                step *= stride
            if strides == "its own alone":
                step = stride
            field += (kernel - less) * (dilation if dilated else 1) * step
            if strides == "of the layers before":
                step *= stride
            if strides == "of the layer before":
                step = stride
        return field

    return slip


def _spans_added(steps: bool):
    """The span of each dilated kernel, (kernel - 1) * dilation + 1, added to the next."""

    def slip(layers: list[tuple[int, int, int]]) -> int:
        field, step = 0, 1
        for kernel, stride, dilation in layers:
            field += ((kernel - 1) * dilation + 1) * step
            step *= stride if steps else 1
        return field

    return slip


def _walked(layers: list[tuple[int, int, int]]) -> int:
    """Right from the output to the input, but for what `f` positions span that lie a stride apart."""
    field = 1
    for kernel, stride, dilation in layers:
        field = field * stride + (kernel - 1) * dilation
    return field


def _layers_cases(rng):
    def network(blocks, dilated):
        layers = [
            (int(rng.integers(2, 9)), int(rng.integers(2, 5)), int(rng.integers(1, 3))) for _ in range(blocks)
        ]
        return (layers + [(3, 1, int(rng.integers(2, 6))) for _ in range(dilated)],)

    lecture_network = [(21, 2, 1), *[(7, 4, 1)] * 3, *[(3, 1, 2**i) for i in range(7)]]
    return [
        ([(3, 1, 1), (3, 1, 1)],),
        ([(3, 1, 1), (3, 1, 2)],),
        ([(5, 3, 1), (3, 1, 1)],),
        ([(4, 2, 1), (3, 3, 1), (5, 1, 4)],),
        (lecture_network,),
        network(2, 1),
        network(2, 2),
        network(3, 2),
    ]


receptive_field = Exercise(
    oracle=_receptive_field,
    cases=_layers_cases,
    mistakes=[
        Mistake(
            _field(less=0),
            "whole kernels are added. Two neighbours' windows overlap: a kernel of 3 adds 2 positions to the "
            "one that is there.",
        ),
        Mistake(
            _field(start=0, less=0),
            "whole kernels are added, from 0. Begin with the 1 position of the output itself, and ask how many "
            "*more* a kernel reaches.",
        ),
        Mistake(
            _field(start=0),
            "one too few: with no layer at all, an output still sees 1 position.",
        ),
        Mistake(
            _field(dilated=False),
            "the dilation is left out: it is the distance between two taps of a kernel.",
        ),
        Mistake(
            _field(strides="none"),
            "the strides are left out: behind a layer of stride 4, neighbours lie 4 input positions apart.",
        ),
        Mistake(
            _field(dilated=False, strides="none"),
            "this is right for stride 1 and dilation 1 alone; both move the taps apart.",
        ),
        Mistake(
            _field(strides="with its own"),
            "each layer is multiplied by its own stride, too. That stride sets the distance between its "
            "*outputs*; its taps lie as far apart as the layers before it say.",
        ),
        Mistake(
            _field(strides="its own alone"),
            "each layer is multiplied by its own stride, which moves its outputs and not its taps, and the "
            "strides before it are forgotten.",
        ),
        Mistake(
            _field(strides="of the layer before"),
            "only the stride of the layer just before is counted; strides multiply up from the first layer on.",
        ),
        Mistake(
            lambda layers: _field()(layers[::-1]),
            "the layers are walked from the output to the input with the formula of the other way round: the "
            "strides that count for a layer are those nearer to the sequence.",
        ),
        Mistake(
            lambda layers: _walked(layers[::-1]),
            "walked from the output to the input, and only the multiplied part is wrong: `field` positions "
            "a stride apart do not span field * stride. How many gaps lie between them?",
        ),
        Mistake(
            _walked,
            "`field * stride` belongs to a walk from the output to the input, so the last layer comes first. "
            "(And `field` positions a stride apart have one gap less than positions.)",
        ),
        Mistake(
            _spans_added(steps=False),
            "the spans of the kernels are added, (kernel - 1) * dilation + 1 each: that counts a 1 for every "
            "layer. Only one output is there to begin with. And what do the strides do?",
        ),
        Mistake(
            _spans_added(steps=True),
            "the steps are right, but the span of each kernel, (kernel - 1) * dilation + 1, is added: the 1 "
            "stands for the output itself and counts once, not in each layer.",
        ),
        Mistake(
            lambda layers: len(_seen(layers)),
            "these are the positions that are looked at, without the gaps between them; from the first to the "
            "last is asked.",
        ),
        Mistake(
            lambda layers: prod(kernel for kernel, _, _ in layers),
            "the kernels are multiplied. A layer moves the ends on by a fixed distance, so its reach is added.",
        ),
        Mistake(
            lambda layers: prod(stride for _, stride, _ in layers),
            "this is the step from one output to the next, the product of the strides; how far one output sees "
            "is asked.",
        ),
    ],
)

# --- plain_layers: how many are needed -----------------------------------------------------------


def _layers_needed(positions: int, kernel: int, doubling: bool) -> int:
    layers, field, dilation = 0, 1, 1
    while field < positions:
        field += (kernel - 1) * dilation
        layers += 1
        if doubling:
            dilation *= 2
    return layers


def _needed(plain=None, doubled=None):
    """Right but for one of the two counts; each is computed from positions and kernel."""

    def slip(positions: int, kernel: int, doubling: bool) -> int:
        wrong = doubled if doubling else plain
        return wrong(positions, kernel) if wrong else _layers_needed(positions, kernel, doubling)

    return slip


def _up(value: float) -> int:
    return ceil(value - 1e-9)  # log2(8) may come out a little above 3


def _needed_cases(rng):
    cases = [(5, 3, False), (6, 3, False), (12, 4, False), (8, 2, True), (16, 3, True), (50, 5, True)]
    cases += [(255, 3, False), (255, 3, True), (32_785, 3, False), (32_785, 2, True)]
    for doubling in (False, True):
        for most in (100, 2_000, 100_000):
            cases.append((int(rng.integers(most // 2, most)), int(rng.integers(2, 8)), doubling))
    return cases


plain_layers = Exercise(
    oracle=_layers_needed,
    cases=_needed_cases,
    mistakes=[
        Mistake(
            _needed(
                plain=lambda d, k: ceil(d / k), doubled=lambda d, k: _up(log2(d))
            ),
            "these are the two formulas of the lecture, D/K and log2 D. A layer adds kernel - 1 positions "
            "and not kernel, and log2 D is for a kernel of 2.",
        ),
        Mistake(
            lambda d, k, doubling: _layers_needed(d + 1, k, doubling),
            "one too many wherever the last layer fits exactly, in both counts. Before the first layer, 1 "
            "position is seen already; and a field that is *as large as* `positions` is enough.",
        ),
        Mistake(
            lambda d, k, doubling: _layers_needed(2 * d + 1, k, doubling),
            "these layers reach so far to *one* side; `positions` counts the field from end to end.",
        ),
        Mistake(
            lambda d, k, doubling: _layers_needed(d, k, False),
            "the plain count is right, and doubled dilations get the same one: `doubling` is not used.",
        ),
        Mistake(
            lambda d, k, doubling: _layers_needed(d, k, True),
            "the doubled count is right, and plain layers get the same one: `doubling` is not used.",
        ),
        Mistake(
            _needed(plain=lambda d, k: ceil(d / k)),
            "the plain count is D/K, as in the lecture: it lets every layer add a whole kernel. How many "
            "positions does a second layer of 3 add to the 3 that the first one sees?",
        ),
        Mistake(
            _needed(plain=lambda d, k: d // k),
            "the plain count is D/K rounded down: a layer adds less than a whole kernel, and a last layer "
            "that is needed in part is needed.",
        ),
        Mistake(
            _needed(plain=lambda d, k: ceil(d / (k - 1))),
            "the plain count is one too many wherever the last layer fits exactly: before the first layer, 1 "
            "position is seen already. (And `// ... + 1` is not rounding up.)",
        ),
        Mistake(
            _needed(plain=lambda d, k: (d - 1) // (k - 1)),
            "the plain count is rounded down, and a last layer that is needed in part is needed: round up.",
        ),
        Mistake(
            _needed(plain=lambda d, k: (d - 1) / (k - 1)),
            "the plain count is a fraction; whole layers are asked, rounded up.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: _up(log2(d))),
            "the doubled count is log2 D, which is right for a kernel of 2 alone: a wider one needs fewer.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: _up(log(d) / log(k))),
            "the doubled count lets each dilation be `kernel` times the one before; here it is 2 times, "
            "whatever the kernel.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: max(1, _up(log2((d - 1) / (k - 1))))),
            "the doubled count is sometimes one too few: 1 + 2 + 4 + ... + 2^(n-1) is 2^n - 1.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: 1 + _layers_needed(d, k, True)),
            "the doubled count is one too many: the first layer has dilation 1, the second 2.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: _layers_needed(d + 1, k, True)),
            "the plain count is right; the doubled one is one too many where the last layer fits exactly: "
            "before the first layer, 1 position is seen already.",
        ),
        Mistake(
            _needed(doubled=lambda d, k: int(log2((d - 1) / (k - 1) + 1))),
            "the doubled count is one too few where the last layer is needed only in part: the count is "
            "rounded down, or the dilations begin with 2 instead of 1.",
        ),
    ],
)  # fmt: skip

# --- dense_channels: what enters each block ------------------------------------------------------


def _dense_channels(start: int, growth: int, blocks: int) -> list[int]:
    channels = [start]
    for _ in range(blocks):
        channels.append(channels[-1] + growth)
    return channels


def _dense_cases(rng):
    cases = [(8, 2, 3), (96, 24, 7), (32, 16, 5)]
    for _ in range(3):
        start, growth, blocks = (int(n) for n in rng.integers((20, 3, 3), (99, 19, 9)))
        cases.append((start, growth, blocks))
    return cases


dense_channels = Exercise(
    oracle=_dense_channels,
    cases=_dense_cases,
    mistakes=[
        Mistake(
            lambda s, g, n: [s] + [g] * n,
            "each block gets what the last one gave, and no more: nothing is concatenated. In a dense network "
            "everything made before comes along.",
        ),
        Mistake(
            lambda s, g, n: [s] + [g * i for i in range(1, n + 1)],
            "what the blocks made piles up, but the start is left behind after the first block; it comes "
            "along to the head, too.",
        ),
        Mistake(
            lambda s, g, n: [s] * (n + 1),
            "the channels stay as they are: that is so when a block's output is *added* (residual); here "
            "it is put beside.",
        ),
        Mistake(
            lambda s, g, n: [s * 2**i for i in range(n + 1)],
            "the channels double; a block adds as many as it makes, its growth.",
        ),
        Mistake(
            lambda s, g, n: [s + 2 * g * i for i in range(n + 1)],
            "each block adds twice its growth here. Its convolution makes that many, and the gate uses half of "
            "them up.",
        ),
        Mistake(
            lambda s, g, n: [s + g * i for i in range(n)],
            "the head is left out: after the last block it gets everything, too.",
        ),
        Mistake(
            lambda s, g, n: [s + g * i for i in range(1, n + 1)],
            "this is what leaves each block, joined to what came in; what enters is asked, so the first number "
            "is `start`.",
        ),
        Mistake(
            lambda s, g, n: [s + g * i for i in range(1, n + 2)],
            "all too large by one growth: the first block gets `start` alone.",
        ),
        Mistake(
            lambda s, g, n: [s + g * i for i in range(n + 2)],
            "one number too many: the blocks, and the head once.",
        ),
        Mistake(
            lambda s, g, n: s + g * n,
            "this is what enters the head; all of them are asked, in a list.",
        ),
        Mistake(
            lambda s, g, n: [s] + [s + g] * n,
            "each block gets the start and what the block just before gave; those before that are kept, too.",
        ),
    ],
)
