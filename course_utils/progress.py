"""A progress bar for the terminal and for notebooks that is gone when the work is done (lesson 04).

It appears after half a second, where somebody looks on: in a terminal, or below the cell that somebody runs in
JupyterLab, VS Code or Colab. A notebook that is executed by a program keeps no trace of it.
"""

import sys

from tqdm import tqdm


def progress_bar(steps: int, *, done: int = 0, wanted: bool = True) -> tqdm:
    """A bar for `steps` steps: call `update()` after each, and `close()` at the end, or use `with`.

    Args:
        steps: how many there will be, and `done`: how many there were already.
        wanted: False for a bar that is never shown.
    """
    return tqdm(
        total=steps,
        initial=done,
        desc="training",
        unit="step",
        file=_screen(),
        disable=None if wanted else True,  # None: unless the file is a terminal
        leave=False,
        delay=0.5,
        bar_format="{desc}: {percentage:3.0f}% |{bar:30}| {n_fmt}/{total_fmt} steps, {remaining} left{postfix}",
    )


def _screen():
    """The output of the cell that somebody runs by hand, or else the error stream.

    JupyterLab, VS Code and Colab can be told from a notebook that is executed without anybody looking on
    (nbclient, nbval): the first two name the cell in their request. There, nothing is shown at all.
    """
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        request = kernel.get_parent("shell")
        if "google.colab" in sys.modules or "cellId" in request.get("metadata", {}):
            return _CellLine()
    return sys.stderr


class _CellLine:
    """A file whose last line is shown below a notebook's cell; an empty line leaves nothing to see.

    An output cannot be taken back in a notebook without all other outputs of its cell. A plain text can
    be replaced by an empty one, in every front end; a widget would leave its last state.
    """

    encoding = "utf-8"

    def __init__(self):
        self.output = None

    def write(self, text: str) -> None:
        from IPython.display import display

        line = {"text/plain": text.strip()}
        if self.output is not None:
            self.output.update(line, raw=True)
        elif line["text/plain"]:
            self.output = display(line, raw=True, display_id=True)

    def flush(self) -> None:
        """Nothing is kept back."""
