"""Copies notebooks and runs them to their end with a kernel of the caller's choice."""

from pathlib import Path

import nbformat
from dependencies import quick_with_explorers
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from reading import without_missing_data


def execute(book: nbformat.NotebookNode, kernels: Path, folder: Path) -> nbformat.NotebookNode:
    """Run all cells in `folder`; the first error that no tag announces is raised.

    Args:
        kernels: a folder made by `environments.kernel_spec`.
    """
    specs = KernelSpecManager(kernel_dirs=[str(kernels / "kernels")], ensure_native_kernel=False)
    manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=specs)
    client = NotebookClient(
        book,
        km=manager,
        timeout=600,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def copy_lessons(
    notebooks: Path, folder: Path, saved_widgets: bool = True, slow_cells: bool = True
) -> Path:
    """Copy the lessons into the new `folder`, less the cells whose data is not to be had here.

    Args:
        saved_widgets: keep what an explorer looked like when the lesson was built.
        slow_cells: keep the cells that train for long; without them, all explorers are still there.
    """
    folder.mkdir()
    for path in sorted(notebooks.glob("*.ipynb")):
        book = without_missing_data(nbformat.read(path, as_version=4))
        if not slow_cells:
            book = quick_with_explorers(book)
        if not saved_widgets:
            book.metadata.pop("widgets", None)
        nbformat.write(book, folder / path.name)
    return folder


def only(book: nbformat.NotebookNode, tag: str) -> nbformat.NotebookNode:
    """A notebook of just the cells with a tag."""
    cells = [cell for cell in book.cells if tag in cell.metadata.get("tags", [])]
    return nbformat.v4.new_notebook(cells=cells, metadata=book.metadata)


def printed(book: nbformat.NotebookNode) -> str:
    """All that the cells wrote to the screen."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    return "".join(output.text for output in outputs if output.output_type == "stream")
