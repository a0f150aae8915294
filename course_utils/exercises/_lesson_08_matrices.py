"""Two matrices of lesson 08's exercises: what a graph convolution averages with, and what a bottleneck keeps."""

import numpy as np

from course_utils.exercises import Exercise, Mistake

# --- normalised_adjacency: how a graph convolution averages over neighbours ----------------------


def _normalised(adjacency: np.ndarray) -> np.ndarray:
    nodes = len(adjacency)
    neighbours = [[j for j in range(nodes) if adjacency[i, j] or i == j] for i in range(nodes)]
    result = np.zeros((nodes, nodes))
    for i in range(nodes):
        for j in neighbours[i]:
            result[i, j] = 1 / (len(neighbours[i]) * len(neighbours[j])) ** 0.5
    return result


def _scaled(loops=1.0, degrees_with_loops=True, left=-0.5, right=-0.5, isolated=None, after=None):
    """The formula; each argument that is not left as it is breaks it in one way.

    Args:
        loops: what is added to the diagonal.
        degrees_with_loops: whether the degrees count it.
        left, right: the powers of the degrees.
        isolated: what a power of the degree 0 is; by default what numpy makes of it.
        after: what is made of the result.
    """

    def slip(adjacency: np.ndarray) -> np.ndarray:
        looped = adjacency + loops * np.eye(len(adjacency))
        degrees = (looped if degrees_with_loops else adjacency).sum(axis=1)
        with np.errstate(all="ignore"):
            before, behind = (degrees**power for power in (left, right))
            if isolated is not None:
                before, behind = (np.where(degrees > 0, powers, isolated) for powers in (before, behind))
            result = before[:, None] * looped * behind
        return after(result) if after else result

    return slip


def _all_entries_raised(adjacency: np.ndarray) -> np.ndarray:
    looped = adjacency + np.eye(len(adjacency))
    with np.errstate(all="ignore"):
        raised = np.diag(looped.sum(axis=1)) ** -0.5
        return raised @ looped @ raised


def _graph(rng: np.random.Generator, nodes: int, share: float) -> np.ndarray:
    """Undirected, without loops; the last node has no neighbour, the first has one at least."""
    upper = np.triu(rng.random((nodes, nodes)) < share, 1)
    upper[0, 1] = True
    upper[:, -1] = False
    return (upper | upper.T).astype(float)


def _graph_cases(rng):
    path = np.array([[0.0, 1, 0], [1, 0, 1], [0, 1, 0]])
    return [(path,), (_graph(rng, 5, 0.5),), (_graph(rng, 8, 0.3),), (_graph(rng, 15, 0.2),)]


_LOOPS = "no node is its own neighbour: add the identity, or a node's own features are lost in the average."

normalised_adjacency = Exercise(
    oracle=_normalised,
    cases=_graph_cases,
    mistakes=[
        Mistake(
            _scaled(loops=0),
            f"{_LOOPS} And a node without neighbours has the degree 0, which nothing can be divided by.",
        ),
        Mistake(
            _scaled(loops=0, isolated=0),
            "nodes without neighbours are well looked after, but they need not be: with the identity added, "
            "the degree of every node is at least 1, and a node's own features come along.",
        ),
        Mistake(
            _scaled(degrees_with_loops=False),
            "the degrees were taken before the identity was added: a node without neighbours has the degree 0 "
            "there. Sum the rows of A + I.",
        ),
        Mistake(
            _scaled(degrees_with_loops=False, isolated=0),
            "the degrees are those of A, and an isolated node was set to 0. Sum the rows of A + I, and no "
            "degree is 0.",
        ),
        Mistake(
            _scaled(loops=0, isolated=0, after=lambda result: result + np.eye(len(result))),
            "the identity was added after the division: a node then counts itself in full, and its many "
            "neighbours in part. Add it first.",
        ),
        Mistake(
            _scaled(left=-1, right=0),
            "each row is divided by the degree of its own node: its sum is 1, a plain average. Here the "
            "neighbour's degree counts as well, with the root of both.",
        ),
        Mistake(
            _scaled(left=0, right=-1),
            "each column is divided by the degree of its node. Here both nodes of an edge count, with the root "
            "of each degree.",
        ),
        Mistake(
            _scaled(left=-1, right=-1),
            "both sides were divided by the degree itself. The power is -1/2: the root of the degree, on both "
            "sides.",
        ),
        Mistake(
            _scaled(left=0.5, right=0.5),
            "this multiplies by the roots of the degrees, so that nodes with many neighbours grow. The power is "
            "-1/2, with a minus.",
        ),
        Mistake(
            _scaled(left=-0.5, right=0),
            "only the rows are divided by the root of the degree. What of the factor to the right of A + I?",
        ),
        Mistake(
            _scaled(left=0, right=-0.5),
            "only the columns are divided by the root of the degree. What of the factor to the left of A + I?",
        ),
        Mistake(
            _scaled(left=0, right=0),
            "this is A + I, not divided by anything yet.",
        ),
        Mistake(
            _scaled(after=lambda result: np.eye(len(result)) - result),
            "this is the identity minus what is asked, a Laplacian: it takes differences from the neighbours. "
            "An average is wanted.",
        ),
        Mistake(
            _scaled(after=lambda result: np.diag(np.diag(result))),
            "the edges are gone: `*` multiplies entry by entry, and a diagonal matrix is 0 beside its diagonal. "
            "The product of matrices is `@`.",
        ),
        Mistake(
            _all_entries_raised,
            "a whole diagonal matrix was raised to a negative power, entry by entry: its zeros became "
            "infinite. Raise the degrees first, then make the matrix.",
        ),
        Mistake(
            _scaled(loops=2),
            "each node is its own neighbour twice: 2 stands on the diagonal of what you divide.",
        ),
    ],
)

# --- linear_autoencoder: what a bottleneck keeps at best ------------------------------------------


def _reconstruction(matrix: np.ndarray, k: int) -> np.ndarray:
    """The directions one after the other, each the one along which most is left (power iteration)."""
    samples, genes = matrix.shape
    mean = [sum(matrix[i, j] for i in range(samples)) / samples for j in range(genes)]
    left = matrix - np.array(mean)
    result = np.tile(mean, (samples, 1))
    for _ in range(k):
        direction = np.ones(genes) + np.arange(genes) / 10
        for _ in range(5000):
            turned = left.T @ (left @ direction)
            turned /= np.sqrt((turned**2).sum())
            arrived = np.abs(turned - direction).max() < 1e-14
            direction = turned
            if arrived:
                break
        part = np.outer(left @ direction, direction)
        result, left = result + part, left - part
    return result


def _svd(
    centre=lambda matrix: matrix.mean(axis=0),
    add_back=True,
    kept=lambda k, many: slice(0, k),
    power=1,
    scale=False,
):
    """By SVD; each argument that is not left as it is breaks it in one way."""

    def slip(matrix: np.ndarray, k: int) -> np.ndarray:
        mean = centre(matrix)
        spread = matrix.std(axis=0) if scale else 1.0
        left, values, right = np.linalg.svd((matrix - mean) / spread, full_matrices=False)
        keep = kept(k, len(values))
        result = (left[:, keep] * values[keep] ** power) @ right[keep] * spread
        return result + mean if add_back else result

    return slip


def _columns_for_rows(matrix: np.ndarray, k: int) -> np.ndarray:
    mean = matrix.mean(axis=0)
    columns = np.linalg.svd(matrix - mean)[2][:, :k]
    return (matrix - mean) @ columns @ columns.T + mean


def _whole_factors(matrix: np.ndarray, k: int) -> np.ndarray:
    left, values, right = np.linalg.svd(matrix - matrix.mean(axis=0))
    return left * values @ right


def _expression(rng: np.random.Generator, samples: int, genes: int) -> np.ndarray:
    """Like logarithms of counts: genes of their own level and spread, a few programmes that move many of them."""
    strength = 3 / (1 + np.arange(genes))
    directions = np.linalg.qr(rng.normal(0, 1, (genes, genes)))[0]
    programmes = (rng.normal(0, 1, (samples, genes)) * strength) @ directions
    return (programmes + rng.uniform(3, 12, genes)).round(1)


def _expression_cases(rng):
    shapes = [(5, 3, 1), (6, 4, 2), (9, 5, 1), (40, 8, 3)]
    return [(_expression(rng, samples, genes), k) for samples, genes, k in shapes]


linear_autoencoder = Exercise(
    oracle=_reconstruction,
    cases=_expression_cases,
    mistakes=[
        Mistake(
            _svd(centre=lambda matrix: 0.0),
            "not centred: the first direction is spent on the way from 0 to the mean of the genes. Subtract the "
            "mean before, as the biases of an auto-encoder do.",
        ),
        Mistake(
            _svd(add_back=False),
            "the mean of each gene was subtracted and is missing in the result: add it again at the end.",
        ),
        Mistake(
            _svd(centre=lambda matrix: 0.0, kept=lambda k, many: slice(many - k, many)),
            "two slips: nothing is centred, and the directions that are kept are those with the smallest "
            "singular values.",
        ),
        Mistake(
            _svd(centre=lambda matrix: matrix.mean(axis=1, keepdims=True)),
            "the mean of each sample was taken, along its row. A gene is a column: its mean goes over the "
            "samples, axis 0.",
        ),
        Mistake(
            _svd(centre=lambda matrix: matrix.mean()),
            "one mean of all numbers was subtracted. Each gene, each column, has a mean of its own.",
        ),
        Mistake(
            _svd(kept=lambda k, many: slice(many - k, many)),
            "the smallest directions are kept, and the largest thrown away. The svd sorts from large to small; "
            "`eigh` sorts the other way round.",
        ),
        Mistake(
            _svd(kept=lambda k, many: slice(0, k + 1)),
            "one direction too many is kept: `[:k]` gives k of them.",
        ),
        Mistake(
            _svd(kept=lambda k, many: slice(k - 1, k)),
            "only one direction is kept, the k-th; all of the first k are wanted.",
        ),
        Mistake(
            _svd(kept=lambda k, many: slice(0, many)),
            "this is the matrix itself: nothing was squeezed through a bottleneck of k numbers.",
        ),
        Mistake(
            _svd(power=0),
            "the singular values are left out: the directions are right, and how far each sample lies along "
            "them is not.",
        ),
        Mistake(
            _svd(power=2),
            "the singular values come in twice. (If you projected the centred matrix on V, they are in it "
            "already.)",
        ),
        Mistake(
            _svd(scale=True),
            "each gene was divided by its standard deviation first. That is the best reconstruction of the "
            "scaled genes, and not of these.",
        ),
        Mistake(
            _columns_for_rows,
            "the third factor holds one direction in each *row*: numpy gives V turned over, so take `Vt[:k]` "
            "and not its first columns.",
        ),
        Mistake(
            _whole_factors,
            "two shapes do not fit. If it happens in the product of the factors: without `full_matrices=False`, "
            "U is square, and wider than there are singular values.",
        ),
    ],
)
