"""Full size on this machine: 6,000 synthetic windows of 131,072 bp, made, packed, loaded and trained on.

    python benchmarks/full_size.py [--windows 6000] [--threads 2]

Makes a file like the lecture's in a temporary folder (3.3 GB, and 0.9 GB packed; about five minutes), deletes it at the
end, and prints: how long it takes and how much memory; windows loaded a second from HDF5 and packed; windows trained on
a second, alone, in bfloat16, and in two processes; what an epoch of 5,000 windows then takes; and what the arithmetic
and the memory traffic of an epoch would take at the peak of well-known machines, which is a lower bound. Loading is
to be at least 10 times as fast as training, and memory below 2 GB.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from basenji import operations
from torch.utils.data import Subset

from course_utils.batches import batch_of
from course_utils.full_size import Recipe, train_full_size
from course_utils.hdf5_windows import HDF5Windows
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.packed_windows import PackedWindows, pack_windows
from course_utils.processes import joined
from course_utils.synthetic_windows import make_synthetic
from course_utils.training import fit

LENGTH, TRAIN, VALID, BATCH, STEPS = 131_072, 5_000, 500, 8, 6
CPU = torch.device("cpu")

#: Operations a second (TFLOP/s, dense) and memory traffic (TB/s), as their makers state them; T4 has no bfloat16.
MACHINES = {
    ("T4", "float32"): (8.1, 0.32),
    ("L4", "bfloat16"): (121.0, 0.30),
    ("A100 80 GB", "bfloat16"): (312.0, 2.04),
    ("H100 SXM", "bfloat16"): (989.0, 3.35),
    ("H200 SXM", "bfloat16"): (989.0, 4.8),
}


# --- arithmetic ----------------------------------------------------------------------------------


def traffic(model: Basenji, length: int, bytes_each: int) -> int:
    """Bytes that a step of one window must at least read and write, if each layer's tensors do not fit the cache.

    Forward, a convolution reads its input and writes twice its channels; the gate reads those and writes one
    half; a dense connection copies what it joins. Backward moves every one of these tensors once more, and its
    gradient. Weights are small beside them.
    """
    numbers, channels = 0, 4
    for block in model.squeeze:
        numbers += channels * length
        length //= block.conv.stride[0]
        numbers += 5 * block.conv.out_channels // 2 * length  # written, read, and one half written
        channels = block.conv.out_channels // 2
    for block in model.dilated:
        new = block.conv.out_channels // 2
        numbers += (channels + 5 * new + 2 * (channels + new)) * length
        channels += new
    numbers += (channels + model.head.out_channels) * length
    return 3 * numbers * bytes_each


def kept(model: Basenji, length: int, precision: str) -> int:
    """Bytes that one window's forward pass keeps for the backward pass, weights aside: the least a batch needs."""
    found, held = {}, []

    def note(tensor):
        held.append(tensor)  # so that no other tensor gets its place
        found[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            outputs = model(torch.zeros(1, 4, length))
        log_poisson(outputs.float(), torch.ones(outputs.shape))
    weights = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    return sum(size for place, size in found.items() if place not in weights)


def lower_bounds() -> None:
    """Print the least an epoch can take on machines at their peak."""
    with seeded(0):
        model = Basenji()
    train = TRAIN * operations(model, LENGTH)
    print(f"an epoch of {TRAIN:,} windows: {train / 1e12:.1f} TFLOP; memory traffic at least", end=" ")
    print(" and ".join(f"{TRAIN * traffic(model, LENGTH, size) / 1e12:.2f} TB ({name})" for name, size in KINDS.items()))
    for precision in KINDS:
        print(f"a window keeps {kept(model, LENGTH, precision) / 1e6:.0f} MB for the backward pass in {precision}")
    for (name, precision), (tera, bandwidth) in MACHINES.items():
        arithmetic = train / 1e12 / tera
        memory = TRAIN * traffic(model, LENGTH, KINDS[precision]) / 1e12 / bandwidth
        print(f"{name:12}{precision:9} arithmetic {arithmetic:6.2f} s   memory {memory:6.2f} s   (at the peak)")


KINDS = {"float32": 4, "bfloat16": 2}


# --- one process ---------------------------------------------------------------------------------


def peak() -> float:
    """The largest memory that this process has had so far, in MiB; mapped files count."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def job_make(folder: Path, windows: int) -> dict:
    counts = {"train": windows * 10 // 12, "valid": windows // 12, "test": windows // 12}
    start = time.perf_counter()
    make_synthetic(folder / "seq.h5", counts=counts, progress=False)
    return {"seconds": time.perf_counter() - start, "bytes": os.stat(folder / "seq.h5").st_size}


def job_pack(folder: Path, windows: int) -> dict:
    start = time.perf_counter()
    packed = pack_windows(folder / "seq.h5", progress=False)
    size = sum(os.stat(path).st_size for path in packed.iterdir())
    return {"seconds": time.perf_counter() - start, "bytes": size}


def job_load(folder: Path, windows: int) -> dict:
    """Windows a second, ready for the network: from HDF5, packed, and packed as they travel to a graphics card."""
    file, packed = HDF5Windows(folder / "seq.h5", "train"), PackedWindows(folder / "seq.packed", "train")
    rates = {}
    for name, data, many in (("HDF5", file, 200), ("packed", packed, len(packed))):
        start = time.perf_counter()
        for index in torch.arange(min(many, len(data))).split(BATCH):
            batch_of(data, index, CPU)
        rates[name] = min(many, len(data)) / (time.perf_counter() - start)
    start = time.perf_counter()
    for index in torch.arange(len(packed)).split(BATCH):
        packed.take(index)
    rates["packed, one byte a base"] = len(packed) / (time.perf_counter() - start)
    return rates


def job_train(folder: Path, windows: int, precision: str = "float32") -> dict:
    """Windows a second in training, over the median step; one process or, under torchrun, several."""
    packed = PackedWindows(folder / "seq.packed", "train")
    few = Chosen(packed, BATCH * STEPS)
    with joined() as (processes, _), seeded(1):
        model, times = Basenji(), [time.perf_counter()]

        def timed(outputs, counts):
            if outputs.requires_grad:
                times.append(time.perf_counter())
            return log_poisson(outputs, counts)

        fit(
            model, few, loss=timed, optimizer=torch.optim.Adam(model.parameters(), 1e-3), epochs=2, batch_size=BATCH,
            generator=torch.Generator().manual_seed(1), clip=0.01, precision=precision, workers=1, progress=False,
        )  # fmt: skip
    steps = [after - before for before, after in zip(times[2:], times[3:])]
    return {"windows a second": BATCH / median(steps), "rank": processes.rank}


def job_program(folder: Path, windows: int) -> dict:
    """The whole program on a hundredth of the training windows, and all test windows."""
    start = time.perf_counter()
    recipe = Recipe(epochs=1, fraction=max(0.01, BATCH / windows))
    train_full_size(folder / "seq.h5", folder / "out", recipe, say=lambda line: print(line, file=sys.stderr))
    return {"seconds": time.perf_counter() - start}


class Chosen(Subset):
    """Some windows, spread over all, read a batch at a time."""

    def __init__(self, data: PackedWindows, many: int):
        super().__init__(data, torch.linspace(0, len(data) - 1, min(many, len(data))).long().tolist())

    def take(self, index):
        return self.dataset.take(torch.tensor(self.indices)[index])

    def unpack(self, codes, tracks):
        return self.dataset.unpack(codes, tracks)


JOBS = {"make": job_make, "pack": job_pack, "load": job_load, "train": job_train, "program": job_program}


#: Has Linux's C library keep what a step gives back for the next one, in place of asking the system for it anew.
KEEP = {"MALLOC_MMAP_THRESHOLD_": "10000000000", "MALLOC_TRIM_THRESHOLD_": "10000000000"}


def run(job: str, folder: Path, windows: int, threads: int, *more: str, processes: int = 1, keep: bool = False) -> dict:
    """A job in a process of its own, so that its memory can be told; with several, the first one's answer."""
    environment = os.environ | (KEEP if keep else {})
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += [__file__, "--job", job, "--folder", str(folder), "--windows", str(windows), "--threads", str(threads), *more]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--windows", type=int, default=6_000, help="of the synthetic file, over its three splits")
    parser.add_argument("--threads", type=int, default=2, help="of PyTorch; 2 unless given")
    parser.add_argument("--precision", default="float32", help=argparse.SUPPRESS)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    if chosen.job:
        more = {"precision": chosen.precision} if chosen.job == "train" else {}
        answer = JOBS[chosen.job](chosen.folder, chosen.windows, **more)
        if not answer.pop("rank", 0):
            print(json.dumps(answer | {"MiB": peak()}))
        return

    lower_bounds()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for job in ("make", "pack"):
            done = run(job, folder, chosen.windows, chosen.threads)
            print(
                f"{job} {chosen.windows:,} windows: {done['seconds']:.0f} s, {done['bytes'] / 1e9:.2f} GB, memory "
                f"{done['MiB']:.0f} MiB"
            )
        loaded = run("load", folder, chosen.windows, chosen.threads)
        print(f"loading, memory {loaded.pop('MiB'):.0f} MiB (mapped files included)")
        for name, rate in loaded.items():
            print(f"  {name:24}{rate:9.0f} windows a second")
        slowest = loaded["HDF5"]
        print(f"training, batches of {BATCH}")
        for name, precision, processes, threads, keep in (
            (f"one process, {chosen.threads} threads", "float32", 1, chosen.threads, False),
            (f"one process, {chosen.threads} threads", "bfloat16", 1, chosen.threads, False),
            ("two processes, 1 thread each", "float32", 2, 1, False),
            (f"one process, {chosen.threads} threads, KEEP", "float32", 1, chosen.threads, True),
            (f"one process, {chosen.threads} threads, KEEP", "bfloat16", 1, chosen.threads, True),
        ):
            done = run(
                "train", folder, chosen.windows, threads, "--precision", precision, processes=processes, keep=keep
            )
            rate = done["windows a second"]
            print(
                f"  {name:30}{precision:9}{rate:6.1f} windows a second, an epoch of {TRAIN:,} in {TRAIN / rate / 60:.1f} "
                f"minutes (extrapolated); HDF5 loads {slowest / rate:.0f} times as fast; memory {done['MiB']:.0f} MiB"
            )
        done = run("program", folder, chosen.windows, chosen.threads)
        print(f"the program, with a hundredth of the training windows: {done['seconds']:.0f} s, memory {done['MiB']:.0f} MiB")


if __name__ == "__main__":
    main()
