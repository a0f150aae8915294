"""The exercises of lesson 04: layers in this file, training and filters in `_lesson_04_training.py`, a
whole network in `_lesson_04_ceiling.py`.

They are three files for their length alone: the lesson finds all of them here.
"""

from math import ceil

import numpy as np

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_04_ceiling import at_the_ceiling
from course_utils.exercises._lesson_04_training import early_stopping, filter_to_pfm, one_epoch

__all__ = [
    "conv_length",
    "count_parameters",
    "fold",
    "one_epoch",
    "at_the_ceiling",
    "early_stopping",
    "filter_to_pfm",
]

# --- conv_length: how many places a window has ---------------------------------------------------


def _output_length(length: int, kernel: int, padding: int, stride: int) -> int:
    places, start = 0, -padding
    while start + kernel <= length + padding:  # the window still lies on sequence or padding
        places += 1
        start += stride
    return places


def _length_cases(rng):
    cases = [(20, 3, 1, 1), (20, 5, 0, 1), (20, 4, 0, 3), (9, 4, 2, 2), (20, 8, 3, 5)]
    for _ in range(6):
        kernel = int(rng.integers(3, 12))
        padding, stride = int(rng.integers(0, kernel // 2 + 1)), int(rng.integers(1, 6))
        cases.append((int(rng.integers(20, 200)), kernel, padding, stride))
    return cases


conv_length = Exercise(
    oracle=_output_length,
    cases=_length_cases,
    mistakes=[
        Mistake(
            lambda n, k, p, s: (n - k) // s + 1,
            "the padding is left out, and it makes the sequence longer.",
        ),
        Mistake(
            lambda n, k, p, s: (n + p - k) // s + 1,
            "padding stands at both ends, and one end was counted.",
        ),
        Mistake(
            lambda n, k, p, s: (n + 2 * p - k) // s,
            "one too few: this counts the steps from the first window to the last, and the first one is "
            "a place, too.",
        ),
        Mistake(
            lambda n, k, p, s: (n + 2 * p - (k - 1)) // s + 1,
            "one too many wherever the last window reaches over the end: a window of k takes up k, not "
            "k - 1.",
        ),
        Mistake(
            lambda n, k, p, s: (n + 2 * p - k + 1) // s,
            "right for stride 1; with a larger one the 1 for the first window is added after the division.",
        ),
        Mistake(
            lambda n, k, p, s: (n + 2 * p - k) / s + 1,
            "a length is a whole number, and this is a fraction where the last step does not fit; `//` "
            "rounds down.",
        ),
        Mistake(
            lambda n, k, p, s: ceil((n + 2 * p - k) / s) + 1,
            "a last step that does not fit whole was counted; round down.",
        ),
        Mistake(
            lambda n, k, p, s: round((n + 2 * p - k) / s) + 1,
            "to the nearest whole number is sometimes one up; a step that does not fit is dropped always.",
        ),
        Mistake(
            lambda n, k, p, s: n + 2 * p - k + 1,
            "the stride is left out: the window moves on by that many bases at a time.",
        ),
        Mistake(
            lambda n, k, p, s: n // s,
            "the window itself takes up room: only with the right padding is the length kept.",
        ),
    ],
)


# --- count_parameters: weights and biases by hand ------------------------------------------------


def _count_parameters(layers: list[tuple]) -> int:
    total = 0
    for kind, inputs, outputs, *kernel in layers:
        for _ in range(outputs):
            total += inputs * kernel[0] if kind == "conv" else inputs
            total += 1  # the bias
    return total


def _parameters_with(biases, kernel_counts: bool = True):
    """A count whose biases are ``biases(inputs, outputs, kernel)`` for each layer."""

    def slip(layers: list[tuple]) -> int:
        total = 0
        for _, inputs, outputs, *kernel in layers:
            width = kernel[0] if kernel else 1
            total += inputs * outputs * (width if kernel_counts else 1)
            total += biases(inputs, outputs, width)
        return total

    return slip


def _layers_cases(rng):
    def network():
        channels, filters, classes = (int(number) for number in rng.integers((4, 5, 2), (9, 40, 9)))
        width, hidden = int(rng.integers(3, 12)), int(rng.integers(10, 90))
        layers = [("conv", channels, filters, width), ("linear", filters * 5, hidden)]
        return (layers + [("linear", hidden, classes)],)

    return [
        ([("linear", 3, 2)],),
        ([("conv", 4, 16, 3)],),
        ([("conv", 4, 16, 3), ("linear", 160, 64), ("linear", 64, 2)],),
        ([("conv", 4, 10, 5), ("linear", 50, 2)],),
        network(),
        network(),
    ]


count_parameters = Exercise(
    oracle=_count_parameters,
    cases=_layers_cases,
    mistakes=[
        Mistake(
            _parameters_with(lambda i, o, k: 0),
            "these are the weights alone; each filter and each output has a bias beside.",
        ),
        Mistake(
            _parameters_with(lambda i, o, k: i * o * k),
            "this has a bias for every weight; all weights of one output share one.",
        ),
        Mistake(
            _parameters_with(lambda i, o, k: 1),
            "this has one bias for a whole layer; every output of it has its own.",
        ),
        Mistake(
            _parameters_with(lambda i, o, k: i),
            "the biases are as many as the inputs here; a bias is added to an output.",
        ),
        Mistake(
            _parameters_with(lambda i, o, k: o * k),
            "a filter has one bias in all, not one for each position of its width.",
        ),
        Mistake(
            _parameters_with(lambda i, o, k: o, kernel_counts=False),
            "the kernel is left out: a filter has a weight for each input channel at each of its positions.",
        ),
        Mistake(
            lambda layers: _count_parameters(layers[-1:]),
            "this is the last layer alone; add the layers up.",
        ),
        Mistake(
            lambda layers: [_count_parameters([layer]) for layer in layers],
            "these are the layers one by one; one number for the whole network is asked.",
        ),
    ],
)


# --- fold: two linear layers are one -------------------------------------------------------------


def _fold(weight1, bias1, weight2, bias2) -> tuple[np.ndarray, np.ndarray]:
    outputs, hidden = weight2.shape
    inputs = weight1.shape[1]
    weight, bias = np.zeros((outputs, inputs)), np.zeros(outputs)
    for row in range(outputs):
        bias[row] = bias2[row]
        for middle in range(hidden):
            bias[row] += weight2[row, middle] * bias1[middle]
            for column in range(inputs):
                weight[row, column] += weight2[row, middle] * weight1[middle, column]
    return weight, bias


def _fold_cases(rng):
    def layers(inputs, hidden, outputs):
        shapes = (hidden, inputs), hidden, (outputs, hidden), outputs
        return tuple(rng.integers(-3, 4, shape) + 0.5 for shape in shapes)

    return [layers(2, 2, 2), layers(3, 3, 2), layers(4, 2, 2), layers(5, 3, 1), layers(6, 4, 2)]


fold = Exercise(
    oracle=_fold,
    cases=_fold_cases,
    mistakes=[
        Mistake(
            lambda w1, b1, w2, b2: (w1 @ w2, w2 @ b1 + b2),
            "the matrices stand in the other order: the layer that works first stands next to x, on the "
            "right of the product W2 W1 x.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: ((w2 @ w1).T, w2 @ b1 + b2),
            "the weight is transposed: PyTorch keeps a row for each output, (out, in).",
        ),
        Mistake(
            lambda w1, b1, w2, b2: (w2 @ w1, b2),
            "the first bias is lost: it goes through the second layer like everything that the first one "
            "gives.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: (w2 @ w1, w2 @ b1),
            "the second bias is lost.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: (w2 @ w1, b1 + b2),
            "the first bias is added as it is (and has another length in most networks): the second "
            "layer's weights come between.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: (w2 * w1, w2 @ b1 + b2),
            "`*` multiplies element by element; the product of matrices is `@`.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: (w2 @ b1 + b2, w2 @ w1),
            "weight and bias came in the other order: return the weight first.",
        ),
        Mistake(
            lambda w1, b1, w2, b2: w2 @ w1,
            "this is the weight alone; return the pair of weight and bias.",
        ),
    ],
)
