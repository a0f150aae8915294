"""One command writes the repository's address everywhere, and an unpublished copy says what it is."""

import shutil
import sys

import nbformat
import pytest
from reading import NAMES, ROOT, tags

sys.path.insert(0, str(ROOT / "tools"))
import lessons  # noqa: E402

ADDRESS = "https://github.com/owner/deep-dna"


@pytest.fixture
def copy(tmp_path):
    """What publishing touches, in a folder of its own."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def read(root, name):
    return nbformat.read(root / "notebooks" / f"{name}.ipynb", as_version=4)


def test_a_copy_without_an_address_says_so(copy):
    settings = copy / "pyproject.toml"
    lines = settings.read_text("utf-8").replace(f'"{lessons.repository()}"', '""')
    settings.write_text(lines, "utf-8")
    for lesson in lessons.lessons(copy):
        book = lessons.notebook_from_source(lesson, copy)
        [set_up] = [cell for cell in book.cells if "set-up" in tags(cell)]
        assert lessons.UNPUBLISHED in book.cells[0].source
        assert "is not published, so there is no address to install" in set_up.source


def test_a_lesson_that_disagrees_with_its_source_is_not_published(copy):
    source = copy / "notebooks/source" / f"{NAMES[0]}.py"
    source.write_text(source.read_text("utf-8") + "\n# %% [markdown]\n# A late thought.\n", "utf-8")
    before = (copy / "pyproject.toml").read_bytes()
    with pytest.raises(SystemExit, match="run `make lessons` first"):
        lessons.publish(ADDRESS, root=copy)
    assert (copy / "pyproject.toml").read_bytes() == before


def test_a_glossary_that_disagrees_with_its_source_is_not_published(copy):
    page = copy / "notebooks/glossary.md"
    page.write_text(page.read_text("utf-8") + "\nA late thought.\n", "utf-8")
    with pytest.raises(SystemExit, match="(?s)glossary.md.*run `make lessons` first"):
        lessons.publish(ADDRESS, root=copy)


def test_the_readme_has_badges_and_no_links_to_the_glossary_in_its_table(copy):
    lessons.publish(ADDRESS, root=copy)
    table = (copy / "README.md").read_text("utf-8").split("<!-- lessons:")[1]
    assert "colab-badge" in table and "glossary" not in table


def test_publishing_writes_badges_and_set_up_cells_and_nothing_else(copy):
    lessons.publish(ADDRESS, root=copy)
    assert lessons.repository(copy) == ADDRESS
    assert lessons.disagreements(copy) == []
    for name in NAMES:
        before, after = read(ROOT, name), read(copy, name)
        badge = f"https://colab.research.google.com/github/owner/deep-dna/blob/main/notebooks/{name}.ipynb"
        assert badge in after.cells[0].source
        assert badge in (copy / "README.md").read_text("utf-8")
        [line] = [line for line in after.cells[0].source.splitlines() if badge in line]
        assert "(https://github.com/owner/deep-dna/blob/main/notebooks/glossary.md)" in line
        for number, (one, other) in enumerate(zip(before.cells, after.cells, strict=True)):
            if "set-up" in tags(other):
                assert f'%pip install --quiet "course-utils @ git+{ADDRESS}"' in other.source
            elif number:
                assert one.source == other.source
            assert one.get("outputs") == other.get("outputs")


def test_publishing_twice_changes_nothing_more_and_can_move_the_address(copy):
    def content():
        return {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}

    lessons.publish("https://example.org/elsewhere.git", root=copy)
    head = read(copy, NAMES[0]).cells[0].source
    assert "Published at https://example.org/elsewhere.git" in head
    assert "[glossary](glossary.md)" in head and "/glossary.md" not in head
    lessons.publish(ADDRESS, root=copy)
    once = content()
    lessons.publish(ADDRESS, root=copy)
    assert content() == once
    assert b"example.org" not in b"".join(once.values())


@pytest.mark.parametrize("address", ["", "owner/deep-dna", "https://github.com/owner/deep dna", 'https://x/"y', "https://x/\\1"])
def test_what_git_cannot_clone_is_refused_before_anything_is_written(copy, address):
    before = (copy / "pyproject.toml").read_bytes()
    with pytest.raises(SystemExit, match="is no address that git can clone"):
        lessons.publish(address, root=copy)
    assert (copy / "pyproject.toml").read_bytes() == before
