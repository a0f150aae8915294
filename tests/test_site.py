"""What the course site holds, read from its files; tests/test_site_in_browser.py opens it."""

import ast
import re
import sys
from pathlib import Path

import nbformat
import pytest
from built_site import dead_ends, pages, published_site, read, site
from reading import NAMES, ROOT, lesson, tagged, tags

sys.path.insert(0, str(ROOT / "tools"))
import course_site  # noqa: E402  (tools/ is no package: its files are commands)
import glossary  # noqa: E402
import lessons  # noqa: E402

every_lesson = pytest.mark.parametrize("name", NAMES)


def lesson_page(name: str):
    return read(site() / "notebooks" / f"{name}.html")


# --- all pages -----------------------------------------------------------------------------------


def test_every_link_and_asset_leads_somewhere_and_nothing_is_fetched_from_elsewhere():
    assert dead_ends(site()) == []


def test_a_dead_link_would_be_found(tmp_path):
    (tmp_path / "other.html").write_text('<h1 id="here">here</h1>')
    (tmp_path / "index.html").write_text(
        '<a href="other.html#here">ok</a><a href="other.html#there">no</a><a href="gone.html">no</a>'
        '<img src="gone.png"><script src="https://example.org/x.js"></script><a href="https://example.org">ok</a>'
    )
    assert dead_ends(tmp_path) == [
        "index.html: other.html has no place 'there'",
        "index.html: nothing at gone.html",
        "index.html: nothing at gone.png",
        "index.html: <script> is fetched from elsewhere: https://example.org/x.js",
    ]


def test_every_page_says_its_language_and_title():
    titles = {}
    for page in pages(site()):
        soup = read(site() / page)
        assert soup.html["lang"] == "en", page
        titles.setdefault(soup.title.text.strip(), []).append(page)
    assert {title: found for title, found in titles.items() if len(found) > 1 or not title} == {}


def test_the_first_page_shows_every_lesson_with_its_picture():
    soup = read(site() / "index.html")
    cards = soup.select("a.course-card")
    assert [card["href"] for card in cards] == [f"notebooks/{name}.html" for name in NAMES]
    assert all((site() / card.img["src"]).read_text("utf-8").startswith("<svg") for card in cards)


# --- lessons -------------------------------------------------------------------------------------


@every_lesson
def test_a_lesson_leads_to_the_one_before_and_the_one_after(name):
    soup, place = lesson_page(name), NAMES.index(name)
    before, after = soup.select_one("a.left-prev"), soup.select_one("a.right-next")
    assert before["href"] == (f"{NAMES[place - 1]}.html" if place else "../start.html")
    if place + 1 < len(NAMES):
        assert after["href"] == f"{NAMES[place + 1]}.html"


@every_lesson
def test_every_code_cell_and_picture_of_a_lesson_is_on_its_page(name):
    soup = lesson_page(name)
    code = [cell for cell in lesson(name).cells if cell.cell_type == "code"]
    shown = [block.get_text().strip() for block in soup.select(".cell_input pre")]
    assert shown == [cell.source.strip() for cell in code]
    expected = sum(
        output.get("data", {}).get("text/html", "").count("<img") for cell in code for output in cell.outputs
    )
    pictures = soup.select(".cell_output img")
    assert len(pictures) == expected and all(len(picture["alt"]) > 10 for picture in pictures)


@every_lesson
def test_each_explorer_shows_its_still_picture_and_says_where_it_moves(name):
    soup = lesson_page(name)
    notes = soup.select(".course-still")
    assert len(notes) == len(tagged(name, "explorer"))
    assert all("make lab" in note.text and "Colab" in note.text for note in notes)
    assert not soup.select("script[type*=widget]")
    for note in notes:
        assert note.find_previous(class_="cell").select_one(".cell_output img"), "no picture above the note"


@every_lesson
def test_every_term_that_a_lesson_defines_leads_to_the_glossary(name):
    words = glossary.by_form(glossary.read(ROOT, NAMES))
    meant = {
        words[glossary.same(term)]["term"]
        for cell in lesson(name).cells
        if cell.cell_type == "markdown"
        for term in glossary.bold_terms(cell.source)
    }
    page = read(site() / "notebooks/glossary.html")
    links = lesson_page(name).select('article a[href^="glossary.html#"]')
    places = (page.find(id=link["href"].split("#")[1]) for link in links)
    reached = {place.find_next("h3").get_text().removesuffix("#").replace("\u2019", "'") for place in places}
    assert meant and meant <= reached


@every_lesson
def test_formulas_are_drawn_by_the_browser(name):
    """As many as the lesson writes; a formula that docutils cannot turn into MathML stops the build."""
    markdown = "\n".join(cell.source for cell in lesson(name).cells if cell.cell_type == "markdown")
    plain = re.sub(r"```.*?```|`[^`]*`", "", markdown, flags=re.DOTALL)
    written = re.findall(r"\$\$.+?\$\$|\$[^$\n]+\$", plain, re.DOTALL)
    assert len(lesson_page(name).find_all("math")) == len(written)


def test_no_script_for_formulas_or_widgets_is_loaded():
    scripts = [tag.get("src", "") for tag in read(site() / "notebooks" / f"{NAMES[-1]}.html").find_all("script")]
    assert scripts and not [address for address in scripts if re.search("mathjax|katex|require|widget", address, re.IGNORECASE)]


@every_lesson
def test_a_lesson_is_downloaded_as_it_is(name):
    button = lesson_page(name).select_one("a.btn-download-source-button")
    assert button["href"] == f"../_sources/notebooks/{name}.ipynb"
    downloaded = site() / "_sources/notebooks" / f"{name}.ipynb"
    assert downloaded.read_bytes() == (ROOT / "notebooks" / f"{name}.ipynb").read_bytes()


def test_a_published_lesson_has_buttons_for_colab_binder_and_download():
    folder = published_site()
    soup = read(folder / "notebooks" / f"{NAMES[0]}.html")
    addresses = {link["href"] for link in soup.select(".article-header-buttons a[href]")}
    file = f"notebooks/{NAMES[0]}.ipynb"
    assert f"https://colab.research.google.com/github/owner/deep-dna/blob/main/{file}" in addresses
    assert f"https://mybinder.org/v2/gh/owner/deep-dna/main?urlpath=lab/tree/{file}" in addresses
    assert f"../_sources/{file}" in addresses
    assert "https://github.com/owner/deep-dna" in addresses


# --- links that only the site has ----------------------------------------------------------------


def test_words_and_numbers_of_lessons_become_links_but_not_in_code_formulas_and_headings():
    words = {"filter": {"term": "filter"}}
    documents = {"01": "01_one", "02": "02_two"}
    markdown = (
        "# Lesson 01\n\nA **filter** of lesson 01, of lessons 01 and 02, of lesson 77; `lesson 01`, $lesson 01$,\n"
        "[lesson 01](x.md) and **bold**.\n\n```python\n# lesson 02, **filter**\n```\n"
    )
    assert course_site.linked(markdown, documents, words) == (
        "# Lesson 01\n\nA [**filter**](glossary.md#filter) of [lesson 01](01_one.ipynb), of lessons [01](01_one.ipynb) and "
        "[02](02_two.ipynb), of lesson 77; `lesson 01`, $lesson 01$,\n"
        "[lesson 01](x.md) and **bold**.\n\n```python\n# lesson 02, **filter**\n```\n"
    )


# --- the package ---------------------------------------------------------------------------------


def rooms() -> dict[str, list[str]]:
    """Module of the package -> its public functions and classes that have a docstring, read from the source."""
    found = {}
    for path in (ROOT / "course_utils").rglob("*.py"):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if any(part.startswith("_") for part in parts[:-1]) or (parts[-1].startswith("_") and parts[-1] != "__init__"):
            continue
        name = ".".join(parts).removesuffix(".__init__")
        found[name] = [
            node.name
            for node in ast.parse(path.read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_") and ast.get_docstring(node)
        ]
    return found


@pytest.mark.parametrize("room, names", rooms().items())
def test_every_public_name_of_the_package_has_its_place(room, names):
    soup = read(site() / "api" / f"{room}.html")
    assert [name for name in names if not soup.find(id=f"{room}.{name}")] == []


@every_lesson
def test_names_in_a_lessons_code_lead_to_the_package_and_back(name):
    imported = {
        f"{node.module}.{alias.name}"
        for cell in tagged(name, "imports")
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("course_utils.") and "exercises" not in node.module
        for alias in node.names
    }
    links = {link["href"] for link in lesson_page(name).select("a.sphinx-codeautolink-a")}
    places = {address.split("#")[1] for address in links if "#" in address}
    documented = {f"{room}.{name}" for room, names in rooms().items() for name in names}
    assert imported & documented and imported & documented <= places
    for place in sorted(imported & documented):
        soup = read(site() / "api" / f"{place.rpartition('.')[0]}.html")
        entry = soup.find(id=place).find_parent("dl")
        assert entry.select(f'a[href*="notebooks/{name}.html"]'), f"{place} does not name lesson {name}"


def test_lessons_in_docstrings_are_links():
    soup = read(site() / "api/course_utils.scanning.html")
    assert soup.select('article a[href="../notebooks/02_pfm_pwm_scanning.html"]')


# --- what was measured ---------------------------------------------------------------------------


def test_the_measured_page_has_every_lesson_and_every_result():
    soup = read(site() / "measured.html")
    rows = [row.td.text for row in soup.select("table tr") if row.td]
    assert [f"{entry['name'][:2]} {entry['title']}" for entry in lessons.lessons()] == rows[: len(NAMES)]
    headings = {heading.get_text().rstrip("#").strip().lower() for heading in soup.find_all("h2")}
    results = {path.stem.replace("_", " ") for path in (ROOT / "benchmarks/results").glob("*.txt")}
    assert results <= headings


def test_a_result_belongs_to_a_script():
    scripts = {path.stem for path in (ROOT / "benchmarks").glob("*.py")}
    results = {path.stem for path in (ROOT / "benchmarks/results").glob("*.txt")}
    assert "lessons" in results and results <= scripts


# --- building ------------------------------------------------------------------------------------


def test_a_readme_without_its_marks_stops_the_build():
    with pytest.raises(SystemExit, match="README.md: expected '## Start' once"):
        course_site.between("no marks", "## Start", "## End", "README.md")


def test_a_lesson_on_the_site_keeps_all_its_cells():
    for name in NAMES:
        path = ROOT / "notebooks" / f"{name}.ipynb"
        shown = course_site.lesson_page(path, {}, {})
        kept = [cell for cell in shown.cells if not cell.id.endswith("-still")]
        assert [cell.source for cell in kept] == [cell.source for cell in lesson(name).cells]
        assert [tags(cell) for cell in kept] == [tags(cell) for cell in lesson(name).cells]
        nbformat.validate(shown)


def test_the_folder_of_the_site_is_replaced_only_when_the_build_was_good(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "index.html").write_text("the last good one")
    monkeypatch.setattr(course_site, "gather", lambda pages: Path(pages).mkdir(parents=True))
    with pytest.raises(SystemExit, match="Sphinx ended with"):
        course_site.build(folder, tmp_path / "work/pages")
    assert (folder / "index.html").read_text() == "the last good one"
