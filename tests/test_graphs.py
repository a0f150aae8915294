"""Networks of nodes and links: the simulation, the normalised matrix, and what can be known."""

from itertools import product
from math import sqrt

import numpy as np
import pytest
import torch

from course_utils.graphs import (
    Network,
    belief_propagation,
    components,
    describe,
    features_ceiling,
    normalised_adjacency,
    oracle,
    simulate_network,
)
from course_utils.models import seeded
from course_utils.models.families import GraphConvolutional


def random_graph(nodes: int, links: float, rng) -> np.ndarray:
    upper = np.triu(rng.random((nodes, nodes)) < links, 1)
    return (upper | upper.T).astype(float)


def test_the_normalised_adjacency_is_that_of_the_paper_entry_by_entry():
    rng = np.random.default_rng(1)
    for links in (0.0, 0.2, 1.0):
        adjacency = random_graph(9, links, rng)
        found = normalised_adjacency(adjacency)
        degrees = [1 + sum(adjacency[i]) for i in range(9)]
        for i, j in product(range(9), repeat=2):
            linked = i == j or adjacency[i, j]
            assert found[i, j] == pytest.approx(1 / sqrt(degrees[i] * degrees[j]) if linked else 0)
        root = np.diag((adjacency + np.eye(9)).sum(axis=1) ** -0.5)
        assert np.allclose(found, root @ (adjacency + np.eye(9)) @ root)


def test_its_largest_eigenvalue_is_1_so_that_layers_do_not_blow_up():
    found = normalised_adjacency(random_graph(30, 0.2, np.random.default_rng(2)))
    values = np.linalg.eigvalsh(found)
    assert values[-1] == pytest.approx(1) and values[0] > -1


def test_parts_are_found_and_said():
    adjacency = np.zeros((6, 6))
    adjacency[0, 1] = adjacency[1, 0] = adjacency[4, 1] = adjacency[1, 4] = adjacency[2, 3] = adjacency[3, 2] = 1
    assert [part.tolist() for part in components(adjacency)] == [[0, 1, 4], [2, 3], [5]]
    assert describe(adjacency).startswith("6 nodes, 3 links, disconnected: 3 parts, the largest of 3 nodes; 1 isolated")
    assert describe(1 - np.eye(3)) == "3 nodes, 3 links, all connected"


def test_nothing_passes_from_part_to_part():
    adjacency = np.zeros((5, 5))
    adjacency[0, 1] = adjacency[1, 0] = adjacency[2, 3] = adjacency[3, 2] = 1
    matrix = torch.from_numpy(normalised_adjacency(adjacency)).float()
    with seeded(0):
        model = GraphConvolutional(features=3, size=8, classes=2)
    x = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    other = x.clone()
    other[2:] += 5
    before, after = model(x, matrix), model(other, matrix)
    assert torch.equal(before[:2], after[:2]) and not torch.allclose(before[2:], after[2:])


def test_a_simulated_network_has_the_links_and_features_that_were_asked_for():
    rng = np.random.default_rng(3)
    inside, outside, lifted = [], [], []
    for _ in range(8):
        network = simulate_network(600, inside=6, outside=2, features=5, signal=1.5, rng=rng)
        assert np.array_equal(network.adjacency, network.adjacency.T) and not network.adjacency.diagonal().any()
        same = network.labels[:, None] == network.labels
        inside.append((network.adjacency * same).sum(axis=1).mean())
        outside.append((network.adjacency * ~same).sum(axis=1).mean())
        lifted.append(network.features[np.arange(600), network.labels].mean())
        assert network.inside == pytest.approx(6 / 200) and network.outside == pytest.approx(2 / 400)
    assert np.mean(inside) == pytest.approx(6, abs=0.15)
    assert np.mean(outside) == pytest.approx(2, abs=0.1)
    assert np.mean(lifted) == pytest.approx(1.5, abs=0.05)


@pytest.mark.parametrize("modules, signal", [(2, 1.0), (3, 1.0), (4, 2.0)])
def test_the_ceiling_of_features_alone_is_what_the_best_rule_reaches(modules, signal):
    rng = np.random.default_rng(4)
    labels = rng.integers(modules, size=400_000)
    features = rng.normal(size=(400_000, modules)) + signal * np.eye(modules)[labels]
    right = (features.argmax(axis=1) == labels).mean()
    assert right == pytest.approx(features_ceiling(modules, signal), abs=0.003)
    assert features_ceiling(modules, 0) == pytest.approx(1 / modules, abs=1e-6)


def joint(network: Network, known) -> np.ndarray:
    """The exact probabilities of each node's modules by adding up all ways to label a small network."""
    nodes, modules = len(network.labels), len(network.means)
    total = np.zeros((nodes, modules))
    for labels in product(range(modules), repeat=nodes):
        labels = np.array(labels)
        if (labels[known] != network.labels[known]).any():
            continue
        weight = np.exp(-((network.features - network.means[labels]) ** 2).sum() / 2)
        for i in range(nodes):
            for j in range(i):
                chance = network.inside if labels[i] == labels[j] else network.outside
                weight *= chance if network.adjacency[i, j] else 1 - chance
        total[np.arange(nodes), labels] += weight
    return total / total.sum(axis=1, keepdims=True)


def small(seed: int, inside: float = 0.3, outside: float = 0.1) -> Network:
    rng = np.random.default_rng(seed)
    adjacency = np.zeros((8, 8))
    for node in range(1, 8):  # a tree
        other = rng.integers(node)
        adjacency[node, other] = adjacency[other, node] = 1
    labels = rng.integers(2, size=8)
    means = np.eye(2)
    return Network(adjacency, means[labels] + rng.normal(size=(8, 2)), labels, means, inside, outside)


def test_belief_propagation_is_nearly_exact_on_a_tree_where_unlinked_pairs_say_little():
    for seed in range(3):
        network = small(seed, inside=0.02, outside=0.005)
        known = np.array([0, 3])
        assert belief_propagation(network, known) == pytest.approx(joint(network, known), abs=0.01)


def test_the_oracle_is_exact():
    network = small(5)
    for node in range(8):
        known = np.array([other for other in range(8) if other != node])
        assert oracle(network)[node] == pytest.approx(joint(network, known)[node])


def test_belief_propagation_knows_its_own_chances_and_the_oracle_is_no_worse():
    rights, sure, best = [], [], []
    for seed in range(6):
        network = simulate_network(600, inside=5, outside=3, features=5, rng=np.random.default_rng(seed))
        beliefs = belief_propagation(network, np.arange(60))[60:]
        rights.append((beliefs.argmax(axis=1) == network.labels[60:]).mean())
        sure.append(beliefs.max(axis=1).mean())
        best.append((oracle(network)[60:].argmax(axis=1) == network.labels[60:]).mean())
    assert np.mean(rights) == pytest.approx(np.mean(sure), abs=0.02), "what it says happens as often as it says"
    assert np.mean(best) > np.mean(rights) > features_ceiling() + 0.1
