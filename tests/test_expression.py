"""A simulated table with known factors, canonical correlations, and the error that is left."""

import numpy as np
import pytest
from sklearn.cross_decomposition import CCA
from sklearn.decomposition import PCA

from course_utils.expression import canonical_correlations, reconstruction_floor, simulate_expression


@pytest.fixture
def columns():
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(300, 2))
    one = shared @ rng.normal(size=(2, 3)) + rng.normal(size=(300, 3))
    return one, shared @ rng.normal(size=(2, 2)) + rng.normal(size=(300, 2)), rng


def test_canonical_correlations_are_those_of_scikit_learn(columns):
    one, other, _ = columns
    left, right = CCA(n_components=2, max_iter=5_000, tol=1e-12).fit_transform(one, other)
    theirs = [np.corrcoef(left[:, i], right[:, i])[0, 1] for i in range(2)]
    assert canonical_correlations(one, other) == pytest.approx(theirs, abs=1e-4)


def test_they_do_not_mind_turning_stretching_mixing_or_moving(columns):
    one, other, rng = columns
    before = canonical_correlations(one, other)
    assert canonical_correlations(one @ rng.normal(size=(3, 3)) + 7, other * [2, -5]) == pytest.approx(before)
    assert canonical_correlations(other, one) == pytest.approx(before)
    assert canonical_correlations(one, one) == pytest.approx([1, 1, 1])


def test_of_one_column_each_it_is_the_size_of_the_correlation(columns):
    one, other, _ = columns
    expected = abs(np.corrcoef(one[:, 0], other[:, 1])[0, 1])
    assert canonical_correlations(one[:, :1], other[:, 1:]) == pytest.approx([expected])


def test_a_table_is_what_was_asked_for():
    made = simulate_expression(4_000, genes=30, kind="linear", noise=0.4, rng=np.random.default_rng(1))
    assert made.table.shape == made.clean.shape == (4_000, 30) and made.factors.shape == (4_000, 2)
    assert abs(made.factors).max() <= 1 and (made.table - made.clean).std() == pytest.approx(0.4, abs=0.005)
    assert np.linalg.matrix_rank(made.clean) == 2, "linear"
    curved = simulate_expression(4_000, genes=30, kind="curved", noise=0.4, rng=np.random.default_rng(1))
    assert np.linalg.matrix_rank(curved.clean) > 10 and 0 < curved.clean.min() and curved.clean.max() <= 2


def test_the_floor_is_what_the_true_directions_leave():
    made = simulate_expression(20_000, genes=20, kind="linear", noise=0.5, rng=np.random.default_rng(2))
    directions = np.linalg.svd(made.clean, full_matrices=False)[2][:2]  # (2, genes)
    again = made.table @ directions.T @ directions
    error = ((again - made.table) ** 2).mean()
    assert error == pytest.approx(reconstruction_floor(0.5, 20, 2), rel=0.01)
    pca = PCA(2).fit(made.table)
    fitted = pca.inverse_transform(pca.transform(made.table))
    assert ((fitted - made.table) ** 2).mean() == pytest.approx(error, rel=0.01)
