"""Batches of a dataset: read, some ahead of time if wanted, and brought to the device of the model.

A dataset of pairs (input, label) is read example by example, as a `DataLoader` does it. Faster are those that give
a whole batch at one go: a `TensorDataset`, and any dataset with these two methods:

* ``take(index)``: a pair, the inputs and the labels at these positions ``(N,)``, as they are stored;
* ``unpack(inputs, labels)``: the same as the model wants it, on the device where it is.

What travels to a graphics card is then as small as what is stored: see :class:`course_utils.hdf5_windows.HDF5Windows`
and :class:`course_utils.packed_windows.PackedWindows`. Used by :mod:`course_utils.training`; explained in lesson 10.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch.utils.data import Dataset, TensorDataset, default_collate

Item, Result = TypeVar("Item"), TypeVar("Result")


def read_batch(data: Dataset, index: torch.Tensor) -> list[torch.Tensor]:
    """The inputs and labels at these positions, as they are stored, on the CPU."""
    if isinstance(data, TensorDataset):
        return [tensor[index] for tensor in data.tensors]
    if hasattr(data, "take"):
        return list(map(torch.as_tensor, data.take(index)))
    return default_collate([data[position] for position in index.tolist()])


def bring(data: Dataset, pair: list[torch.Tensor], device: torch.device) -> list[torch.Tensor]:
    """What :func:`read_batch` gave, on the device and as the model wants it."""
    if device.type == "cuda":  # from pinned memory, a copy runs beside what the card computes
        pair = [tensor.pin_memory() if tensor.device.type == "cpu" else tensor for tensor in pair]
    pair = [tensor.to(device, non_blocking=True) for tensor in pair]
    return list(data.unpack(*pair)) if hasattr(data, "unpack") else pair


def batch_of(data: Dataset, index: torch.Tensor, device: torch.device) -> list[torch.Tensor]:
    """The inputs and labels at these positions, ready for the model."""
    return bring(data, read_batch(data, index), device)


def ahead(read: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """What `read` gives for each item, in order; that many threads read ahead, two items each. 0: none does."""
    if not workers:
        yield from map(read, items)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting = deque()
        try:
            for item in items:
                waiting.append(pool.submit(read, item))
                if len(waiting) > 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # after an error or an early end, nothing more is read
            for future in waiting:
                future.cancel()
