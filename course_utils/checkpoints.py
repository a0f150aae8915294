"""Weights in files: written whole or not at all, and read without running any code that they might hold.

A checkpoint is a dict of tensors and plain values, the weights under "model", as `torch.save` writes it. It
is read with ``weights_only=True``, since a file of the general kind can run a program of its author.
Explained in lesson 04.
"""

import io
from pathlib import Path

import torch
from torch import nn

from course_utils.files import write_whole


class CheckpointError(ValueError):
    """A file that is no checkpoint, or one of another model or another training."""


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Put the weights of a checkpoint, ``best.pt`` or ``last.pt``, into a model of the same architecture.

    Raises:
        CheckpointError: for a damaged file, or weights of another architecture; the model stays as it was.
        FileNotFoundError: if there is no such file (lesson 04).
    """
    model.load_state_dict(read_checkpoint(Path(path), model)["model"])


def write_checkpoint(state: dict, path: Path) -> None:
    """Write a state with its weights under "model"; beside the place first, and renamed when it is whole.

    Raises:
        OSError: if it cannot be written, as on a full disk; an earlier file stays as it was, and nothing
            beside it (lesson 04).
    """
    content = io.BytesIO()  # torch's own writer hides the reason behind a message about itself
    torch.save(state, content)
    write_whole(path, content.getbuffer(), "the checkpoint")


def read_checkpoint(path: Path, model: nn.Module) -> dict:
    """The state in a file, once it is known that its weights fit the model; the model stays as it is.

    Raises:
        CheckpointError: for a damaged file, or weights of another architecture.
        FileNotFoundError: if there is no such file (lesson 04).
    """
    with open(path, "rb") as file:
        try:
            saved = torch.load(file, map_location="cpu", weights_only=True)
        except Exception:  # torch has no one exception for a file that it cannot read
            saved = None
    weights = saved.get("model") if isinstance(saved, dict) else None
    if not isinstance(weights, dict) or not all(map(torch.is_tensor, weights.values())):
        raise CheckpointError(f"{path} is no whole checkpoint: it was cut short, or is another kind of file")
    _check_weights(weights, model, path)
    return saved


def _check_weights(weights: dict, model: nn.Module, path: Path) -> None:
    then = {name: tuple(value.shape) for name, value in weights.items()}
    now = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name in [*now, *then]:
        if then.get(name) != now.get(name):
            there, here = (f"{name} {shapes.get(name, 'missing')}" for shapes in (then, now))
            raise CheckpointError(
                f"{path} is of another architecture than this {type(model).__name__}: "
                f"it has {there}, the model {here}"
            )
