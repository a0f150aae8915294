"""What the tests of lesson 10 share: its genome, drawn again, the stored runs, and readers of what it prints."""

import json
import re
from functools import cache, partial
from math import sqrt

import numpy as np
import pytest
import reading
import torch
from reading import code, prose, said
from scipy.stats import pearsonr, t as student

from course_utils.datasets import fetch, shipped
from course_utils.genomes import make_genome, simulate_genome
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.tfrecords import read_basenji
from course_utils.windows import Windows

NAME = "10_basenji"
PROSE, CODE = prose(NAME), code(NAME)
WINDOW = 2**17
PLAIN = (1,) * 7
SEED = int(re.search(r"rng = np\.random\.default_rng\((\d+)\)\ngenome = make_genome", CODE)[1])
claims = partial(reading.claims, NAME)


@pytest.fixture(scope="module")
def parts() -> dict:
    """The simulated genome, drawn again from the lesson's seed."""
    assert '[("train", 512), ("valid", 64), ("test", 128)]' in CODE
    rng = np.random.default_rng(SEED)
    genome = make_genome(rng)
    return {
        name: simulate_genome(count, genome, rng=rng)
        for name, count in (("train", 512), ("valid", 64), ("test", 128))
    }


@pytest.fixture(scope="module")
def test(parts):
    return parts["test"]


@pytest.fixture(scope="module")
def runs() -> dict:
    return json.loads(shipped("basenji_runs.json").read_text("utf-8"))["runs"]


@pytest.fixture(scope="module")
def folds() -> list[dict]:
    return json.loads(shipped("cage_runs.json").read_text("utf-8"))["folds"]


@pytest.fixture(scope="module")
def cage() -> Windows:
    if reason := reading.why_unavailable("basenji-cage"):
        pytest.skip(reason)
    return read_basenji(fetch("basenji-cage"))


def whole(words: str) -> list[int]:
    """The whole numbers in a text, 1,000 as 1000."""
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\d|\d", words)]


def found(tag: str, pattern: str) -> list[float]:
    """The numbers that a pattern's groups match in what a tag's cells printed."""
    match = re.search(pattern, said(NAME, tag))
    assert match, f"the cells tagged {tag} do not print {pattern!r}"
    return [float(number.replace(",", "")) for number in match.groups()]


def r_of(counts: np.ndarray, rates: np.ndarray, log1p: bool = False) -> float:
    """scipy's r of each track over all windows and bins, mean over the tracks."""
    if log1p:
        counts, rates = np.log1p(counts), np.log1p(rates)
    return np.mean(
        [pearsonr(counts[..., t].ravel(), rates[..., t].ravel())[0] for t in range(counts.shape[-1])]
    )


def interval(first, second) -> tuple[float, float, float]:
    """Mean difference of pairs and its 95 % interval, by hand."""
    d = [float(a) - float(b) for a, b in zip(first, second)]
    mean = sum(d) / len(d)
    error = sqrt(sum((x - mean) ** 2 for x in d) / (len(d) - 1) / len(d))
    half = student.ppf(0.975, len(d) - 1) * error
    return mean, mean - half, mean + half


def random_inputs(count: int, length: int, seed: int = 1) -> torch.Tensor:
    codes = torch.randint(4, (count, length), generator=torch.Generator().manual_seed(seed))
    return torch.eye(4)[codes].permute(0, 2, 1).contiguous()


@cache
def basenji(seed: int, dilations: tuple[int, ...] = (1, 2, 4, 8, 16, 32, 64)) -> Basenji:
    with seeded(seed):
        return Basenji(base=8, growth=16, dilations=dilations)
