"""The exercises of lesson 08: equal budgets, neighbours in a graph, shuffled positions, a linear bottleneck.

Those on matrices, of a graph and of expression, are in `_lesson_08_matrices.py`; the lesson finds all of them
here.
"""

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._lesson_08_matrices import linear_autoencoder, normalised_adjacency

__all__ = ["equal_budget", "normalised_adjacency", "which_survives", "linear_autoencoder"]

# --- equal_budget: the largest network that a number of parameters allows ------------------------


class _ByFamily(Exercise):
    """Looks for the slip in the first family that is wrong alone, so that two slips do not hide each other."""

    def _hint(self, cases, expected, given) -> str:
        families = [family for family, *_ in cases]
        wrong = [not want.same_as(came) for want, came in zip(expected, given)]
        chosen = [i for i, family in enumerate(families) if family == families[wrong.index(True)]]
        return super()._hint(*([values[i] for i in chosen] for values in (cases, expected, given)))


def _count(family: str, size: int, length: int, width: int) -> int:
    """Weights and biases, counted one layer after the other."""
    total = 0
    for _ in range(size):
        if family == "DNN":
            total += 4 * length + 1
        if family == "CNN":
            total += 4 * width + 1
        if family == "GRU":
            for _ in ("reset", "update", "new"):
                total += 4 + size  # from the letter and from the state
                total += 1 + 1  # torch has a bias for each of the two
    return total + size + 1  # the last layer


def _largest(count, budget: int) -> tuple[int, int]:
    size = 1
    while count(size + 1) <= budget:
        size += 1
    return size, count(size)


def _equal_budget(family: str, budget: int, length: int, width: int) -> tuple[int, int]:
    return _largest(lambda size: _count(family, size, length, width), budget)


def _miscounted(families, miscount):
    """Right but for the count of these families: `miscount` gets the right one, and size, length and width."""

    def slip(family: str, budget: int, length: int, width: int) -> tuple[int, int]:
        def count(size):
            right = _count(family, size, length, width)
            return miscount(right, size, length, width) if family in families else right

        return _largest(count, budget)

    return slip


def _searched(choose):
    """Counted right; `choose` gets the count as a function of the size, the right size and the budget."""

    def slip(family: str, budget: int, length: int, width: int):
        def count(size):
            return _count(family, size, length, width)

        return choose(count, _largest(count, budget)[0], budget)

    return slip


def _sized(choose):
    """As :func:`_searched`, where the size alone is wrong."""

    def answer(count, size, budget):
        chosen = choose(count, size, budget)
        return chosen, count(chosen)

    return _searched(answer)


def _gru(gates: int = 3, inputs: int = 4, states: bool = True, biases: int = 2):
    """A miscount of the GRU."""
    return _miscounted(
        ["GRU"],
        lambda right, size, length, width: (
            gates * size * (inputs + (size if states else 0) + biases) + size + 1
        ),
    )


def _budget_cases(rng):
    """Of each family a few, some of which fit to the last parameter, or by one do not."""
    cases = []
    for family, length, width, sizes in (
        ("DNN", 3, 2, (2, 3)),
        ("DNN", 40, 9, (5, 12)),
        ("CNN", 12, 3, (2, 4)),
        ("CNN", 50, 8, (6, 30)),
        ("GRU", 10, 3, (2, 3)),
        ("GRU", 60, 11, (7, 16)),
    ):
        for size in sizes:
            exact = _count(family, size, length, width)
            following = _count(family, size + 1, length, width)
            cases.append((family, exact, length, width))
            cases.append((family, following - 1, length, width))
            cases.append((family, int(rng.integers(exact, following)), length, width))
    return cases


equal_budget = _ByFamily(
    oracle=_equal_budget,
    cases=_budget_cases,
    mistakes=[
        Mistake(
            _sized(lambda count, size, budget: size + 1),
            "this network has more parameters than the budget. The largest one that stays within it is asked, "
            "one size less.",
        ),
        Mistake(
            _sized(lambda count, size, budget: size - (size > 1 and count(size) == budget)),
            "a network that uses the budget up to the last parameter is within it: `<=`, not `<`.",
        ),
        Mistake(
            _sized(lambda count, size, budget: min((size, size + 1), key=lambda n: abs(count(n) - budget))),
            "this is the nearest size, which is sometimes above the budget. The largest one within it is asked.",
        ),
        Mistake(
            _searched(lambda count, size, budget: (size, budget)),
            "the sizes are right. The second number should be how many parameters this network has, not the "
            "budget.",
        ),
        Mistake(
            _searched(lambda count, size, budget: (count(size), size)),
            "both numbers are right, in the other order: the size comes first.",
        ),
        Mistake(
            _searched(lambda count, size, budget: size),
            "the size is right, and it came alone: return the parameters of this network beside it.",
        ),
        Mistake(
            _miscounted(["DNN", "CNN", "GRU"], lambda right, size, length, width: right - size - 1),
            "`size + 1` are missing. As many are in the last layer, a weight for each of the `size` numbers and "
            "a bias; and in a network without recurrence there are as many biases. Which did you leave out?",
        ),
        Mistake(
            _miscounted(["DNN", "CNN", "GRU"], lambda right, size, length, width: right - 1),
            "one short: the last layer has a bias, too.",
        ),
        Mistake(
            _miscounted(["DNN", "CNN", "GRU"], lambda right, size, length, width: right + size + 1),
            "the last layer is counted with two outputs. Here it has one, the logit.",
        ),
        Mistake(
            _miscounted(["DNN", "CNN"], lambda right, size, length, width: right - size),
            "the first layer has a bias for each hidden unit or filter, too.",
        ),
        Mistake(
            _miscounted(["DNN"], lambda right, size, length, width: right - 3 * length * size),
            "the fully connected network has an input for each position and each of the four letters: it reads "
            "4 * length numbers.",
        ),
        Mistake(
            _miscounted(["CNN"], lambda right, size, length, width: right - 3 * width * size),
            "a filter has a weight for each of its positions and each of the four letters: 4 * width of them.",
        ),
        Mistake(
            _miscounted(["CNN"], lambda right, size, length, width: (4 * length + 1) * size + size + 1),
            "the convolution is counted like a fully connected layer. A filter sees `width` positions, not the "
            "whole sequence.",
        ),
        Mistake(
            _miscounted(["CNN"], lambda right, size, length, width: right + size * (length - width)),
            "the last layer of the CNN gets a number for each place of each filter. The global maximum leaves "
            "one for each filter.",
        ),
        Mistake(
            _miscounted(["CNN"], lambda right, size, length, width: right + size * (length - 1)),
            "the last layer of the CNN gets as many numbers as there are positions and filters. The global "
            "maximum leaves one for each filter, whatever the length.",
        ),
        Mistake(
            _miscounted(
                ["CNN"],
                lambda right, size, length, width: (4 * width + 1) * size * (length - width + 1) + size + 1,
            ),
            "the filters are counted at every place. They are shared: the same weights slide along "
            "the sequence.",
        ),
        Mistake(
            _gru(biases=1),
            "torch gives each gate of the GRU two bias vectors, one beside the letter's weights and one beside "
            "the state's (`bias_ih_l0` and `bias_hh_l0`).",
        ),
        Mistake(
            _gru(biases=0),
            "the GRU has biases, too: in torch two for each gate and each number of the state.",
        ),
        Mistake(
            _gru(gates=4),
            "four sets of weights are those of an LSTM. A GRU has three: reset, update, and the new state.",
        ),
        Mistake(
            _gru(gates=2),
            "a GRU has two gates in the narrow sense, and the weights that make the new state beside them: three "
            "sets.",
        ),
        Mistake(
            _gru(gates=1),
            "one set of weights is a plain recurrent network. A GRU has three: reset, update, and the new state.",
        ),
        Mistake(
            _gru(gates=1, biases=1),
            "one set of weights and one bias: a plain recurrent network from a textbook. A GRU has three sets, "
            "and torch has two biases in each.",
        ),
        Mistake(
            _gru(inputs=0),
            "the weights from the letter into the GRU are left out: four numbers enter at each position.",
        ),
        Mistake(
            _gru(inputs=1),
            "one number enters the GRU at each position here; a letter in one-hot code has four.",
        ),
        Mistake(
            _gru(states=False),
            "the weights from the old state to the new one are left out: size * size for each gate. They are "
            "what makes the network recurrent.",
        ),
        Mistake(
            _miscounted(["GRU"], lambda right, size, length, width: (right - size - 1) * length + size + 1),
            "the GRU is counted once for each position. The same weights are used at all of them.",
        ),
        Mistake(
            _miscounted(["GRU"], lambda right, size, length, width: right + size * (length - 1)),
            "the last layer of the GRU gets the states of all positions here. It reads the last state alone.",
        ),
        Mistake(
            _miscounted(["GRU"], lambda right, size, length, width: right + 3 * size * 4 * (length - 1)),
            "the whole sequence enters the GRU at once here. It reads one letter after the other, four numbers "
            "each.",
        ),
        Mistake(
            _miscounted(["GRU"], lambda right, size, length, width: 2 * right - 1),
            "this GRU reads in both directions; count one that reads from left to right.",
        ),
    ],
)  # fmt: skip

# --- which_survives: the weights that undo a shuffle of the positions ----------------------------


def _moved(weights, permutation):
    import torch  # not above: importing an exercise loads none of it

    units, length = len(weights), len(permutation)
    moved = torch.zeros_like(weights)
    for unit in range(units):
        for letter in range(4):
            for position in range(length):
                old = int(permutation[position])
                moved[unit, letter * length + position] = weights[unit, letter * length + old]
    return moved


def _indexed(change):
    """Of the weights as units, letters, positions, and back to one row for each unit."""
    return lambda weights, permutation: change(
        weights.reshape(len(weights), 4, -1), permutation
    ).reshape(len(weights), -1)


def _positions_first(weights, permutation):
    return weights.reshape(len(weights), -1, 4)[:, permutation].reshape(len(weights), -1)


def _first_letter_alone(weights, permutation):
    moved = weights.clone()
    moved[:, : len(permutation)] = weights[:, permutation]
    return moved


def _scattered(weights, permutation):
    """The way back, written with the permutation on the left."""
    moved = weights.clone()
    moved[:, :, permutation] = weights
    return moved


def _permutation(rng, length: int):
    """One that differs from the way back, and leaves no position where it is."""
    import torch

    while True:
        order = rng.permutation(length)
        if (order[order] != range(length)).any() and (order != range(length)).all():
            return torch.from_numpy(order)


def _weights_cases(rng):
    import torch

    for units, length in ((1, 3), (2, 5), (6, 8), (8, 30)):
        weights = torch.from_numpy(rng.normal(0, 1, (units, 4 * length)).round(1)).float()
        yield weights, _permutation(rng, length)


which_survives = Exercise(
    oracle=_moved,
    cases=_weights_cases,
    mistakes=[
        Mistake(
            _indexed(_scattered),
            "this is the permutation backwards (as `argsort` gives it, or the permutation to the left of `=`). "
            "At position i stands now the letter of position permutation[i], so the weight of which position "
            "belongs there?",
        ),
        Mistake(
            lambda weights, permutation: weights.clone(),
            "the weights are as they came. Each unit meets another letter at each position now.",
        ),
        Mistake(
            lambda weights, permutation: weights.reshape(len(weights), 4, -1)[:, :, permutation],
            "the order is right, and the shape is not: a layer wants one row for each unit, 4 * length long.",
        ),
        Mistake(
            lambda weights, permutation: weights[:, permutation],
            "only the weights of the letter A are left. A row holds four stretches, one for each letter: all "
            "positions of A first, then those of C, G and T.",
        ),
        Mistake(
            _first_letter_alone,
            "only the weights of the letter A moved. Those of C, G and T stand behind them in the row, in "
            "stretches of the same length.",
        ),
        Mistake(
            lambda weights, permutation: weights[:, permutation.repeat(4)],
            "all four letters have the weights of A now: add letter * length to find the stretch of each "
            "letter.",
        ),
        Mistake(
            _positions_first,
            "the row was cut into positions of four letters each. `flatten` of (4, length) puts all positions "
            "of A first: reshape to (units, 4, length).",
        ),
        Mistake(
            _indexed(lambda weights, permutation: weights.flip(2)),
            "the positions are turned around; `permutation` says where each one goes.",
        ),
    ],
)
