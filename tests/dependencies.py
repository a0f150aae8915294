"""Which names the cells of a notebook make and read, so that cells can be left out with all that needs them."""

import ast
import re
from collections.abc import Callable

import nbformat
from reading import tags


class Names(ast.NodeVisitor):
    """The names that a cell makes, and those it reads before it has made them, in order of running."""

    def __init__(self, source: str):
        self.made, self.read = set(), set()
        self.visit(ast.parse(re.sub(r"(?m)^(\s*)[%!].*$", r"\1pass", source)))

    def visit_Name(self, node):
        if isinstance(node.ctx, ast.Store):
            self.made.add(node.id)
        elif node.id not in self.made:
            self.read.add(node.id)

    def visit_Assign(self, node):
        for part in (node.value, *node.targets):
            self.visit(part)

    def visit_AugAssign(self, node):
        self.visit(ast.Name(node.target.id, ast.Load()) if isinstance(node.target, ast.Name) else node.target)
        self.visit(node.value)

    def visit_For(self, node):
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_FunctionDef(self, node):
        for part in node.decorator_list:
            self.visit(part)
        self.visit_inside(node.args, node.body, {node.name})
        self.made.add(node.name)

    def visit_Lambda(self, node):
        self.visit_inside(node.args, [node.body])

    def visit_inside(self, arguments: ast.arguments, body: list[ast.AST], known: set = frozenset()):
        """The body of a function, whose arguments and variables end with it."""
        named = [argument for argument in ast.walk(arguments) if isinstance(argument, ast.arg)]
        for part in (*arguments.defaults, *arguments.kw_defaults, *(argument.annotation for argument in named)):
            if part is not None:  # what stands for an argument without a default
                self.visit(part)
        outside = set(self.made)
        self.made |= {argument.arg for argument in named} | known
        for part in body:
            self.visit(part)
        self.made = outside

    def visit_ExceptHandler(self, node):
        if node.type is not None:
            self.visit(node.type)
        self.made |= {node.name} - {None}
        for part in node.body:
            self.visit(part)
        self.made.discard(node.name)  # Python forgets the error there

    def visit_Import(self, node):
        self.made |= {name.asname or name.name.split(".")[0] for name in node.names}

    visit_ImportFrom = visit_Import

    def visit_ClassDef(self, node):
        for part in node.decorator_list:
            self.visit(part)
        outside = set(self.made)
        for part in (*node.bases, *(keyword.value for keyword in node.keywords), *node.body):
            self.visit(part)
        self.made = outside | {node.name}

    def visit_comprehension_of(self, node):
        outside = set(self.made)
        for part in (*node.generators, *ast.iter_child_nodes(node)):
            self.visit(part)
        self.made = outside  # its variables end with it

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of

    def visit_comprehension(self, node):
        for part in (node.iter, node.target, *node.ifs):
            self.visit(part)


def without(book: nbformat.NotebookNode, leave_out: Callable) -> nbformat.NotebookNode:
    """The notebook less the cells that `leave_out` names, and less those that read what only these made."""
    missing, kept = set(), []
    for cell in book.cells:
        if cell.cell_type != "code":
            kept.append(cell)
            continue
        names = Names(cell.source)
        if leave_out(cell) or names.read & missing:
            missing |= names.made
        else:
            missing -= names.made
            kept.append(cell)
    book.cells = kept
    return book


def needed_by(book: nbformat.NotebookNode, wanted: Callable) -> list[nbformat.NotebookNode]:
    """The cells that `wanted` names, and those that make what they read, and what these read in turn."""
    read, found = set(), []
    for cell in reversed([cell for cell in book.cells if cell.cell_type == "code"]):
        names = Names(cell.source)
        if wanted(cell) or names.made & read:
            found.append(cell)
            read = (read - names.made) | names.read
    return found[::-1]


def quick(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The notebook less the cells tagged `slow`, which train for long, and those that need their results.

    nbval runs every cell; the tests that execute the lessons once more, for another reason or elsewhere, need
    not train everything again.
    """
    return without(book, lambda cell: "slow" in tags(cell))


#: Run before a lesson's imports: what it then calls `fit` sees a few windows, once.
HURRIED = """\
from torch.utils.data import Subset

from course_utils import training


def hurried(model, train, *others, epochs, fit=training.fit, **options):
    return fit(model, Subset(train, range(min(4, len(train)))), *others, epochs=1, **options)


training.fit = hurried"""


def quick_with_explorers(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The quick notebook with all its explorers: a slow cell that one of them needs stays, and trains hardly at all.

    So an explorer of trained networks has networks, which have learned next to nothing.
    """
    needed = needed_by(book, lambda cell: "explorer" in tags(cell))
    kept = [cell for cell in needed if "slow" in tags(cell)]
    book = without(book, lambda cell: "slow" in tags(cell) and cell not in kept)
    if kept:
        [imports] = [number for number, cell in enumerate(book.cells) if "imports" in tags(cell)]
        book.cells.insert(imports, nbformat.v4.new_code_cell(HURRIED))
    return book
