"""Train many copies of a small network at once, each with first weights, data and an order of its own.

A step of a small network takes longer to call than to compute. With `torch.func`, one call computes a step of all
copies: eighty of 401 parameters train several times as fast as one after the other, eighty of 128,050
nearly twice.

Copy number n takes the steps that `course_utils.training.fit` takes for a network made under ``seeded(n)`` with Adam
and a generator that starts from n: the same batches in the same order. Dropout draws other numbers, and sums are
rounded in another order, which after many steps leads elsewhere.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.utils.data import DataLoader

from course_utils.models import seeded
from course_utils.training import Loss


class SideBySide:
    """Copies of one network.

    Args:
        make: makes a network; called under ``seeded(number)`` for each number.
        numbers: of the runs, K of them.
        inputs, labels: what there is, ``(N, 4, L)`` and ``(N,)``.
        rows: of each run, its rows for training, ``(K, n)``.
        loss: the mean loss of a batch, from logits and labels.
        rate: of Adam.
        batch: examples a step; a divisor of n.
    """

    def __init__(self, make, numbers: Sequence[int], inputs, labels, rows, loss: Loss, rate: float, batch: int):
        models = []
        for number in numbers:
            with seeded(number):
                models.append(make())
        self.inputs, self.labels, self.rows, self.loss, self.batch = inputs, labels, torch.as_tensor(rows), loss, batch
        self.model = models[0]  # its layers; the weights are in `self.weights`, with a first axis of K
        self.weights, self.state = stack_module_state(models)
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=rate, fused=True)  # the same steps, in one call
        self.generators = [torch.Generator().manual_seed(number) for number in numbers]
        self.noise = numbers[0]  # where the dropout's numbers start from
        self.batch_loss = []  # of each step, (K,)

    def epoch(self) -> None:
        """One pass of each copy through its rows."""
        everything = range(self.rows.shape[1])
        # DataLoader deals out the order as it does in `fit`
        order = [
            next(iter(DataLoader(everything, len(everything), shuffle=True, generator=generator)))
            for generator in self.generators
        ]
        shuffled = self.rows.gather(1, torch.stack(order))
        self.model.train()
        step = vmap(self._loss, randomness="different")
        with seeded(self.noise + len(self.batch_loss)):
            for rows in shuffled.split(self.batch, dim=1):
                losses = step(self.weights, self.state, self.inputs[rows], self.labels[rows])
                self.optimizer.zero_grad()
                losses.sum().backward()  # the copies share no weights: each gets the gradient of its own loss
                self.optimizer.step()
                self.batch_loss.append(losses.detach())

    def outputs(self, rows) -> torch.Tensor:
        """What each copy, in eval mode, says of rows ``(K, n)``: logits ``(K, n)`` or ``(K, n, 2)``."""
        self.model.eval()
        with torch.no_grad():
            parts = torch.as_tensor(rows).split(150, dim=1)
            return torch.cat([vmap(self._logits)(self.weights, self.state, self.inputs[part]) for part in parts], 1)

    def losses(self, rows) -> np.ndarray:
        """The mean loss of each copy, in eval mode, over rows ``(K, n)``."""
        return vmap(self.loss)(self.outputs(rows), self.labels[torch.as_tensor(rows)]).numpy()

    def keep(self, copies: Sequence[int]) -> None:
        """Go on with these copies alone."""
        before = self.optimizer
        rate = before.param_groups[0]["lr"]
        old, self.weights = self.weights, {
            name: weight.detach()[copies].requires_grad_() for name, weight in self.weights.items()
        }
        self.state = {name: value[copies] for name, value in self.state.items()}
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=rate, fused=True)
        for name, weight in self.weights.items():
            moments = before.state[old[name]]
            self.optimizer.state[weight] = {
                key: value if key == "step" else value[copies] for key, value in moments.items()
            }
        self.rows = self.rows[copies]
        self.generators = [self.generators[copy] for copy in copies]

    def _logits(self, weights: dict, state: dict, inputs: torch.Tensor) -> torch.Tensor:
        return functional_call(self.model, (weights, state), (inputs,))

    def _loss(self, weights: dict, state: dict, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        return self.loss(self._logits(weights, state, inputs), labels)
