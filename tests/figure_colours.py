"""The colours that a lesson's code gives to matplotlib: read from the code, held to their contrast on white paper.

The pixels of a finished figure do not tell which is a mark and which a blend; the code does. Colours are found in
keyword arguments and, where these are variables, anywhere in the same cell.
"""

import ast
import re

import colours
import matplotlib.colors
from cycler import cycler

from course_utils import notebook
from course_utils.plotting import BASE_COLOURS, PAPER

CYCLE = [entry["color"] for entry in eval(notebook.STYLE["axes.prop_cycle"], {"cycler": cycler})]
GIVEN = {"color", "c", "colors", "edgecolor", "edgecolors", "facecolor", "ecolor", "markerfacecolor"}
WORDS = {"text", "annotate", "set_title", "set_xlabel", "set_ylabel", "suptitle"}
#: Colour maps whose light end is lost on white paper, unless dots have an edge.
PALE_MAPS = {"cividis", "viridis", "plasma", "inferno", "magma", "Blues", "Greens", "Greys"}

#: Lesson -> what is borne there -> why.
FIGURES: dict[str, dict[str, str]] = {
    "01_one_hot_encoding": {
        "a mark in #e69f00": "4,000 cells in the colours of their bases: they touch each other, and no rim fits into "
        "cells so small; the legend has the letters, and the alt text the share of each base",
    },
}


def faint_colours(code: str) -> set[str]:
    """Marks with a contrast below 3 and words with one below 4.5, in one cell."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a cell that teaches one, or a command of the notebook
        return set()
    everywhere = {_hexadecimal(node) for node in ast.walk(tree) if _is_text(node) and node.value.startswith("#")}
    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if "cmap" in given and _is_text(given["cmap"]) and given["cmap"].value in PALE_MAPS and name == "scatter":
            if not {"edgecolor", "edgecolors"} & given.keys():
                found.add(f"dots in the light end of {given['cmap'].value}")
        for value in (given[name] for name in GIVEN & given.keys()):
            chosen = {_hexadecimal(node) for node in ast.walk(value) if _is_text(node)}
            if "BASE_COLOURS" in ast.unparse(value):
                chosen = {colour.lower() for colour in BASE_COLOURS.values()}
            if not chosen and isinstance(value, ast.Name):
                chosen = everywhere
            kind, least = ("words", colours.WORDS) if name in WORDS else ("a mark", colours.MARKS)
            pale = {one for one in chosen - {""} if colours.contrast(one, PAPER) < least and one != PAPER}
            found |= {f"{kind} in {one}" for one in pale}
    return found


def _is_text(node) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _hexadecimal(node) -> str:
    """The colour that a constant means, or ""."""
    if re.fullmatch(r"C\d", node.value):
        return CYCLE[int(node.value[1]) % len(CYCLE)].lower()
    if not matplotlib.colors.is_color_like(node.value) or node.value == "none":
        return ""
    return matplotlib.colors.to_hex(node.value)
