"""Networks of nodes and links: a simulated protein-interaction network, its normalised matrix, and what can be known.

A network is its *adjacency*: a matrix ``(nodes, nodes)`` with 1 where two nodes are linked and 0 elsewhere, the same on
both sides of its diagonal of zeros. Proteins of one *module* work together and are linked more often; each carries
features, numbers that say a little about its module. Explained in lesson 08.

    Holland, Laskey and Leinhardt, Stochastic blockmodels: first steps, Social Networks 5, 109-137 (1983)
    Kipf and Welling, Semi-supervised classification with graph convolutional networks, ICLR (2017)
    Decelle, Krzakala, Moore and Zdeborova, Physical Review E 84, 066106 (2011): belief propagation
"""

from typing import NamedTuple

import numpy as np

from course_utils.checks import finite, said, whole


class GraphError(ValueError):
    """A network, or a choice about one, that cannot be."""


class Network(NamedTuple):
    """A simulated network, and the truth about it.

    Attributes:
        adjacency: ``(nodes, nodes)``, float64, 0 or 1.
        features: ``(nodes, features)``, normal around the mean of the node's module.
        labels: ``(nodes,)``, the modules.
        means: ``(modules, features)``.
        inside, outside: the probability of a link in a module, and between two.
    """

    adjacency: np.ndarray
    features: np.ndarray
    labels: np.ndarray
    means: np.ndarray
    inside: float
    outside: float


def simulate_network(
    nodes: int = 600,
    *,
    modules: int = 3,
    inside: float = 6.0,
    outside: float = 2.0,
    features: int = 10,
    signal: float = 1.0,
    rng: np.random.Generator,
) -> Network:
    """A network with modules, a stochastic block model, whose nodes carry weak features.

    Each node draws its module, all being equally likely. Feature k of module k lies `signal` standard deviations
    higher; the others are noise.

    Args:
        nodes: how many.
        modules: how many, 2 or more.
        inside, outside: expected links of a node into its own module, and into all others together.
        features: how many each node has, as many as modules or more.
        signal: in standard deviations of a feature.
        rng: numpy's generator of random numbers.

    Raises:
        GraphError: for choices that cannot be (lesson 08).
    """
    for what, value, least in (("modules", modules, 2), ("nodes", nodes, modules), ("features", features, modules)):
        if whole(value) is None or value < (whole(least) or 2):
            raise GraphError(f"the number of {what} is {value!r}; a whole number from {least} up is expected")
    each = nodes / modules
    for what, value, most in (("inside", inside, each), ("outside", outside, nodes - each)):
        if finite(value) is None or not 0 < value < most:
            raise GraphError(f"{what} is {said(value)}; a number of links above 0 and below {most:g} is expected")
    if finite(signal) is None or signal < 0:
        raise GraphError(f"the signal is {said(signal)}; a number from 0 up is expected")
    if not isinstance(rng, np.random.Generator):
        raise GraphError(f"rng is a {type(rng).__name__}; numpy.random.default_rng(seed) makes what is expected")
    labels = rng.integers(modules, size=nodes)
    p_inside, p_outside = inside / each, outside / (nodes - each)
    chance = np.where(labels[:, None] == labels, p_inside, p_outside)  # (nodes, nodes)
    upper = np.triu(rng.random((nodes, nodes)) < chance, k=1)
    means = signal * np.eye(modules, features)
    return Network(
        adjacency=(upper | upper.T).astype(float),
        features=means[labels] + rng.normal(size=(nodes, features)),
        labels=labels,
        means=means,
        inside=p_inside,
        outside=p_outside,
    )


# --- the matrix ----------------------------------------------------------------------------------


def check_adjacency(adjacency: np.ndarray) -> np.ndarray:
    """The adjacency of a network without directions, as float64.

    Raises:
        GraphError: unless it is a square of numbers from 0 up, finite, the same on both sides of the diagonal, and 0 on
            the diagonal (lesson 08).
    """
    try:
        found = np.asarray(adjacency, dtype=float)
    except (TypeError, ValueError):
        raise GraphError("the adjacency holds something other than numbers; 0 and 1 are expected") from None
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not len(found):
        raise GraphError(f"the adjacency has the shape {found.shape}; (nodes, nodes) is expected")
    odd = np.argwhere(~(np.isfinite(found) & (found >= 0)))
    if len(odd):
        i, j = odd[0].tolist()
        raise GraphError(f"the adjacency at ({i}, {j}) is {found[i, j]:g}; a finite number from 0 up is expected")
    odd = np.argwhere(found != found.T)
    if len(odd):
        i, j = odd[0].tolist()
        raise GraphError(
            f"the adjacency is {found[i, j]:g} at ({i}, {j}) and {found[j, i]:g} at ({j}, {i}); links without a "
            "direction are expected, the same both ways"
        )
    loops = np.flatnonzero(np.diag(found))
    if len(loops):
        raise GraphError(f"node {loops[0]} is linked to itself; a diagonal of zeros is expected")
    return found


def normalised_adjacency(adjacency: np.ndarray, *, self_loops: bool = True) -> np.ndarray:
    """``D^-1/2 (A + I) D^-1/2``: entry (i, j) is 1 / sqrt(d_i d_j) for linked nodes and for i = j, else 0.

    D holds the degrees d of A + I on its diagonal, so that a node counts itself (Kipf and Welling, equation 2). The
    identity, the *self-loop*, keeps a node's own features; an isolated node keeps nothing but them.

    Args:
        adjacency: ``(nodes, nodes)``.
        self_loops: whether to add the identity first.

    Raises:
        GraphError: for a matrix that is no adjacency; without self-loops, for an isolated node, whose degree
            is 0 (lesson 08).
    """
    linked = check_adjacency(adjacency)
    if self_loops:
        linked = linked + np.eye(len(linked))
    degree = linked.sum(axis=1)  # (nodes,)
    isolated = np.flatnonzero(degree == 0)
    if len(isolated):
        raise GraphError(
            f"node {isolated[0]} has no neighbour (one of {len(isolated)} isolated nodes), and its degree of 0 cannot "
            "be divided by; a link for each node, or self_loops=True, is expected"
        )
    scale = 1 / np.sqrt(degree)
    return scale[:, None] * linked * scale


def components(adjacency: np.ndarray) -> list[np.ndarray]:
    """The parts of a network that no link connects, each as the indices of its nodes, the largest first.

    Messages never pass from one to another, however many layers there are.

    Raises:
        GraphError: for a matrix that is no adjacency (lesson 08).
    """
    from scipy.sparse.csgraph import connected_components  # scikit-learn brings scipy along

    many, which = connected_components(check_adjacency(adjacency), directed=False)
    return sorted((np.flatnonzero(which == number) for number in range(many)), key=len, reverse=True)


def describe(adjacency: np.ndarray) -> str:
    """Nodes, links and parts in a line, with a warning if parts are not connected.

    Raises:
        GraphError: for a matrix that is no adjacency (lesson 08).
    """
    links = check_adjacency(adjacency)
    parts = components(links)
    line = f"{len(links):,} nodes, {np.count_nonzero(links) // 2:,} links"
    if len(parts) == 1:
        return line + ", all connected"
    alone = sum(len(part) == 1 for part in parts)
    return line + (
        f", disconnected: {len(parts)} parts, the largest of {len(parts[0]):,} nodes; {alone} isolated; nothing passes "
        "from part to part"
    )


# --- what can be known ---------------------------------------------------------------------------


def features_ceiling(modules: int = 3, signal: float = 1.0) -> float:
    """The accuracy that no rule exceeds which knows a node's features alone, exact up to rounding.

    The best rule takes the largest of the features that tell. It is right if the one that lies `signal` higher beats
    all others: the integral of the normal density at x - signal times Phi(x) ** (modules - 1).

    Raises:
        GraphError: for a number of modules or a signal that is none (lesson 08).
    """
    from scipy.special import ndtr

    if whole(modules) is None or modules < 2:
        raise GraphError(f"the number of modules is {modules!r}; a whole number from 2 up is expected")
    if finite(signal) is None or signal < 0:
        raise GraphError(f"the signal is {said(signal)}; a number from 0 up is expected")
    x, step = np.linspace(signal - 10, signal + 10, 20_001, retstep=True)
    density = np.exp(-((x - signal) ** 2) / 2) / np.sqrt(2 * np.pi)
    return float((density * ndtr(x) ** (modules - 1)).sum() * step)


def oracle(network: Network) -> np.ndarray:
    """For each node the exact probabilities of its modules, ``(nodes, modules)``, if all *other* labels were known.

    Nobody has this much: so no rule, whatever it computes from features, links and some labels, is right more often
    on average. An upper bound, and not always a tight one (lesson 08).
    """
    links = network.adjacency
    share = np.eye(len(network.means))[network.labels]  # (nodes, modules), one-hot
    linked = links @ share  # neighbours in each module
    others = share.sum(axis=0) - share - linked  # not linked, the node itself left out
    gain = np.log(network.inside / network.outside)
    lack = np.log((1 - network.inside) / (1 - network.outside))
    return _normalised(_log_features(network) + linked * gain + others * lack)


def belief_propagation(network: Network, known: np.ndarray, sweeps: int = 200) -> np.ndarray:
    """Each node's probabilities of its modules, ``(nodes, modules)``, from all features, all links and the known labels.

    The reader it stands for knows how the network was made, and misses nothing but the labels. Neighbours tell each
    other what they think, leaving out what they were told by the other, until nothing moves: exact on trees, and nearly
    so on large sparse networks, in which short loops are rare (Decelle and others, 2011). Nodes that are not linked, who
    say a little too, are taken together.

    Args:
        network: a simulated one.
        known: indices of the nodes whose labels are given.
        sweeps: how often to pass messages at most.

    Raises:
        GraphError: for indices that are none, or messages that do not settle (lesson 08).
    """
    known = np.asarray(known)
    nodes, modules = len(network.labels), len(network.means)
    if known.ndim != 1 or (len(known) and (known.dtype.kind not in "iu" or known.min() < 0 or known.max() >= nodes)):
        raise GraphError(f"known is {said(known)}; indices of nodes, from 0 to {nodes - 1}, are expected")
    chance = np.full((modules, modules), network.outside) + np.eye(modules) * (network.inside - network.outside)
    own = _log_features(network)
    own[known] = np.where(np.eye(modules)[network.labels[known]] > 0, 0.0, -1e9)
    sender, receiver = np.nonzero(network.adjacency)
    number = np.zeros(network.adjacency.shape, dtype=int)
    number[sender, receiver] = np.arange(len(sender))
    back = number[receiver, sender]  # of each message, the one the other way
    belief = _normalised(own)
    messages = belief[sender]  # (messages, modules)
    for _ in range(sweeps):
        far = np.log(1 - belief @ chance).sum(axis=0)  # what not being linked says, all nodes together
        heard = np.log(messages @ chance)
        total = own + far
        np.add.at(total, receiver, heard)
        belief = _normalised(total)
        new = _normalised(total[sender] - heard[back])
        moved = abs(new - messages).max()
        messages = (messages + new) / 2
        if moved < 1e-6:
            return belief
    raise GraphError(f"after {sweeps} sweeps the messages still move by {moved:.0e}; a clearer network is expected")


def _log_features(network: Network) -> np.ndarray:
    """The logarithm of each module's probability, from the node's own features and up to a constant: ``(nodes, modules)``."""
    return -((network.features[:, None] - network.means) ** 2).sum(axis=2) / 2


def _normalised(logs: np.ndarray) -> np.ndarray:
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)
