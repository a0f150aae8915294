"""The page about full size, and what lesson 10 says of it: every command is understood, every computed figure is true."""

import re
import runpy
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from basenji_reader import PROSE
from window_files import some

from course_utils import full_size, synthetic_windows, window_making
from course_utils.hdf5_windows import write_windows
from course_utils.models import seeded
from course_utils.models.basenji import Basenji

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/full_size.md").read_text("utf-8")
PARSERS = {
    "course_utils.full_size": full_size.command_line,
    "course_utils.window_making": window_making.command_line,
    "course_utils.synthetic_windows": synthetic_windows.command_line,
}
#: Every command in a block of code, or between backticks, that runs one of our programs.
COMMANDS = sorted(set(re.findall(r"(?:^|`)((?:python|torchrun) [^`\n]*-m course_utils\.[^`\n]+)", PAGE + "\n" + PROSE, re.MULTILINE)))


def test_nothing_is_left_open():
    assert not re.findall(r"(?m)^[A-Z_]{4,}$|\b(?:TODO|TIMES|LOADER|XXX)\b", PAGE)


def test_there_are_commands():
    assert len(COMMANDS) > 8 and {re.search(r"-m (\S+)", command)[1] for command in COMMANDS} == set(PARSERS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_understood(command):
    start, module, rest = re.fullmatch(r"(.*?) ?-m (course_utils\.\w+) (.*)", command).groups()
    if rest == "--help":
        assert "usage" in PARSERS[module]().format_help()
        return
    PARSERS[module]().parse_args(shlex.split(rest))
    if start.startswith("torchrun"):
        from torch.distributed.run import get_args_parser

        get_args_parser().parse_args([*shlex.split(start)[1:], "program.py"])
    else:
        assert start == "python"


def test_a_command_with_a_slip_would_be_found():
    with pytest.raises(SystemExit):
        PARSERS["course_utils.full_size"]().parse_args(["seq.h5", "out", "--precison", "bfloat16"])


# --- figures that are computed -------------------------------------------------------------------


@pytest.fixture(scope="module")
def benchmark(one_thread) -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        return runpy.run_path(str(ROOT / "benchmarks/full_size.py"))


@pytest.fixture(scope="module")
def model() -> Basenji:
    with seeded(0):
        return Basenji()


def test_the_arithmetic_and_the_traffic_of_an_epoch_are_as_stated(benchmark, model):
    step = benchmark["operations"](model, benchmark["LENGTH"])
    assert f"takes {step / 1e9:.2f} GFLOP" in PAGE
    assert f"an epoch {5000 * step / 1e12:.1f} TFLOP" in PAGE
    for kind, size in benchmark["KINDS"].items():
        assert f"{5000 * benchmark['traffic'](model, benchmark['LENGTH'], size) / 1e12:.1f} TB in {kind}" in PAGE


def test_the_lower_bounds_of_the_cards_are_as_stated(benchmark, model):
    step = benchmark["operations"](model, benchmark["LENGTH"])
    for (name, precision), (tera, bandwidth) in benchmark["MACHINES"].items():
        traffic = benchmark["traffic"](model, benchmark["LENGTH"], benchmark["KINDS"][precision])
        arithmetic, memory = 5000 * step / 1e12 / tera, 5000 * traffic / 1e12 / bandwidth
        said = [f"{seconds:.1f} s" if seconds >= 0.05 else "below 0.1 s" for seconds in (arithmetic, memory)]
        assert f"| {name} | {precision} | {said[0]} | {said[1]} |" in PAGE


def test_the_memory_of_a_batch_and_the_row_of_gradients_are_as_stated(benchmark, model):
    kept = [benchmark["kept"](model, benchmark["LENGTH"], precision) for precision in ("float32", "bfloat16")]
    assert f"keeps {kept[0] / 1e6:.0f} MB for the backward pass in float32 and {kept[1] / 1e6:.0f} MB in bfloat16" in PAGE
    assert f"a batch of 8 needs at least {8 * kept[0] / 1e9:.1f} or {8 * kept[1] / 1e9:.1f} GB" in PAGE
    assert f"one row of {4 * sum(weight.numel() for weight in model.parameters()) / 1e6:.1f} MB travels" in PAGE


def test_the_traffic_counts_what_the_layers_really_hold(benchmark, model):
    """A hook on each convolution and gate measures the tensors that the formula counts, for a small window."""
    numbers = []

    def measure(module, inputs, output):
        numbers.append(inputs[0].numel() + 5 * output.numel() // 2)  # the convolution, and its gate

    for block in [*model.squeeze, *model.dilated]:
        block.conv.register_forward_hook(measure)
    model.head.register_forward_hook(lambda module, inputs, output: numbers.append(inputs[0].numel() + output.numel()))
    joined = []
    for block in model.dilated:
        block.register_forward_hook(lambda module, inputs, output: joined.append(2 * (inputs[0].numel() + output.numel())))
    with torch.no_grad():
        model(torch.zeros(1, 4, 1024))
    assert benchmark["traffic"](model, 1024, 1) == 3 * (sum(numbers) + sum(joined))


def test_the_size_of_a_packed_window_is_as_stated():
    assert re.search(r"packed ([\d.]+) MB a window", PAGE)[1] == f"{(131_072 + 1024 * 10 * 2) / 1e6:.2f}"


def test_the_network_is_used_afterwards_as_stated(tmp_path, monkeypatch, one_thread):
    [block] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    parts = {split: some(4, length=1024, bins=8) for split in ("train", "valid", "test")}
    write_windows("seq.h5", parts)
    full_size.train_full_size("seq.h5", "out", full_size.Recipe(epochs=1), say=len)
    namespace = {}
    exec(block, namespace)
    assert np.allclose(namespace["rates"].numpy(), np.load("out/test_rates.npy"), rtol=1e-4)
