"""What the exercises of lesson 08 say of networks, held against networks."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.exercises import lesson_08 as check
from course_utils.models import seeded
from course_utils.models.families import Convolutional, FullyConnected, Recurrent, count


def network(family: str, size: int, length: int, width: int) -> nn.Module:
    """The lesson's own networks are those that the exercise describes."""
    if family == "DNN":
        return FullyConnected(length, size)
    return Convolutional(size, width) if family == "CNN" else Recurrent(size)


# --- equal_budget --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["DNN", "CNN", "GRU"])
@pytest.mark.parametrize("length, width, budget", [(20, 7, 500), (40, 8, 2000), (101, 12, 8000)])
def test_the_sizes_are_those_of_torch(family, length, width, budget):
    size, many = check.equal_budget.oracle(family, budget, length, width)
    assert many == count(network(family, size, length, width)) <= budget
    assert count(network(family, size + 1, length, width)) > budget


def test_each_family_has_budgets_that_fit_exactly_and_that_lack_one():
    for seed in range(3):
        for family in ("DNN", "CNN", "GRU"):
            rest = set()
            for case in check.equal_budget.cases(np.random.default_rng(seed)):
                if case[0] == family:
                    size, many = check.equal_budget.oracle(*case)
                    rest.add(case[1] - many)
                    assert size > 1 or check.equal_budget.oracle(*case)[1] <= case[1]
                    following = count(network(family, size + 1, *case[2:]))
                    rest.add("one more" if following == case[1] + 1 else "far")
            assert {0, "one more"} <= rest


def test_two_slips_in_two_families_are_told_one_after_the_other():
    def answer(first_dnn):
        def size_within(family, budget, length, width):
            def count(size):
                into = {"DNN": first_dnn(length), "CNN": width + 1, "GRU": 3 * (4 + size + 2)}
                return size * into[family] + size + 1

            size = 1
            while count(size + 1) <= budget:
                size += 1
            return size, count(size)

        return size_within

    assert "it reads 4 * length numbers" in repr(check.equal_budget(answer(lambda length: length + 1)))
    assert "4 * width of them" in repr(check.equal_budget(answer(lambda length: 4 * length + 1)))


# --- normalised_adjacency ------------------------------------------------------------------------


def test_the_matrix_keeps_an_isolated_node_and_has_no_eigenvalue_beyond_one():
    for (adjacency,) in list(check.normalised_adjacency.cases(np.random.default_rng(0)))[1:]:
        matrix = check.normalised_adjacency.oracle(adjacency)
        assert adjacency[-1].sum() == 0 and matrix[-1, -1] == matrix[-1].sum() == 1
        np.testing.assert_array_equal(matrix, matrix.T)
        assert np.linalg.eigvalsh(matrix)[-1] == pytest.approx(1)
        assert np.abs(matrix.sum(axis=1) - 1).max() > 0.01, "a row is no plain average"


# --- which_survives ------------------------------------------------------------------------------


def sequences(many: int, length: int, seed: int) -> torch.Tensor:
    codes = torch.from_numpy(np.random.default_rng(seed).integers(0, 4, (many, length)))
    return nn.functional.one_hot(codes, 4).permute(0, 2, 1).float()


PERMUTATION = torch.from_numpy(np.random.default_rng(5).permutation(20))


def moved(model: FullyConnected) -> FullyConnected:
    """The same network with its first weights moved."""
    other = copy.deepcopy(model)
    with torch.no_grad():
        other.hidden.weight.copy_(check.which_survives.oracle(model.hidden.weight.detach(), PERMUTATION))
    return other


def trained(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> nn.Module:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(30):
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(x), y).backward()
        optimizer.step()
    return model


def test_a_fully_connected_network_does_not_feel_the_shuffle():
    """Its moved twin says the same of shuffled sequences, before training and after the same training."""
    x = sequences(200, 20, seed=1)
    y = (x[:, 0, 3] + x[:, 1, 7] > 0).float()
    with seeded(3):
        model = network("DNN", 8, 20, 5)
    twin, shuffled = moved(model), x[:, :, PERMUTATION]
    with torch.no_grad():
        torch.testing.assert_close(twin(shuffled), model(x))
        assert (model(shuffled) - model(x)).abs().max() > 0.05, "with its own weights it does feel it"
    trained(model, x, y), trained(twin, shuffled, y)
    with torch.no_grad():
        assert (model(x) * (2 * y - 1)).mean() > 0.5, "something was learned"
        torch.testing.assert_close(twin(shuffled), model(x), rtol=1e-3, atol=1e-3)


def test_every_permutation_of_the_check_differs_from_the_way_back():
    for seed in range(20):
        for weights, permutation in check.which_survives.cases(np.random.default_rng(seed)):
            assert weights.shape[1] == 4 * len(permutation)
            assert sorted(permutation.tolist()) == list(range(len(permutation)))
            assert permutation.tolist() != permutation.argsort().tolist()


# --- linear_autoencoder --------------------------------------------------------------------------


def test_the_reconstruction_is_that_of_pca():
    from sklearn.decomposition import PCA

    for seed in range(5):
        for matrix, k in check.linear_autoencoder.cases(np.random.default_rng(seed)):
            pca = PCA(k).fit(matrix)
            expected = pca.inverse_transform(pca.transform(matrix))
            np.testing.assert_allclose(check.linear_autoencoder.oracle(matrix, k), expected, atol=1e-7)


def test_a_trained_linear_autoencoder_comes_close_and_never_below():
    matrix, k = list(check.linear_autoencoder.cases(np.random.default_rng(0)))[-1]
    least = ((matrix - check.linear_autoencoder.oracle(matrix, k)) ** 2).mean()
    x = torch.from_numpy(matrix)
    with seeded(0):
        model = nn.Sequential(nn.Linear(matrix.shape[1], k), nn.Linear(k, matrix.shape[1])).double()
    with torch.no_grad():  # the biases start where the middle of the samples is
        model[1].bias.copy_(x.mean(dim=0))
        model[0].bias.copy_(-model[0].weight @ x.mean(dim=0))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    errors = []
    for _ in range(1500):
        optimizer.zero_grad()
        error = ((model(x) - x) ** 2).mean()
        error.backward()
        optimizer.step()
        errors.append(error.item())
    assert min(errors) >= least * (1 - 1e-9)
    assert errors[-1] < 1.02 * least, (errors[-1], least)
