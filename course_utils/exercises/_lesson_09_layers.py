"""Two layers of lesson 09's exercises: the gated linear unit and the normalised weight."""

import numpy as np

from course_utils.exercises import Exercise, Mistake

# --- glu: a gated linear unit --------------------------------------------------------------------


def _glu(h):
    import torch  # not above: importing an exercise loads none of it

    examples, channels, length = h.shape
    gated = torch.zeros(examples, channels // 2, length)
    for n in range(examples):
        for channel in range(channels // 2):
            for position in range(length):
                gate = 1 / (1 + torch.exp(-h[n, channels // 2 + channel, position]))
                gated[n, channel, position] = h[n, channel, position] * gate
    return gated


def _glu_cases(rng):
    import torch

    shapes = [(2, 2, 2), (2, 4, 2), (2, 6, 4), (4, 8, 6)]
    return [(torch.from_numpy(rng.normal(0, 2, shape).round(1)).float(),) for shape in shapes]


def _halves(combine, axis: int = 1):
    """Two halves along an axis, and what is made of them."""
    return lambda h: combine(*h.chunk(2, dim=axis))


glu = Exercise(
    oracle=_glu,
    cases=_glu_cases,
    mistakes=[
        Mistake(
            _halves(lambda first, second: first.sigmoid() * second),
            "the gate is the other half: the second half of the channels opens and closes the first.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.tanh()),
            "the gate is a tanh, which goes from -1 to 1 and so can turn a sign. A gate is between 0, closed, "
            "and 1, open.",
        ),
        Mistake(
            _halves(lambda first, second: first.tanh() * second.sigmoid()),
            "the first half went through a tanh: that is WaveNet's unit. In this one the first half stays as "
            "it is, linear.",
        ),
        Mistake(
            _halves(lambda first, second: first.sigmoid() * second.sigmoid()),
            "both halves went through the sigmoid; only the gate does, and the other half stays linear.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.relu()),
            "the gate is a ReLU, which has no upper end; a gate is between 0 and 1.",
        ),
        Mistake(
            _halves(lambda first, second: first * (-second).sigmoid()),
            "the gate is turned over, 1 / (1 + e^b): it closes where it should open. The sigmoid of b is "
            "1 / (1 + e^-b), with a minus.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.softmax(dim=1)),
            "the gate is a softmax over the channels, whose parts share a sum of 1. Each gate opens by itself, "
            "whatever the others do.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.softmax(dim=2)),
            "the gate is a softmax along the positions, whose parts share a sum of 1. A gate opens at each "
            "position by itself.",
        ),
        Mistake(
            _halves(lambda first, second: first * second),
            "the halves are multiplied as they are; what squeezes a number into 0 to 1?",
        ),
        Mistake(
            _halves(lambda first, second: first + second.sigmoid()),
            "the gate is added; closed must mean that nothing comes through, and 0 does that as a factor.",
        ),
        Mistake(
            _halves(lambda first, second: second.sigmoid()),
            "this is the gate alone; multiply the first half by it.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.sigmoid(), axis=2),
            "the positions are cut in half (the last axis). The channels stand in the middle, axis 1: that is "
            "where the layer made twice as many.",
        ),
        Mistake(
            _halves(lambda first, second: first * second.sigmoid(), axis=0),
            "the examples are cut in half (the first axis); the channels stand in the middle, axis 1.",
        ),
        Mistake(
            lambda h: h[:, 0::2] * h[:, 1::2].sigmoid(),
            "every other channel is taken for a gate; the gates are the second half, all in a row.",
        ),
        Mistake(
            lambda h: h * h.sigmoid(),
            "each channel is its own gate (that is SiLU), so twice as many come out as should.",
        ),
    ],
)

# --- weight_norm: a length and a direction -------------------------------------------------------


def _weight_norm(v, g):
    import torch

    outputs, inputs, kernel = v.shape
    weight = torch.zeros(outputs, inputs, kernel)
    for o in range(outputs):
        squares = 0.0
        for i in range(inputs):
            for k in range(kernel):
                squares += float(v[o, i, k]) ** 2
        for i in range(inputs):
            for k in range(kernel):
                weight[o, i, k] = float(g[o]) * float(v[o, i, k]) / squares**0.5
    return weight


def _norm_cases(rng):
    import torch

    # Equal sides first: there, shapes that fit by luck give numbers, and the numbers can be looked at.
    for shape in [(2, 2, 2), (3, 2, 4), (4, 5, 3), (6, 4, 7)]:
        v, g = rng.normal(0, 1, shape).round(1), rng.uniform(1.5, 4, shape[0]).round(1)
        v[np.abs(v) < 0.05] = 0.3
        yield torch.from_numpy(v).float(), torch.from_numpy(g).float()


def _over(*axes: int):
    """Divided by the norm over these axes, then multiplied by g."""
    return lambda v, g: v / v.norm(dim=axes, keepdim=True) * g[:, None, None]


def _lengths(v):
    return v.norm(dim=(1, 2), keepdim=True)


weight_norm = Exercise(
    oracle=_weight_norm,
    cases=_norm_cases,
    mistakes=[
        Mistake(
            lambda v, g: v / v.norm() * g[:, None, None],
            "everything is divided by one length, that of all filters together; each filter has its own.",
        ),
        Mistake(
            _over(0),
            "the length is taken across the filters (axis 0). One filter is v[o], with its inputs and "
            "positions: take the length over the other two axes.",
        ),
        Mistake(
            _over(2),
            "each input channel of a filter is brought to length g by itself (axis 2 alone); a filter is one "
            "long list of in x k numbers.",
        ),
        Mistake(
            _over(1),
            "each position of a filter is brought to length g by itself (axis 1 alone); a filter is one long "
            "list of in x k numbers.",
        ),
        Mistake(
            lambda v, g: v * g[:, None, None],
            "v is not divided by its length, so the filter's length is not g.",
        ),
        Mistake(
            lambda v, g: v / _lengths(v),
            "these filters have length 1; g is to be their length.",
        ),
        Mistake(
            lambda v, g: v / _lengths(v) ** 2 * g[:, None, None],
            "v is divided by the sum of the squares; a length is the square root of it.",
        ),
        Mistake(
            lambda v, g: v / _lengths(v) * g[:, None, None] ** 2,
            "g is squared here; the filter's length is to be g itself.",
        ),
        Mistake(
            lambda v, g: v / _lengths(v) / g[:, None, None],
            "g is divided by; it is the length that the filter gets.",
        ),
        Mistake(
            lambda v, g: v / v.abs().sum(dim=(1, 2), keepdim=True) * g[:, None, None],
            "v is divided by the sum of its absolute values; the length here is the root of the sum of squares.",
        ),
        Mistake(
            lambda v, g: v / (v**2).mean(dim=(1, 2), keepdim=True) ** 0.5 * g[:, None, None],
            "a mean of the squares is taken; a length is the root of their sum.",
        ),
        Mistake(
            lambda v, g: v / v.std(dim=(1, 2), keepdim=True) * g[:, None, None],
            "v is divided by its standard deviation, as batch normalisation does; a length is the root of the "
            "sum of squares, and no mean is subtracted.",
        ),
        Mistake(
            lambda v, g: v / _lengths(v) * g,
            "PyTorch lines shapes up from the right, so that g of shape (out,) meets the positions (and fits "
            "only by luck). Give it the shape (out, 1, 1).",
        ),
        Mistake(
            lambda v, g: v / v.norm(dim=(1, 2)) * g[:, None, None],
            "the lengths have the shape (out,), and so meet the positions of v (and fit only by luck). "
            "`keepdim=True` leaves them the shape (out, 1, 1), one for each filter.",
        ),
        Mistake(
            lambda v, g: v / v.norm(dim=(1, 2)) * g,
            "both the lengths and g have the shape (out,), and so meet the positions of v (and fit only by "
            "luck). Both need the shape (out, 1, 1).",
        ),
    ],
)
