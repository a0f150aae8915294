"""The packaged training loop beside a bare one: the 10,642-parameter network, 1,600 x 20 bp, 20 epochs.

    python benchmarks/training.py

Medians of five, in turn, on one thread. The aim is at most 1.5 times the bare loop, which is the shortest that
PyTorch's pages show: a DataLoader, and five lines for each batch. The two must end with the same weights.
"""

import sys
import tempfile
import time
from statistics import median

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from course_utils.models import seeded
from course_utils.models.motif_cnn import MotifCNN
from course_utils.training import fit

EXAMPLES, VALIDATION, LENGTH, BATCH, EPOCHS, REPEATS = 1600, 400, 20, 64, 20, 5


def examples(many: int) -> TensorDataset:
    codes = torch.randint(4, (many, LENGTH), generator=torch.Generator().manual_seed(many))
    return TensorDataset(torch.eye(4)[codes].permute(0, 2, 1).contiguous(), (codes[:, 8] > 1).long())


TRAIN, VALID = examples(EXAMPLES), examples(VALIDATION)


def parts():
    with seeded(1):
        model = MotifCNN()
    return model, torch.optim.Adam(model.parameters(), lr=1e-3), nn.CrossEntropyLoss()


def bare() -> nn.Module:
    model, optimizer, loss = parts()
    shuffler = torch.Generator().manual_seed(1)
    loader = DataLoader(TRAIN, batch_size=BATCH, shuffle=True, generator=shuffler)
    for _ in range(EPOCHS):
        for inputs, labels in loader:
            optimizer.zero_grad()
            batch_loss = loss(model(inputs), labels)
            batch_loss.backward()
            optimizer.step()
    return model


def packaged(**more) -> nn.Module:
    model, optimizer, loss = parts()
    shuffler = torch.Generator().manual_seed(1)
    settings = {"epochs": EPOCHS, "batch_size": BATCH, "generator": shuffler} | more
    fit(model, TRAIN, loss=loss, optimizer=optimizer, **settings)
    return model


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        loops = {
            "bare": bare,
            "fit": packaged,
            "fit, validation each epoch": lambda: packaged(valid=VALID),
            "fit, validation and checkpoints": lambda: packaged(valid=VALID, checkpoint=folder),
        }
        models = [loop() for loop in loops.values()]  # the first of all loads what later ones have
        times = {name: [] for name in loops}
        for _ in range(REPEATS):
            for name, loop in loops.items():
                start = time.perf_counter()
                loop()
                times[name].append(time.perf_counter() - start)
    for name, taken in times.items():
        print(f"{name:33}{median(taken):6.2f} s{median(taken) / median(times['bare']):7.2f} x bare")
    weights = [torch.cat([p.flatten() for p in model.parameters()]) for model in models]
    if not all(torch.equal(weights[0], other) for other in weights):
        sys.exit("the loops end with different weights")


if __name__ == "__main__":
    main()
