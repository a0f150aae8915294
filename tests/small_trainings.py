"""A small network, small data and `fit` with usual settings, for the tests of the training loop."""

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from course_utils.models import seeded
from course_utils.models.motif_cnn import MotifCNN
from course_utils.training import fit


def shuffler(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def examples(many: int, seed: int = 0, noise: float = 0.0) -> TensorDataset:
    """Sequences (many, 4, 20) and whether base 8 is C or G, with a share of wrong labels."""
    codes = torch.randint(4, (many, 20), generator=shuffler(seed))
    labels = ((codes[:, 8] == 1) | (codes[:, 8] == 2)).long()
    wrong = torch.rand(many, generator=shuffler(seed + 1)) < noise
    return TensorDataset(torch.eye(4)[codes].permute(0, 2, 1), torch.where(wrong, 1 - labels, labels))


TRAIN, VALID = examples(330), examples(90, seed=5)


def fresh(network=MotifCNN, seed: int = 3, **arguments) -> nn.Module:
    with seeded(seed):
        return network(**arguments)


def train(model: nn.Module, data=TRAIN, valid=None, *, lr: float = 1e-3, **arguments):
    """`fit` with Adam and what most tests have in common."""
    settings = {"loss": nn.CrossEntropyLoss(), "epochs": 3, "generator": shuffler()} | arguments
    settings.setdefault("optimizer", torch.optim.Adam(model.parameters(), lr))
    return fit(model, data, valid, **settings)


def same(one: nn.Module | dict, other: nn.Module | dict) -> bool:
    one, other = (m.state_dict() if isinstance(m, nn.Module) else m for m in (one, other))
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def stopped(tmp_path):
    """The folder of a training that can be resumed with the same settings."""
    train(fresh(), valid=VALID, epochs=2, checkpoint=tmp_path)
    return tmp_path
