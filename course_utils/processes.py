"""Several processes that train one model together, each on its share of every batch.

    torchrun --standalone --nproc-per-node 2 -m course_utils.full_size seq.h5 out

`torchrun`, which comes with PyTorch, starts the processes and numbers them: these numbers are the *ranks*. Inside
:func:`joined` they can talk to each other, and :func:`course_utils.training.fit` then does what is needed:

* each batch is dealt out: rank r takes its examples r, r + size, r + 2 size, ...;
* the gradients of the shares are added up before each step, so that all processes take the same one: that which
  a single process would take on the whole batch;
* losses are added up likewise, so that every process knows the same history.

A program that was started without `torchrun` is alone: one process, rank 0 of 1. Explained in lesson 10.

    Li et al., PyTorch Distributed, Proceedings of the VLDB Endowment 13, 3005 (2020)
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed, nn


@dataclass(frozen=True)
class Processes:
    """The processes that work together, as one of them sees them.

    Attributes:
        rank: the number of this one, from 0.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    def share(self, index: torch.Tensor) -> tuple[torch.Tensor, int]:
        """The positions of a batch, ``(N,)``, that fall to this process, and how many of them count.

        A last batch may have fewer examples than there are processes. Who gets none takes the first all the
        same, so that all of them compute and meet, and it does not count.
        """
        if self.size == 1:
            return index, len(index)
        own = index[self.rank :: self.size]
        return (own, len(own)) if len(own) else (index[:1], 0)

    def wait(self) -> None:
        """Until all processes are here."""
        self.total(0)

    def begin_alike(self, model: nn.Module) -> None:
        """Give the model in every process the weights that it has in the first."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                distributed.broadcast(tensor, 0)

    def add_gradients(self, weights: Iterable[nn.Parameter]) -> None:
        """Replace the gradient of each weight by the sum of its gradients in all processes.

        All of them travel as one row of numbers. torch's DistributedDataParallel sends parts of it while others are
        still computed; but it arranges them anew after its first step, so that with three or more processes a training
        that goes on after a break would differ in the last bits. For a network of this size nothing is gained by it.
        """
        if self.size == 1:
            return
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        row = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(row)
        for gradient, total in zip(gradients, row.split([gradient.numel() for gradient in gradients])):
            gradient.copy_(total.view_as(gradient))

    def total(self, *numbers: float) -> list[float]:
        """Each number, summed over the processes."""
        if self.size == 1:
            return list(numbers)
        sums = torch.tensor(numbers, dtype=torch.float64)
        distributed.all_reduce(sums)
        return sums.tolist()

    def gathered(self, state: torch.Tensor) -> list[torch.Tensor]:
        """The tensors of all processes, on the CPU and of one shape and type, in the order of their ranks."""
        if self.size == 1:
            return [state]
        states = [torch.empty_like(state) for _ in range(self.size)]
        distributed.all_gather(states, state.contiguous())
        return states


def current() -> Processes:
    """The processes that :func:`joined` brought together, or this one alone."""
    if distributed.is_available() and distributed.is_initialized():
        return Processes(distributed.get_rank(), distributed.get_world_size())
    return Processes()


def joined(
    device: str | torch.device = "cpu",
) -> AbstractContextManager[tuple[Processes, torch.device]]:
    """A context in which the processes that `torchrun` started can talk: a pair (processes, device of this one).

    Numbers travel by gloo, gradients on graphics cards by NCCL. With "cuda", each process of a machine gets
    a card of its own, and more processes than cards are refused.

    Raises:
        ValueError: for a device that is not here or cannot be shared, or too few cards (lesson 10).
    """
    device = _checked_device(device)
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:  # not started by torchrun
        return nullcontext((Processes(), device))
    if device.type == "mps" or device.index is not None:
        raise ValueError(f"the device is {str(device)!r}; under torchrun, cpu or cuda is expected, without a number")
    return _joined(torch.device("cuda", _card()) if device.type == "cuda" else device)


@contextmanager
def _joined(device: torch.device) -> Iterator[tuple[Processes, torch.device]]:
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # A day, since one may prepare data for hours while the others wait; after an error, torchrun ends all of them.
    distributed.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timeout=timedelta(days=1))
    yield current(), device
    # Not after an error: the others may wait in vain, and torchrun ends them.
    distributed.destroy_process_group()


def _checked_device(device: str | torch.device) -> torch.device:
    try:
        device = torch.device(device)
    except RuntimeError:
        raise ValueError(f"the device is {device!r}; cpu, cuda or mps is expected") from None
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not here.get(device.type):
        there = ", ".join(name for name, available in here.items() if available)
        raise ValueError(f"the device is {str(device)!r}, and PyTorch finds no such device here; there is {there}")
    return device


def _card() -> int:
    """The number of the graphics card of this process, on its machine."""
    card, cards = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if card >= cards:
        raise ValueError(
            f"process {card} of this machine has no graphics card, as there are {cards}: "
            f"torchrun --nproc-per-node {cards} is expected"
        )
    return card
