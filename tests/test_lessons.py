"""What every lesson promises, whatever it teaches. Its cells are run and compared by nbval.

That a second build changes no byte is tested in test_wheel.py, where the second is built from the wheel.
"""

import os
import re
import subprocess
import sys
import tomllib

import nbformat
import pytest
from dependencies import Names, quick
from reading import (
    NAMES,
    OFFLINE,
    ROOT,
    code_cells,
    compared,
    lesson,
    needed_data,
    output_text,
    prose,
    tagged,
    tags,
)

sys.path.insert(0, str(ROOT / "tools"))
import lessons  # noqa: E402  (tools/ is no package: its files are commands)

MISTAKES = [(entry["name"], number) for entry in lessons.lessons() for number in entry["mistakes"]]
every_lesson = pytest.mark.parametrize("name", NAMES)


def test_notebooks_and_readme_agree_with_their_sources():
    assert lessons.disagreements() == []


def test_every_listed_lesson_is_built():
    assert NAMES == [entry["name"] for entry in lessons.lessons()]


@every_lesson
def test_a_lesson_has_its_anatomy(name):
    cells = lesson(name).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    assert cells[0].source.startswith(f"# {name[:2]} · ")
    for part in ("## Why this matters", "## What you will be able to do", "Predict first", "## Recap",
                 "## Further reading", "## Common mistakes", "**Next:**"):  # fmt: skip
        assert part in text, f"{name} lacks {part!r}"
    assert len(tagged(name, "set-up")) == 1 and len(tagged(name, "imports")) == 1
    assert tagged(name, "explorer"), "no cell is tagged 'explorer'"


@every_lesson
def test_a_lesson_leads_to_the_next_one_by_its_title(name):
    place = NAMES.index(name) + 1
    if place < len(NAMES):
        [title] = [entry["title"] for entry in lessons.lessons() if entry["name"] == NAMES[place]]
        assert f"**Next:** [{NAMES[place][:2]} · {title}]({NAMES[place]}.ipynb)" in prose(name)


def test_the_set_up_cell_is_the_same_everywhere():
    assert len({tagged(name, "set-up")[0].source for name in NAMES}) == 1


@every_lesson
def test_more_than_nine_cells_in_ten_are_compared(name):
    worth, all_cells = compared(name)
    assert worth / all_cells > 0.9


@every_lesson
def test_a_cell_that_is_not_compared_says_why(name):
    for cell in code_cells(name):
        if "nbval-ignore-output" in tags(cell) or "nbval-skip" in tags(cell):
            assert len(cell.metadata.get("reason", "")) > 10, cell.source
        assert "NBVAL" not in cell.source, "steer nbval by tags, not by comments"


@every_lesson
def test_every_cell_ran_in_order(name):
    counts = [cell.execution_count for cell in code_cells(name)]
    assert counts == list(range(1, len(counts) + 1))


@every_lesson
def test_no_cell_is_longer_than_a_screen(name):
    for cell in code_cells(name):
        assert cell.source.count("\n") < 40, cell.source


@every_lesson
def test_every_picture_has_alt_text(name):
    for cell in lesson(name).cells:
        if cell.cell_type == "markdown":
            images = re.findall(r"!\[([^\]]*)\]\(", cell.source)
            assert all(images), f"an image without alt text: {cell.source}"
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            assert "image/png" not in data, f"wrap the figure in picture_of: {cell.source}"
            for image in re.findall(r"<img[^>]*>", data.get("text/html", "")):
                assert re.search(r'alt="[^"]{10,}"', image), image[:200]


@every_lesson
def test_an_explorer_leaves_a_picture_and_a_line_of_text(name):
    for cell in tagged(name, "explorer"):
        [output] = cell.outputs
        assert "<img" in output.data["text/html"] and len(output.data["text/plain"]) > 20
        assert "application/vnd.jupyter.widget-view+json" in output.data


@every_lesson
def test_a_notebook_names_no_machine_and_no_time(name):
    text = (ROOT / "notebooks" / f"{name}.ipynb").read_text("utf-8")
    assert not re.search(r'"/(home|root|work|Users|tmp|usr)/|[^\w.]/(home|root|work|tmp)/\w', text)
    assert "iopub" not in text and '"execution": {' not in text


def test_names_are_read_before_they_are_made():
    seen = Names("a = a[:5]\nb = [c for c in d]\nfor e in f:\n    print(e)\ng += 1\nh = b")
    assert seen.read == {"a", "d", "f", "print", "g"}
    assert seen.made == {"a", "b", "e", "h"}
    function = Names("def i(j):\n    k = j + l\n    return k")
    assert (function.read, function.made) == ({"l"}, {"i"})
    network = Names("class A(B):\n    def c(self):\n        return D")
    assert (network.read, network.made) == ({"B", "D"}, {"A"})


@pytest.mark.parametrize(
    "source, read, made",
    [
        ("@a\ndef f(b=c, *, d=e, g): return b, d, g, f", {"a", "c", "e"}, {"f"}),
        ("def f(a: b) -> None: return a\na", {"a", "b"}, {"f"}),
        ("f = lambda a, b=c: a + b + d\na", {"a", "c", "d"}, {"f"}),
        ("try:\n    a\nexcept E as error:\n    b = error\nb", {"a", "E"}, {"b"}),
        ("except_ = 1\ntry:\n    a\nexcept E as e:\n    e\ne", {"a", "E", "e"}, {"except_"}),
        ("import a.b, c as d\nfrom e import f as g, h\na, d, g, h", set(), {"a", "d", "g", "h"}),
        ("@a\nclass B(c, metaclass=d): pass", {"a", "c", "d"}, {"B"}),
    ],
)
def test_the_names_of_functions_errors_and_imports_are_told_apart(source, read, made):
    seen = Names(source)
    assert (seen.read, seen.made) == (read, made)


def test_what_needs_a_slow_cell_is_left_out_with_it():
    def cell(source, *tags):
        return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})

    book = nbformat.v4.new_notebook(cells=[
        cell("a = 1"), cell("b = train(a)", "slow"), cell("print(b)"), cell("print(a)"), cell("b = 2"), cell("c = b"),
    ])  # fmt: skip
    assert [cell.source for cell in quick(book).cells] == ["a = 1", "print(a)", "b = 2", "c = b"]


@every_lesson
def test_a_lesson_without_its_slow_cells_is_still_most_of_the_lesson(name):
    cells = nbformat.from_dict({"cells": list(lesson(name).cells), "metadata": {}})
    assert len(quick(cells).cells) > 0.7 * len(lesson(name).cells)


@every_lesson
def test_cells_that_use_fetched_data_say_so(name):
    """A cell that reads a name made by a `needs-data` cell carries the same tag."""
    needs = {}  # variable -> the data it comes from
    for cell in code_cells(name):
        own = {tag for tag in tags(cell) if tag.startswith("needs-data:")}
        cell_names = Names(cell.source)
        for variable in cell_names.read & needs.keys():
            assert needs[variable] <= own, f"{variable} comes from {needs[variable]}: {cell.source}"
        for variable in cell_names.made:
            needs.pop(variable, None)
            if own:
                needs[variable] = own


@every_lesson
def test_data_tags_name_registered_data(name):
    from course_utils.datasets import read_registry

    named = {t.split(":")[1] for c in code_cells(name) for t in tags(c) if t.startswith("needs-data:")}
    assert named <= read_registry().keys()


@pytest.mark.parametrize("name, number", MISTAKES)
def test_a_numbered_mistake_has_its_cell_and_its_test(name, number):
    assert any(cell.outputs for cell in tagged(name, number) if cell.cell_type == "code")
    tests = (ROOT / "tests" / f"test_lesson_{name[:2]}.py").read_text("utf-8")
    assert f"def test_{number}_" in tests


SEEDS = tomllib.loads((ROOT / "tests/seeds.toml").read_text("utf-8"))["item"]


@pytest.mark.parametrize("item", SEEDS, ids=lambda item: item["tag"])
def test_what_a_source_lecture_shows_is_shown_here(item):
    assert item["tag"].startswith(f"seed:{item['seed']}-") and len(item["what"]) > 10
    assert tagged(item["lesson"], item["tag"]), f"{item['lesson']} has no cell for {item['what']}"


@every_lesson
def test_a_seed_tag_stands_in_the_table(name):
    listed = {item["tag"] for item in SEEDS if item["lesson"] == name}
    used = {tag for cell in lesson(name).cells for tag in tags(cell) if tag.startswith("seed:")}
    assert used == listed


def test_the_network_is_blocked_for_kernels():
    probe = "import socket; socket.create_connection(('example.org', 80), timeout=5)"
    run = subprocess.run(
        [sys.executable, "-c", probe],
        env={**os.environ, "PYTHONPATH": str(OFFLINE)},
        capture_output=True,
        text=True,
    )
    assert "the tests block the network: no connection to example.org" in run.stderr


@every_lesson
def test_no_cell_of_a_lesson_failed_unless_it_teaches_an_error(name):
    for cell in code_cells(name):
        failed = any(output.output_type == "error" for output in cell.outputs)
        announced = "raises-exception" in tags(cell) and not needed_data(cell)
        assert failed == announced, output_text(cell)
