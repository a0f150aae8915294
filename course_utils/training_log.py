"""The log of a long training as a table in a file, to be read while it runs and after it.

Used by :mod:`course_utils.full_size`; explained in lesson 10.
"""

import csv
import io
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from course_utils.files import write_whole
from course_utils.training_state import History


class TrainingLog:
    """``log.csv``, written whole after each epoch, and a line for whoever looks on.

    Args:
        out: the folder of the training; the seconds of its earlier epochs are taken over.
        windows: of an epoch.
        epochs: of the whole training.
        say: called with a line after each epoch.
    """

    COLUMNS = ("epoch", "train_loss", "valid_loss", "learning_rate", "gradient_norm", "seconds", "windows_per_second")

    def __init__(self, out: Path, windows: int, epochs: int, say: Callable[[str], None]):
        self.path, self.windows, self.epochs, self.say = out / "log.csv", windows, epochs, say
        self.seconds = {}  # of the epochs before a break, as the file has them
        if self.path.exists():
            self.seconds = {row["epoch"]: row["seconds"] for row in read_log(out)}
        # Of the epoch in which a training is resumed, nobody knows how long its first part took.
        self.since = float("nan") if (out / "last.pt").exists() else time.perf_counter()

    def note(self, history: History) -> None:
        """An epoch has ended."""
        now = time.perf_counter()
        self.seconds[history.epochs], self.since = now - self.since, now
        self.write(history)
        took = self.seconds[history.epochs]
        self.say(
            f"epoch {history.epochs} of {self.epochs}: loss {history.train_loss[-1]:.3f}, validation "
            f"{history.valid_loss[-1]:.3f}" + (f"; {took:.1f} s" if took == took else "; resumed")
        )

    def write(self, history: History) -> None:
        """Write a row for each epoch."""
        steps = len(history.batch_loss) // history.epochs
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(self.COLUMNS)
        for epoch in range(1, history.epochs + 1):
            norms = history.gradient_norm[(epoch - 1) * steps : epoch * steps]
            seconds = self.seconds.get(epoch, float("nan"))
            row = [history.train_loss[epoch - 1], history.valid_loss[epoch - 1], history.learning_rate[epoch - 1]]
            row += [median(norms), seconds, self.windows / seconds]
            writer.writerow([epoch, *(f"{value:.6g}" for value in row)])
        write_whole(self.path, text.getvalue())


def read_log(out: str | Path) -> list[dict[str, float]]:
    """The rows of ``log.csv`` in a folder: epoch, losses, the last learning rate, the median norm of the gradients.

    The seconds are those of the epoch with its validation and checkpoint; NaN where a break took them.

    Raises:
        FileNotFoundError: if there is no log.
        ValueError: for a file that is none (lesson 10).
    """
    path = Path(out) / "log.csv"
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = [{name: float(row[name]) for name in TrainingLog.COLUMNS} for row in csv.DictReader(file)]
    except (csv.Error, UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise ValueError(f"{path} is no log of a training: columns {', '.join(TrainingLog.COLUMNS)} are expected") from None
    for row in rows:
        row["epoch"] = int(row["epoch"])
    return rows
