"""A step of Basenji, forward and backward of one window of 131,072 bp, beside a bare network of the same sizes.

    python benchmarks/basenji.py [--threads 2]

Medians of five, in turn. The bare network has no weight normalisation: plain Conv1d layers in one function, as
PyTorch's pages show them. The two must give the same numbers for the same weights. Beside the time: operations
for each second, the memory that a step needs (in a process of its own), and how long it takes to load such a
window from an HDF5 file. The aim is 0.10 s for a step on two free cores.
"""

import argparse
import gc
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from course_utils.hdf5_windows import HDF5Windows, write_windows
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji, lecture_squeeze
from course_utils.windows import Windows

LENGTH, BIN, TARGETS, REPEATS, WINDOWS = 131_072, 128, 10, 5, 8


class Bare(nn.Module):
    """The same sizes, the shortest way."""

    def __init__(self):
        super().__init__()
        self.squeeze, self.dilated, channels = nn.ModuleList(), nn.ModuleList(), 4
        for out, kernel, stride, _ in lecture_squeeze(24):
            self.squeeze.append(nn.Conv1d(channels, 2 * out, kernel, stride, kernel // 2))
            channels = out
        for dilation in (1, 2, 4, 8, 16, 32, 64):
            self.dilated.append(nn.Conv1d(channels, 48, 3, padding=dilation, dilation=dilation))
            channels += 24
        self.head = nn.Conv1d(channels, TARGETS, 1)

    def forward(self, x):
        for conv, (_, _, _, dropout) in zip(self.squeeze, lecture_squeeze(24), strict=True):
            x = F.dropout(F.glu(conv(x), dim=1), dropout, self.training)
        for conv in self.dilated:
            x = torch.cat([x, F.dropout(F.glu(conv(x), dim=1), 0.1, self.training)], dim=1)
        return self.head(x).permute(0, 2, 1)


def copy_weights(model: Basenji, bare: Bare) -> None:
    """Give the bare network the weights that the gains and directions of the other make."""
    with torch.no_grad():
        pairs = [(block.conv, conv) for block, conv in zip(model.squeeze, bare.squeeze, strict=True)]
        pairs += [(block.conv, conv) for block, conv in zip(model.dilated, bare.dilated, strict=True)]
        for there, here in [*pairs, (model.head, bare.head)]:
            here.weight.copy_(there.weight)
            here.bias.copy_(there.bias)


def operations(model: Basenji, length: int) -> int:
    """Multiplications and additions in the convolutions of a step, of one window; padding counts as bases.

    The gradient of the weights takes as many as the layer itself, and so does that of its input. The first
    layer needs only the former: nothing asks for the gradient of the sequence.
    """
    total = 0
    for number, conv in enumerate([*(block.conv for block in [*model.squeeze, *model.dilated]), model.head]):
        length //= conv.stride[0]
        weights = conv.out_channels * conv.in_channels * conv.kernel_size[0]
        total += 2 * weights * length * (2 if number == 0 else 3)
    return total


def window(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Random bases (L, 4), bool, and counts (bins, T), float32."""
    rng = np.random.default_rng(seed)
    one_hot = np.eye(4, dtype=bool)[rng.integers(4, size=LENGTH)]
    return one_hot, rng.poisson(1.0, (LENGTH // BIN, TARGETS)).astype(np.float32)


def step_of(model: nn.Module) -> Callable[[], None]:
    one_hot, tracks = window()
    inputs, counts = torch.from_numpy(one_hot).float().T[None].contiguous(), torch.from_numpy(tracks)[None]

    def step():
        model.zero_grad()
        log_poisson(model(inputs), counts).backward()

    return step


def peak() -> float:
    """The largest memory that this process has had so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def memory_of_steps() -> None:
    """What `main` runs in a process of its own: memory before the first step, and what three steps add."""
    with seeded(0):
        step = step_of(Basenji())
    gc.collect()
    before = peak()
    for _ in range(3):
        step()
    print(f"{before:.0f} {peak() - before:.0f}")


def loading_time(folder: Path) -> float:
    """Median time to load one of several windows from an HDF5 file that was just written, in seconds."""
    one_hot, tracks = zip(*map(window, range(WINDOWS)), strict=True)
    labels = tuple(f"track {number}" for number in range(TARGETS))
    write_windows(folder / "windows.h5", {"train": Windows(np.stack(one_hot), np.stack(tracks), labels)})
    data, taken = HDF5Windows(folder / "windows.h5", "train"), []
    for number in range(WINDOWS):
        start = time.perf_counter()
        data[number]
        taken.append(time.perf_counter() - start)
    data.close()
    return median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; 2 unless given")
    parser.add_argument("--memory", action="store_true", help="only the memory, of this process")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.memory:
        memory_of_steps()
        return

    # First, while this process is small: a child starts with the peak of the process that made it.
    command = [sys.executable, __file__, "--memory", "--threads", str(arguments.threads)]
    before, more = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    with seeded(0):
        model, bare = Basenji(), Bare()
    copy_weights(model, bare)
    steps = {"course_utils": step_of(model), "bare PyTorch": step_of(bare)}
    times = {name: [] for name in steps}
    for repeat in range(REPEATS + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if repeat:  # the first step makes room and plans
                times[name].append(time.perf_counter() - start)
    work, reference = operations(model, LENGTH), median(times["bare PyTorch"])
    print(f"forward and backward of {LENGTH:,} bp, {arguments.threads} threads, {work / 1e9:.2f} GFLOP")
    for name, taken in times.items():
        middle = median(taken)
        print(
            f"{name:14}{middle:7.3f} s ({min(taken):.3f} to {max(taken):.3f}){work / 1e9 / middle:7.0f} GFLOP/s"
            f"{middle / reference:7.2f} x bare"
        )
    print(f"memory: {more} MiB more in a step than the {before} MiB of Python, PyTorch and the network")
    with tempfile.TemporaryDirectory() as folder:
        loading = loading_time(Path(folder))
    share = loading / (loading + median(times["course_utils"]))
    print(f"loading a window from HDF5: {1e3 * loading:.1f} ms, {share:.1%} of loading and step together")

    model.eval(), bare.eval()
    inputs = torch.from_numpy(window()[0]).float().T[None]
    with torch.no_grad():
        if not torch.allclose(model(inputs), bare(inputs), atol=1e-5):
            sys.exit("the networks give different numbers for the same weights")


if __name__ == "__main__":
    main()
