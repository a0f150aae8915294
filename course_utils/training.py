"""One explicit training loop for all lessons: plain PyTorch, with history, early stopping and exact resume.

    history = fit(model, train, valid, loss=nn.CrossEntropyLoss(), optimizer=Adam(model.parameters()),
                  epochs=20, generator=torch.Generator().manual_seed(1))

* Data are torch Datasets of pairs (input, label). A `TensorDataset` is fetched batch by batch, which is faster
  than row by row, as a `DataLoader` does it; the batches are those of
  ``DataLoader(train, batch_size, shuffle=True, generator=generator)``, so that `fit` gives, to the bit, what
  the loop written out in lesson 04 gives.
* Labels are class indices ``(N,)``, int64, for `CrossEntropyLoss` with logits ``(N, K)``; 0.0 and 1.0 of the
  logits' own shape for `BCEWithLogitsLoss`; and of the outputs' own shape for other losses.
* Epochs and steps are counted from 1 in what is said, and lists are in their order.

Explained in lesson 04; schedule, clip and augment, precision, workers and several processes in lesson 10.
"""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from course_utils.batches import ahead, batch_of, bring, read_batch
from course_utils.processes import Processes, current
from course_utils.progress import progress_bar
from course_utils.training_checks import (
    Loss,
    TrainingError,
    augmented,
    check_optimizer,
    check_processes,
    check_recipe,
    check_settings,
    checked_data,
    device_of,
    eval_mode,
    kind_of_labels,
    rate_factor,
)
from course_utils.training_state import Evaluation, History, Run

__all__ = ["Evaluation", "History", "Loss", "TrainingError", "evaluate", "fit", "predict"]

Augment = Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


def fit(
    model: nn.Module,
    train: Dataset,
    valid: Dataset | None = None,
    *,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    epochs: int,
    batch_size: int = 64,
    generator: torch.Generator,
    device: str | torch.device | None = None,
    patience: int | None = None,
    schedule: Callable[[int], float] | None = None,
    clip: float | None = None,
    augment: Augment | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_steps: int | None = None,
    resume: bool = False,
    precision: str = "float32",
    workers: int = 0,
    each_epoch: Callable[[History], None] | None = None,
    progress: bool = True,
) -> History:
    """Train a model in place and return what happened; afterwards the model is in eval mode.

    It goes on from the weights that the model has: for a fresh start, make a fresh model and a fresh
    optimizer.

    In processes that :func:`course_utils.processes.joined` brought together, call it in each with the same
    arguments, from the data to the state of the generator: every process then takes its share of each batch,
    and all end with the same weights and the same history. The first one writes the checkpoints. Batch
    normalisation, which would see no more than the share, is refused, and so are losses with a weight for each class.

    Args:
        model: maps a batch of inputs to logits or predictions.
        train: pairs (input, label); a `TensorDataset` is the fastest.
        valid: judged after each epoch, in eval mode and without gradients. Not the test data.
        loss: the mean loss of a batch, from ``(outputs, labels)``.
        optimizer: made with the parameters of this model.
        epochs: how often to go through the training data, in total (with `resume`, too).
        batch_size: examples a step; the last batch of an epoch may be smaller.
        generator: torch's generator of random numbers; it shuffles the training data.
        device: where to move the model and each batch; None for where the model is.
        patience: stop once this many epochs in a row have not lowered the validation loss, and put the
            best weights back. None: all epochs, and the weights of the last one.
        schedule: gives for a step, counted from 0 over all epochs, the factor of the optimizer's learning
            rates, such as :func:`course_utils.schedules.cosine`. The rates that it multiplies are those of
            the optimizer as it came, for each group its own; they are put back at the end (lesson 10).
        clip: the largest norm of the gradient over the optimizer's weights; a longer gradient is scaled down
            to it before the step. History notes the norms (lesson 10).
        augment: called as ``augment(inputs, labels, generator)`` on each training batch, on the model's
            device; gives a pair of the same shapes, such as :class:`course_utils.augmentation.Augmentation`.
            All its chance should come from the generator, which is the one above (lesson 10).
        checkpoint: a folder for ``last.pt`` (all that `resume` needs, after each epoch) and, with
            validation data, ``best.pt`` (the best epoch's weights; see
            :func:`course_utils.checkpoints.load_weights`). Without `resume`, those of an earlier training
            in this folder are overwritten.
        checkpoint_steps: write ``last.pt`` also every so many steps within an epoch.
        resume: go on from ``last.pt``, if there is one, as if there had been no break: on the same
            machine, the weights and the history are the same to the bit. What can be compared is: the numbers
            of examples, the batch size, the optimizer's class, whether there is a schedule and the rates that
            it multiplies, the clip, the precision, the number of processes, and the fields of an `Augmentation` or
            another dataclass. Not compared are the examples themselves, the loss, the patience, and what schedule
            and augment compute if they are other functions: give the same. The optimizer's settings (without a
            schedule, its rates, too) are those of the file.
        precision: "bfloat16" for convolutions and products in 16 bits (torch's autocast), with weights, gradients
            and loss in 32: faster on processors and cards that can do it, with two to three digits (lesson 10).
        workers: threads that read batches ahead. For data that are slow to read; the result is the same.
        each_epoch: called with the history after each epoch, once its checkpoint is written.
        progress: a bar in the terminal or the notebook, gone when the training ends.

    Raises:
        TrainingError: for data, labels, settings or an optimizer that do not fit; for a factor of the schedule
            that is no number from 0 up; for an augment that gives no pair of the same shapes; for a loss, or
            with `clip` a gradient, that is NaN or infinite, with the step and the likely cause, before it
            spoils the weights.
        CheckpointError: for a damaged checkpoint, or one of another model or another training.
        OSError: for a checkpoint that cannot be written; the one before it stays.
        ValueError: as the model says of its input; as the schedule says, before the first step, if it is too
            short for all epochs (lesson 04).
    """
    check_settings(epochs, batch_size, generator, patience, valid, checkpoint, checkpoint_steps, resume)
    check_recipe(schedule, clip, augment, precision, workers)
    device = device_of(model) if device is None else torch.device(device)
    model.to(device)
    check_optimizer(optimizer, model)
    train = checked_data(train, "training", model, loss)
    valid = None if valid is None else checked_data(valid, "validation", model, loss)
    sizes, processes = [len(train), len(valid or ()), batch_size], current()
    settings = {"epochs": epochs, "patience": patience, "clip": clip, "precision": precision, "resume": resume}
    settings |= {"checkpoint": checkpoint is not None, "checkpoint_steps": checkpoint_steps}
    check_processes(processes, model, loss, generator, sizes, settings)
    # The loader deals out positions alone; whole batches are then read at one go.
    order = DataLoader(range(len(train)), batch_size, shuffle=True, generator=generator)

    if schedule is not None:  # one that is too short is told now, not after hours
        rate_factor(schedule, epochs * len(order) - 1)

    run = Run(model, optimizer, generator, sizes, (schedule, clip, augment, precision), processes)
    folder = None if checkpoint is None else Path(checkpoint)
    # The first process looks for all of them: it is the one that writes.
    if resume and processes.total((folder / "last.pt").exists() and processes.rank == 0)[0]:
        run.load(folder / "last.pt")
    elif folder is not None:  # from here on, the files of an earlier training are not taken for this one's
        if processes.rank == 0:
            (folder / "best.pt").unlink(missing_ok=True)
        run.save(folder)
    history = run.history
    processes.begin_alike(model)

    try:
        shown = progress and processes.rank == 0
        with progress_bar(epochs * len(order), done=len(history.batch_loss), wanted=shown) as bar:
            while history.epochs < epochs and not run.out_of_patience(patience):
                model.train()
                for share in run.batches(order, train, workers):
                    inputs, labels = bring(train, share.pair, device)
                    if augment is not None:
                        inputs, labels = augmented(augment, inputs, labels, run.chance)
                    if schedule is not None:
                        run.set_rates(rate_factor(schedule, len(history.batch_loss)))
                    run.step(loss, share, inputs, labels, clip)
                    bar.update()
                    if checkpoint_steps and len(history.batch_loss) % checkpoint_steps == 0:
                        run.save(folder)
                run.end_epoch(None if valid is None else _judge(model, valid, loss, batch_size, run, workers))
                if folder is not None:
                    run.save(folder)
                said = f"epoch {history.epochs} of {epochs}: loss {history.train_loss[-1]:.3g}"
                bar.set_postfix_str(said, refresh=False)
                if each_epoch is not None:
                    each_epoch(history)
    finally:
        if schedule is not None:  # so that this optimizer can be used again, after an interruption too
            run.set_rates(1)
    if patience is not None:
        model.load_state_dict(run.best)
    model.eval()
    return history


def evaluate(model: nn.Module, data: Dataset, *, loss: Loss, batch_size: int = 256) -> Evaluation:
    """The mean loss per example of a model in eval mode and, where labels are classes, its accuracy.

    The decision is the class of the largest logit; of a single logit, whether it is above 0. The model
    stays on its device and in its mode.

    Raises:
        TrainingError: for data or labels that do not fit the model or the loss, or a mean loss that is
            NaN or infinite (lesson 04).
    """
    return _judge(model, checked_data(data, "evaluated", model, loss), loss, batch_size)


def predict(model: nn.Module, inputs: torch.Tensor | Dataset, *, batch_size: int = 256) -> torch.Tensor:
    """The outputs ``(N, ...)`` of a model in eval mode for inputs ``(N, ...)``: on the CPU, without gradients.

    The outputs of our networks are logits; ``softmax(dim=1)`` makes probabilities of them. The model
    stays on its device and in its mode.

    Args:
        inputs: a tensor, or a Dataset of pairs (input, label), of which a batch at a time is read.

    Raises:
        TrainingError: for no inputs at all.
        ValueError: as the model says of its input (lesson 04).
    """
    device = device_of(model)
    if isinstance(inputs, Dataset) or hasattr(inputs, "unpack"):
        if not len(inputs):
            raise TrainingError("the dataset is empty: nothing to predict from")
        indices = torch.arange(len(inputs)).split(batch_size)
        batches = (batch_of(inputs, index, device)[0] for index in indices)
    else:
        inputs = torch.as_tensor(inputs)
        if not inputs.numel():
            raise TrainingError(f"the inputs have the shape {tuple(inputs.shape)}: nothing to predict from")
        batches = (batch.to(device) for batch in inputs.split(batch_size))
    with eval_mode(model):
        return torch.cat([model(batch).cpu() for batch in batches])


# --- one judgement -------------------------------------------------------------------------------


def _judge(
    model: nn.Module, data: Dataset, loss: Loss, batch_size: int, run: Run | None = None, workers: int = 0
) -> Evaluation:
    """In a run, in its precision, and by all its processes together: each takes some of the batches."""
    processes = Processes() if run is None else run.processes
    outputs_of = model if run is None else run.outputs
    device, total, right, decisions = device_of(model), 0.0, 0, 0
    batch_size = -(-batch_size // processes.size)  # as many at once as in training
    indices = torch.arange(len(data)).split(batch_size)[processes.rank :: processes.size]
    with eval_mode(model):
        for index, pair in zip(indices, ahead(lambda index: read_batch(data, index), indices, workers)):
            inputs, labels = bring(data, pair, device)
            outputs = outputs_of(inputs)
            total += loss(outputs, labels).item() * len(index)
            kind = kind_of_labels(labels, loss)
            if kind != "values":
                decided = outputs.argmax(dim=1) if kind == "classes" else (outputs > 0).float()
                right += (decided == labels).sum().item()
                decisions += labels.numel()
    total, right, decisions = processes.total(total, right, decisions)
    if not math.isfinite(total):
        raise TrainingError(
            f"the mean loss of the {len(data)} examples that judge the model is {total}: an input holds NaN, "
            "or a too high learning rate has spoiled the weights"
        )
    return Evaluation(total / len(data), right / decisions if decisions else None)
