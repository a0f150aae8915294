"""Five small networks, one of each family, every one of them on a screen (lesson 08).

Three read a sequence, (N, 4, L) with the channels A, C, G, T, and give one logit each, (N,), before the sigmoid:

* `FullyConnected`: a weight for each base at each place. Does the *place* matter?
* `Convolutional`: filters that slide along, and the best match of each. Is there a *motif anywhere*?
* `Recurrent`: one base after the other, with a memory. In what *order* do things come?

    Alipanahi et al., Nature Biotechnology 33, 831-838 (2015): the best match of each filter
    Cho et al., Conference on Empirical Methods in Natural Language Processing (2014): the gated recurrent unit

Two read something else:

* `GraphConvolutional`: the nodes of a network, each with its features. What do the *neighbours* say?
* `AutoEncoder`: a table without labels. Which few numbers would be enough to write it down again?

    Kipf and Welling, Semi-supervised classification with graph convolutional networks, ICLR (2017)
    Hinton and Salakhutdinov, Reducing the dimensionality of data with neural networks, Science 313, 504-507 (2006)

`size` is how many units, filters, or numbers of memory there are; `size_for` finds the one for a number of parameters.
"""

from collections.abc import Callable

import torch
from torch import nn

from course_utils.checks import whole
from course_utils.models import check_input, check_size


class FullyConnected(nn.Module):
    """Each hidden unit has a weight for each base at each place. It takes one length alone.

    Raises:
        ValueError: for a length or a size that is no whole number from 1 up (lesson 08).
    """

    def __init__(self, length: int, size: int):
        super().__init__()
        self.length = check_size("length", length, 1)
        self.hidden = nn.Linear(4 * length, check_size("size", size, 1))
        self.output = nn.Linear(size, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot, self.length)  # (N, 4, L)
        x = one_hot.flatten(start_dim=1)  # (N, 4 L)   a list: what stood side by side is forgotten
        x = self.hidden(x).relu()  # (N, size)
        return self.output(x).squeeze(1)  # (N,)


class Convolutional(nn.Module):
    """Filters slide along the sequence; the best match of each counts, wherever it is.

    With one layer it cannot know a place, as nothing is padded: what is in a window decides, and not where it is.

    Args:
        size: how many filters.
        width: of each, in bases.
        second: width of a second layer of as many filters, which read what the first ones found, at their distances;
            0 for none.

    Raises:
        ValueError: for sizes that are no whole numbers, or sequences that are shorter than the filters (lesson 08).
    """

    def __init__(self, size: int, width: int = 9, second: int = 0):
        super().__init__()
        self.reach = check_size("width", width, 1) + max(check_size("second width", second, 0), 1) - 1
        self.filters = nn.Conv1d(4, check_size("size", size, 1), kernel_size=width)
        self.second = nn.Conv1d(size, size, kernel_size=second) if second else None
        self.output = nn.Linear(size, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot)  # (N, 4, L)
        if one_hot.shape[2] < self.reach:
            raise ValueError(
                f"the sequences have {one_hot.shape[2]} bases; the filters see {self.reach}, and sequences of that "
                "many or more are expected"
            )
        x = self.filters(one_hot).relu()  # (N, size, L - 8)   a score for each filter and place
        if self.second is not None:
            x = self.second(x).relu()  # (N, size, L - 8 - second + 1)
        x = x.amax(dim=2)  # (N, size)   the best match of each
        return self.output(x).squeeze(1)  # (N,)


class Recurrent(nn.Module):
    """A gated recurrent unit reads base after base; what its memory holds after the last one decides.

    Raises:
        ValueError: for a size that is no whole number from 1 up (lesson 08).
    """

    def __init__(self, size: int):
        super().__init__()
        self.memory = nn.GRU(input_size=4, hidden_size=check_size("size", size, 1), batch_first=True)
        self.output = nn.Linear(size, 1)

    def forward(self, one_hot: torch.Tensor) -> torch.Tensor:
        check_input(one_hot)  # (N, 4, L)
        x = one_hot.permute(0, 2, 1)  # (N, L, 4)   base after base
        states, last = self.memory(x)  # (N, L, size), (1, N, size)
        return self.output(last[0]).squeeze(1)  # (N,)


class GraphConvolutional(nn.Module):
    """Two layers; in each, every node takes a weighted sum of itself and its neighbours.

    Args:
        features: numbers that each node comes with.
        size: of the hidden layer.
        classes: how many logits each node gets.

    Raises:
        ValueError: for sizes that are no whole numbers from 1 up; for features or a matrix that do not fit (lesson 08).
    """

    def __init__(self, features: int, size: int, classes: int):
        super().__init__()
        self.features = check_size("number of features", features, 1)
        self.hidden = nn.Linear(features, check_size("size", size, 1))
        self.output = nn.Linear(size, check_size("number of classes", classes, 1))

    def forward(self, x: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Logits ``(nodes, classes)`` from features ``(nodes, features)`` and a matrix ``(nodes, nodes)``, which is
        :func:`course_utils.graphs.normalised_adjacency`'s; the identity makes it a network without the graph."""
        _check_table(x, self.features, "nodes", "features")
        if not isinstance(adjacency, torch.Tensor) or adjacency.shape != (len(x), len(x)):
            came = tuple(adjacency.shape) if isinstance(adjacency, torch.Tensor) else type(adjacency).__name__
            raise ValueError(
                f"the adjacency is {came}; a tensor {(len(x), len(x))} is expected, as there are {len(x)} nodes"
            )
        x = (adjacency @ self.hidden(x)).relu()  # (nodes, size)   neighbours
        return adjacency @ self.output(x)  # (nodes, classes)   and theirs


class AutoEncoder(nn.Module):
    """Squeezes each row into `latent` numbers and writes it down again from these.

    Args:
        genes: columns of the table.
        size: of the hidden layer on either side; 0 for none, which leaves a linear encoder and a linear decoder.
        latent: numbers in the middle.
        activation: the layer behind the hidden ones. ELU is smooth; with ReLU one of five trainings in lesson 08
            twists its code.

    Raises:
        ValueError: for sizes that are no whole numbers, or a table that does not fit (lesson 08).
    """

    def __init__(self, genes: int, size: int = 64, latent: int = 2, activation: Callable[[], nn.Module] = nn.ELU):
        super().__init__()
        self.genes = check_size("number of genes", genes, 1)
        check_size("number of latent numbers", latent, 1)
        if check_size("size", size, 0):
            self.encode = nn.Sequential(nn.Linear(genes, size), activation(), nn.Linear(size, latent))
            self.decode = nn.Sequential(nn.Linear(latent, size), activation(), nn.Linear(size, genes))
        else:
            self.encode, self.decode = nn.Linear(genes, latent), nn.Linear(latent, genes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        _check_table(x, self.genes, "samples", "genes")  # (N, genes)
        code = self.encode(x)  # (N, latent)
        return self.decode(code)  # (N, genes)


def count(model: nn.Module) -> int:
    """How many numbers training can change (lesson 08)."""
    return sum(p.numel() for p in model.parameters())


def size_for(make: Callable[[int], nn.Module], parameters: int) -> int:
    """The size whose network has a number of parameters next to a budget.

    ``size_for(Recurrent, 2_000)`` is 23; ``size_for(lambda size: FullyConnected(50, size), 2_000)`` is 10.

    Args:
        make: a network from a size; it grows with the size.
        parameters: the budget.

    Raises:
        ValueError: for a budget that is no whole number, or less than the smallest network has (lesson 08).
    """
    budget = whole(parameters)
    smallest = count(make(1))
    if budget is None or budget < smallest:
        raise ValueError(
            f"the budget is {parameters!r}; a whole number from {smallest} up is expected, which size 1 needs"
        )
    size = 1
    while count(make(size + 1)) <= budget:
        size += 1
    below, above = (abs(count(make(one)) - budget) for one in (size, size + 1))
    return size if below <= above else size + 1


def _check_table(x, columns: int, rows_are: str, columns_are: str) -> None:
    if not isinstance(x, torch.Tensor):
        raise ValueError(f"a {type(x).__name__} came; a tensor ({rows_are}, {columns}) is expected")
    if x.dim() != 2 or x.shape[1] != columns:
        raise ValueError(
            f"the input has the shape {tuple(x.shape)}; ({rows_are}, {columns}) is expected, {columns} {columns_are}"
        )
    if not x.is_floating_point():
        raise ValueError(f"the input is {x.dtype}; floating point is expected: call float() on it")
