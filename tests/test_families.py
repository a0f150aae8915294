"""The five small networks of lesson 08: what each must be by the way it is made."""

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.graphs import normalised_adjacency
from course_utils.models import seeded
from course_utils.models.families import (
    AutoEncoder,
    Convolutional,
    FullyConnected,
    GraphConvolutional,
    Recurrent,
    count,
    size_for,
)

pytestmark = pytest.mark.usefixtures("one_thread")

MAKE = {
    "dnn": lambda size: FullyConnected(50, size),
    "cnn": Convolutional,
    "gru": Recurrent,
    "two layers": lambda size: Convolutional(size, second=27),
}


def letters(many: int = 6, length: int = 50, seed: int = 0) -> torch.Tensor:
    codes = torch.randint(4, (many, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1).contiguous()


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_each_gives_one_logit_a_sequence_whatever_the_batch(make):
    with seeded(1):
        model = make(7).eval()
    inputs = letters()
    together = model(inputs)
    assert together.shape == (6,)
    assert torch.allclose(together, torch.cat([model(one[None]) for one in inputs]), atol=1e-6)
    assert len(together.unique()) == 6


def test_parameters_are_the_ones_counted_by_hand():
    for size in (1, 5, 23):
        assert count(FullyConnected(50, size)) == 200 * size + size + size + 1
        assert count(Convolutional(size)) == 36 * size + size + size + 1
        assert count(Convolutional(size, second=27)) == 37 * size + 27 * size**2 + size + size + 1
        assert count(Recurrent(size)) == 3 * (4 * size + size**2 + 2 * size) + size + 1
        assert count(GraphConvolutional(6, size, 3)) == 7 * size + 3 * (size + 1)
        assert count(AutoEncoder(60, size)) == 61 * size + 2 * (size + 1) + 3 * size + 60 * (size + 1)
    assert count(AutoEncoder(60, 0)) == 61 * 2 + 3 * 60


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
def test_the_size_for_a_budget_is_the_nearest(make):
    for budget in (600, 2_000, 8_000):
        size = size_for(make, budget)
        off = [abs(count(make(other)) - budget) for other in range(1, size + 5)]
        assert np.argmin(off) + 1 == size
        assert off[size - 1] < 0.06 * budget


def alone(place: int, length: int = 50) -> torch.Tensor:
    """Only A but for a motif at a place."""
    codes = torch.zeros(length, dtype=torch.long)
    codes[place : place + 7] = torch.tensor([3, 2, 0, 1, 3, 1, 0])
    return torch.eye(4)[codes].T[None]


def test_one_convolutional_layer_cannot_know_a_place_and_a_fully_connected_one_can():
    with seeded(2):
        cnn, dnn, deeper = Convolutional(20).eval(), FullyConnected(50, 20).eval(), Convolutional(20, second=27).eval()
    places = range(8, 35)
    assert len({round(cnn(alone(place)).item(), 5) for place in places}) == 1
    assert len({round(dnn(alone(place)).item(), 5) for place in places}) == len(places)
    assert len({round(deeper(alone(place)).item(), 5) for place in places}) > 1, "its window ends inside the sequence"


def test_the_fully_connected_network_does_not_mind_a_shuffle_that_its_weights_follow():
    order = torch.randperm(50, generator=torch.Generator().manual_seed(3))
    model, moved = FullyConnected(50, 6), FullyConnected(50, 6)
    moved.load_state_dict(model.state_dict())
    moved.hidden.weight.data = model.hidden.weight.data.reshape(6, 4, 50)[:, :, order].flatten(1)
    inputs = letters()
    assert torch.allclose(model(inputs), moved(inputs[:, :, order]), atol=1e-6)


def test_the_recurrent_network_is_the_recurrence_written_out():
    with seeded(4):
        model = Recurrent(5)
    w_in, w_state, b_in, b_state = (p.detach() for p in model.memory.parameters())
    inputs = letters(3, 12)
    state = torch.zeros(3, 5)
    for place in range(12):
        x, h = inputs[:, :, place] @ w_in.T + b_in, state @ w_state.T + b_state
        reset = torch.sigmoid(x[:, :5] + h[:, :5])
        keep = torch.sigmoid(x[:, 5:10] + h[:, 5:10])
        new = torch.tanh(x[:, 10:] + reset * h[:, 10:])
        state = keep * state + (1 - keep) * new
    expected = state @ model.output.weight.T + model.output.bias
    assert torch.allclose(model(inputs), expected[:, 0], atol=1e-5)


def test_the_graph_convolution_is_dense_linear_algebra_and_does_not_mind_the_order_of_nodes():
    rng = np.random.default_rng(5)
    upper = np.triu(rng.random((12, 12)) < 0.3, 1)
    adjacency = (upper | upper.T).astype(float)
    x = rng.normal(size=(12, 4))
    with seeded(5):
        model = GraphConvolutional(4, 6, 3).double()
    looped = adjacency + np.eye(12)
    root = np.diag(looped.sum(axis=1) ** -0.5)
    w1, b1, w2, b2 = (p.detach().numpy() for p in model.parameters())
    hidden = np.maximum(root @ looped @ root @ (x @ w1.T + b1), 0)
    expected = root @ looped @ root @ (hidden @ w2.T + b2)
    found = model(torch.from_numpy(x), torch.from_numpy(normalised_adjacency(adjacency))).detach().numpy()
    assert np.allclose(found, expected)
    order = rng.permutation(12)
    turned = torch.from_numpy(normalised_adjacency(adjacency[np.ix_(order, order)]))
    assert np.allclose(model(torch.from_numpy(x[order]), turned).detach().numpy(), expected[order])


def test_a_node_hears_what_is_two_links_away_and_no_farther():
    chain = np.diag(np.ones(5), 1) + np.diag(np.ones(5), -1)
    matrix = torch.from_numpy(normalised_adjacency(chain)).float()
    with seeded(6):
        model = GraphConvolutional(2, 8, 2)
    x = torch.rand(6, 2, generator=torch.Generator().manual_seed(6), requires_grad=True)
    model(x, matrix)[0].sum().backward()
    assert (x.grad.abs().sum(dim=1) > 0).tolist() == [True, True, True, False, False, False]


def test_an_auto_encoder_without_hidden_layers_is_linear_and_one_with_them_is_not():
    x, y = torch.randn(2, 30, 60, generator=torch.Generator().manual_seed(7))
    for size, linear in ((0, True), (16, False)):
        with seeded(7):
            model = AutoEncoder(60, size)
        assert model.encode(x).shape == (30, 2) and model(x).shape == (30, 60)
        added = model(x + y) - model(x) - model(y) + model(torch.zeros(1, 60))
        assert torch.allclose(added, torch.zeros_like(added), atol=1e-4) == linear


def test_the_activation_can_be_chosen():
    kinds = {type(layer) for layer in AutoEncoder(10, 4, activation=nn.ReLU).modules()}
    assert nn.ReLU in kinds and nn.ELU not in kinds
