"""Basenji at full size: the training of lesson 10 as a program, for one processor, a graphics card, or several.

    python -m course_utils.full_size seq.h5 out
    torchrun --standalone --nproc-per-node 4 -m course_utils.full_size seq.h5 out --device cuda --precision bfloat16

The file is one of windows in bins of 128 bases (:mod:`course_utils.hdf5_windows`): the lecture's, one that
:mod:`course_utils.window_making` made from a genome and its tracks, or one that :mod:`course_utils.synthetic_windows`
invented. The recipe is the lecture's unless told otherwise. The folder `out` then holds

* ``settings.json``: the recipe and the data, so that a training is resumed with the same;
* ``last.pt``, ``best.pt``: all that a resume needs, and the weights of the epoch with the lowest validation loss;
* ``log.csv``: a row for each epoch; :func:`course_utils.training_log.read_log` reads it;
* ``test_rates.npy``: the predicted rates of the test windows, ``(N, bins, T)`` float32, by the best weights;
* ``results.json``: how good they are, beside two rules without a network and, where the rates are known, the ceilings.

Explained in lesson 10.
"""

import argparse
import hashlib
import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from course_utils.augmentation import Augmentation
from course_utils.checkpoints import load_weights
from course_utils.checks import finite, said, whole
from course_utils.files import write_whole
from course_utils.hdf5_windows import HDF5Windows, read_windows
from course_utils.losses import log_poisson
from course_utils.models import seeded
from course_utils.models.basenji import Basenji
from course_utils.packed_windows import PackedWindows, pack_windows
from course_utils.processes import joined
from course_utils.schedules import cosine
from course_utils.synthetic_windows import true_rates
from course_utils.tracks import constant_rates, fit_composition, pearson_per_track, poisson_loss
from course_utils.training import History, fit, predict
from course_utils.training_checks import check_counts, check_recipe
from course_utils.training_log import TrainingLog
from course_utils.windows import SPLITS, Windows

#: Training windows, spread over all of them, to which the rules are fitted: more hardly change their few numbers.
RULE_WINDOWS = 200


def _said(default, meaning: str):
    return field(default=default, metadata={"help": meaning})


@dataclass(frozen=True)
class Recipe:
    """How to train; the defaults are those of the Japanese lecture, but for its shift that wraps around.

    What each field means stands beside it; ``--help`` shows the same words.

    Raises:
        ValueError: for a number that cannot be (lesson 10).
    """

    epochs: int = _said(10, "how often to go through the training windows")
    batch_size: int = _said(8, "windows a step, over all processes together")
    fraction: float = _said(1.0, "of the training and validation windows to use, from their beginning; 0.1: a tenth")
    base: int = _said(24, "unit of all widths of the network; 24: 388,154 parameters, for 10 tracks")
    growth: int | None = _said(None, "channels that each dilated block adds (default: that of the base)")
    dropout: float = _said(0.1, "of the dilated blocks")
    learning_rate: float = _said(0.001, "Adam's; it falls along a cosine")
    warmup: int = _said(0, "steps until the learning rate is reached")
    betas: tuple[float, float] = _said((0.97, 0.98), "of Adam")
    clip: float = _said(0.01, "the largest norm of the gradient")
    max_shift: int = _said(5, "bases by which windows are moved at random, at most")
    flip: bool = _said(False, "read windows from either strand, at random; stranded tracks swap where the file says so")
    seed: int = _said(1, "of the first weights, the order of the windows, dropout and augmentation")
    precision: str = _said("float32", "float32, or bfloat16 where the processor or the card knows it")

    def __post_init__(self):
        check_counts(epochs=self.epochs, batch_size=self.batch_size)
        check_recipe(None, self.clip, Augmentation(self.max_shift), self.precision, 0)
        if whole(self.seed) is None or not 0 <= self.seed < 1 << 63:
            raise ValueError(f"the seed is {said(self.seed)}; a whole number from 0 up is expected, below 2 to the 63rd")
        for what, number, below in (("learning rate", self.learning_rate, float("inf")), ("betas", self.betas, 1)):
            for one in np.atleast_1d(number).tolist():
                if finite(one) is None or not 0 <= one < below:
                    raise ValueError(f"{what}: {said(one)} came; a number from 0 up is expected, below {below:g}")


def train_full_size(
    data: str | Path,
    out: str | Path,
    recipe: Recipe | None = None,
    *,
    device: str = "cpu",
    packed: str | Path | None = None,
    workers: int = 1,
    compiled: bool = False,
    checkpoint_steps: int | None = None,
    resume: bool = False,
    say: Callable[[str], None] = print,
) -> dict | None:
    """Train Basenji on a file of windows, and judge it on the test windows; gives what ``results.json`` holds.

    Started by `torchrun`, the processes share each batch; the first of them writes, says and returns, and the
    others return None. All of them need the file and the folder at the same place.

    Args:
        data: the HDF5 file of windows, with the splits train, valid and test.
        out: the folder for what comes out; it must not hold an earlier training, except to resume it.
        device: cpu, cuda or mps.
        packed: where to keep the windows packed (see :func:`course_utils.packed_windows.pack_windows`).
        workers: threads that read batches ahead.
        compiled: have torch.compile translate the network first.
        checkpoint_steps: write ``last.pt`` also every so many steps within an epoch.
        resume: go on where an earlier training of this folder ended.
        say: called with a line after each epoch, and some at the end.

    Raises:
        ValueError: for a file or a device that does not fit, or a folder that is in use; a resume with
            another recipe or other data.
        FileNotFoundError: if there is no such file.
        OSError: if something cannot be written; what was there before stays (lesson 10).
    """
    recipe, data, out = recipe or Recipe(), Path(data), Path(out)
    packed = data.with_suffix(".packed") if packed is None else Path(packed)
    with joined(device) as (processes, device):
        model = _model(data, recipe)
        if processes.rank == 0:
            settings = _settings(out, data, packed, recipe, resume)
            pack_windows(data, packed)
            write_whole(out / "settings.json", settings)
        processes.wait()
        parts = {split: PackedWindows(packed, split, _fraction(split, recipe)) for split in SPLITS}
        if compiled:
            model.compile()
        log = None if processes.rank else TrainingLog(out, len(parts["train"]), recipe.epochs, say)
        if log and recipe.flip and parts["train"].swap is None:
            say(f"{data} does not say which tracks swap in a flip, so none does: right only if no track is stranded")
        if log and resume and not (out / "last.pt").exists():
            say(f"{out} holds no training to go on with: one begins")
        # The first weights are the same in all processes; what dropout draws is not.
        with _chance(recipe.seed + processes.rank, device):
            history = _fit(
                model.to(device), parts, recipe, checkpoint=out, checkpoint_steps=checkpoint_steps, resume=resume,
                workers=workers, each_epoch=log and log.note,
            )  # fmt: skip
        results = None
        if log:
            log.write(history)  # in case that a break came between the last checkpoint and the log
            load_weights(model, out / "best.pt")
            results = _results(model, data, parts, recipe, out)
            for name, measures in results["test"].items():
                r, r_log = ("  -  " if measures[key] is None else f"{measures[key]:.3f}" for key in ("r", "r_log1p"))
                say(f"test, {name:14} loss {measures['loss']:.3f}   r {r}   r of log(1 + count) {r_log}")
        processes.wait()  # were one to leave early and stumble, torchrun would end the one that still works
    return results


def _fraction(split: str, recipe: Recipe) -> float:
    return 1.0 if split == "test" else recipe.fraction


@contextmanager
def _chance(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, torch's own random numbers, which dropout draws, begin at the seed; afterwards they go on untouched."""
    cards = [torch.cuda.current_device() if device.index is None else device.index] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=cards):
        torch.manual_seed(seed)
        yield


def _model(data: Path, recipe: Recipe) -> Basenji:
    """The network, once it is known that the file holds windows for it."""
    for split in SPLITS:
        windows = HDF5Windows(data, split, _fraction(split, recipe))
    _, length, bins, tracks = windows.shape
    with seeded(recipe.seed):
        model = Basenji(tracks, base=recipe.base, growth=recipe.growth, dropout=recipe.dropout)
    if length != bins * model.bin_size:
        raise ValueError(
            f"the windows of {data} have bins of {length // bins} bases; this network predicts bins of {model.bin_size}"
        )
    return model


def _settings(out: Path, data: Path, packed: Path, recipe: Recipe, resume: bool) -> str:
    """What `settings.json` is to hold, once it is known that the folder is free, or that of the same training."""
    if packed.absolute() == out.absolute():
        raise ValueError(f"{out} is to hold the training and the packed windows; two folders are expected")
    settings = {"data": {"name": data.name, "sha256": _checksum(data)}, "recipe": asdict(recipe)}
    text = json.dumps(settings, indent=1) + "\n"
    path = out / "settings.json"
    if not path.exists():
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise ValueError(f"{out} holds something else; a new or an empty folder is expected")
        return text
    if not resume:
        raise ValueError(f"{out} holds a training already: resume (--resume) goes on with it; or give another folder")
    try:
        before, now = json.loads(path.read_text("utf-8")), json.loads(text)
        same_data = before["data"]["sha256"] == now["data"]["sha256"]
        changed = [(name, before["recipe"].get(name), value) for name, value in now["recipe"].items()]
    except (ValueError, AttributeError, KeyError, TypeError):
        raise ValueError(f"{path} holds no settings of a training; give another folder") from None
    if not same_data:
        raise ValueError(f"{out} holds a training on other windows than those of {data}; give another folder")
    for name, then, value in changed:
        if then != value:
            raise ValueError(f"{out} holds a training of another recipe: the {name} was {then}, and is {value} now")
    return text


def _checksum(data: Path) -> str:
    """Of the names, the sizes, and three windows of each split: enough to tell one set of windows from another."""
    digest = hashlib.sha256()
    for split in SPLITS:
        windows = HDF5Windows(data, split)
        digest.update(repr((windows.labels, windows.swap, windows.shape)).encode())
        for part in windows.take(np.array([0, len(windows) // 2, len(windows) - 1])):
            digest.update(part.tobytes())
        windows.close()
    return digest.hexdigest()


def _fit(model: Basenji, parts: dict[str, PackedWindows], recipe: Recipe, **more) -> History:
    steps = recipe.epochs * -(-len(parts["train"]) // recipe.batch_size)
    return fit(
        model, parts["train"], parts["valid"], loss=log_poisson,
        optimizer=torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, betas=recipe.betas),
        epochs=recipe.epochs, batch_size=recipe.batch_size, generator=torch.Generator().manual_seed(recipe.seed),
        schedule=cosine(steps, recipe.warmup), clip=recipe.clip, precision=recipe.precision,
        augment=Augmentation(recipe.max_shift, recipe.flip, parts["train"].swap), **more,
    )  # fmt: skip


# --- the test ------------------------------------------------------------------------------------


def _results(model: Basenji, data: Path, parts: dict[str, PackedWindows], recipe: Recipe, out: Path) -> dict:
    test, train = parts["test"], parts["train"]
    rates = predict(model, test, batch_size=recipe.batch_size).exp().numpy()
    buffer = io.BytesIO()
    np.save(buffer, rates, allow_pickle=False)
    write_whole(out / "test_rates.npy", buffer.getbuffer())
    del buffer

    some = np.linspace(0, len(train) - 1, min(len(train), RULE_WINDOWS)).astype(int)  # the first may be of one chromosome
    rule_windows = Windows(*HDF5Windows(data, "train").take(some), train.labels)
    rule = fit_composition(rule_windows)
    counts = np.empty(rates.shape, np.float32)
    of_rule = np.empty(rates.shape, np.float32)
    for start in range(0, len(test), 50):  # all at once, their composition would fill the memory
        part = read_windows(data, "test", start, min(start + 50, len(test)))
        counts[start : start + 50], of_rule[start : start + 50] = part.tracks, rule.predict(part.one_hot)
    judged = {
        "network": rates,
        "GC and CpG": of_rule,
        "constant": np.broadcast_to(constant_rates(rule_windows.tracks), rates.shape),
    } | true_rates(data)
    results = {
        "windows": {split: len(part) for split, part in parts.items()},
        "rule_windows": len(rule_windows),
        "test": {name: _measures(counts, predicted) for name, predicted in judged.items()},
    }
    write_whole(out / "results.json", json.dumps(results, indent=1) + "\n")
    return results


def _measures(counts: np.ndarray, rates: np.ndarray) -> dict:
    """Loss and correlations, each a mean over the tracks that have one; the correlations of each track, too."""
    losses, found = [], {"r": [], "r_log1p": []}
    for track in range(counts.shape[2]):  # one by one: each takes the memory of several copies, in double precision
        one, other = counts[..., track : track + 1], rates[..., track : track + 1]
        losses.append(poisson_loss(one, other))
        for name, log1p in (("r", False), ("r_log1p", True)):
            r = float(pearson_per_track(one, other, log1p)[0])
            found[name].append(r if np.isfinite(r) else None)
    measures = {"loss": float(np.mean(losses))}
    for name, per_track in found.items():
        there = [r for r in per_track if r is not None]
        measures |= {name: float(np.mean(there)) if there else None, f"{name}_per_track": per_track}
    return measures


# --- the command ---------------------------------------------------------------------------------


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.full_size",
        description="Train Basenji on a file of windows and judge it. Started by torchrun, processes share each batch.",
    )
    parser.add_argument("data", type=Path, help="HDF5 file of windows")
    parser.add_argument("out", type=Path, help="folder for weights, log and results")
    parser.add_argument("--device", default="cpu", help="cpu (default), cuda or mps")
    parser.add_argument("--resume", action="store_true", help="go on with the training in the folder, if there is one")
    parser.add_argument("--workers", type=int, default=1, help="threads that read batches ahead (default: 1)")
    parser.add_argument("--compile", action="store_true", help="have torch.compile translate the network first")
    parser.add_argument("--packed", type=Path, help="folder for the packed windows, instead of one beside the data")
    parser.add_argument("--checkpoint-steps", type=int, metavar="N", help="write last.pt also every N steps")
    recipe = parser.add_argument_group("recipe", "the lecture's unless given")
    for one in fields(Recipe):
        name, meaning = f"--{one.name.replace('_', '-')}", one.metadata["help"]
        if one.name == "flip":
            recipe.add_argument(name, action="store_true", help=meaning)
            continue
        shown = "" if one.default is None else f" (default: {str(one.default).strip('()')})"
        kind = {"growth": int, "betas": float}.get(one.name, type(one.default))  # whose defaults do not tell
        more = {"nargs": 2, "metavar": ("B1", "B2")} if one.name == "betas" else {"metavar": "N"}
        if one.name == "precision":
            more = {"choices": ("float32", "bfloat16")}
        recipe.add_argument(name, type=kind, default=one.default, help=meaning + shown, **more)
    return parser


def main(arguments: list[str] | None = None) -> int:
    chosen = vars(command_line().parse_args(arguments))
    chosen["betas"] = tuple(chosen["betas"])
    rank, several = int(os.environ.get("RANK", 0)), "RANK" in os.environ
    try:
        recipe = Recipe(**{one.name: chosen.pop(one.name) for one in fields(Recipe)})
        train_full_size(
            chosen.pop("data"), chosen.pop("out"), recipe, compiled=chosen.pop("compile"), say=tqdm.write, **chosen
        )
    except FileNotFoundError as error:
        return _ended(f"there is no file {error.filename}", rank)
    except (ValueError, OSError) as error:
        return _ended(str(error), rank)
    except RuntimeError as error:  # another process ended, and the connection to it
        if rank == 0:
            raise
        return _ended(str(error).strip().splitlines()[0], rank)
    except KeyboardInterrupt:
        if rank == 0:
            print("broken off; the same command with --resume goes on from the last checkpoint", file=sys.stderr)
        return 130
    if several:  # all is written, and threads of PyTorch have been seen to stumble when Python takes itself apart
        sys.stdout.flush()
        os._exit(0)
    return 0


def _ended(why: str, rank: int) -> int:
    print(f"process {rank}: {why}" if rank else why, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
