"""What a reader could not see or hear in a piece of HTML that our code wrote: colours, tables, words in colour only."""

import re
from html.parser import HTMLParser

import colours

#: What lies beneath an output in JupyterLab's light and dark themes, and the ink that it has there: a page that
#: we do not paint. (--jp-layout-color0 and --jp-content-font-color1 of both.)
THEMES = {"light": ("#ffffff", "#212121"), "dark": ("#111111", "#ffffff")}
VOID = {"img", "br", "hr", "input"}
NAMED = {"#fff": "#ffffff"}


class Pieces(HTMLParser):
    """The words of HTML, each with the colours that inline styles give it, and all tags with their attributes."""

    def __init__(self, html: str):
        super().__init__()
        self.words: list[tuple[str, str, str]] = []  # (words, ink, paper); "" where the page decides
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._open = [("", "", "")]  # (tag, ink, paper)
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        attributes = {name: value or "" for name, value in attributes}
        self.tags.append((tag, attributes))
        style = dict(re.findall(r"(?:^|;)\s*([\w-]+)\s*:\s*([^;]+)", attributes.get("style", "")))
        _, ink, paper = self._open[-1]
        ink = style.get("color", ink).strip()
        paper = style.get("background", style.get("background-color", paper)).strip()
        if tag not in VOID:
            self._open.append((tag, NAMED.get(ink, ink), NAMED.get(paper, paper)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open[-1][0] == tag, f"<{self._open[-1][0]}> is closed by </{tag}>"
            self._open.pop()

    def handle_data(self, data):
        if data.strip():
            self.words.append((data, *self._open[-1][1:]))


def faint_words(html: str) -> list[str]:
    """Words whose contrast is below 4.5 on a light or a dark page."""
    found = []
    for words, ink, paper in Pieces(html).words:
        for theme, (ground, own_ink) in THEMES.items():
            least = colours.contrast(ink or own_ink, paper or ground)
            if least < colours.WORDS:
                found.append(f"{words!r}: contrast {least:.2f} on a {theme} page")
    return found


def without_looks(html: str) -> str:
    """The HTML as someone meets it who sees no colours, sizes or lines: signs, words and alt texts."""
    pieces = Pieces(html)
    alts = [attributes.get("alt", "") for tag, attributes in pieces.tags if tag == "img"]
    return " ".join(" ".join([*(words for words, _, _ in pieces.words), *alts]).split())


def table_faults(html: str) -> list[str]:
    """Tables without a name, and cells without the heads that a screen reader says with them."""
    found = []
    for attributes, body in re.findall(r"<table([^>]*)>(.*?)</table>", html, re.DOTALL):
        if not re.search(r'aria-label="[^"]{4,}"', attributes) and not re.search(r"<caption>[^<]{4,}", body):
            found.append("a table has no name")
        head, *rows = re.findall(r"<tr>(.*?)</tr>", body, re.DOTALL)
        columns = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', head)
        if len(columns) != len(re.findall(r"<t[hd]\b", head)) or not all(word.strip() for word in columns):
            found.append(f"a head without scope or words: {head}")
        for row in rows:
            cells = re.findall(r"<t([hd])\b([^>]*)>(.*?)</t[hd]>", row)
            if cells[0][0] != "h" or 'scope="row"' not in cells[0][1] or not cells[0][2].strip():
                found.append(f"a row that nothing names: {row}")
            if len(cells) != len(columns):
                found.append(f"{len(cells)} cells under {len(columns)} heads: {row}")
    return found
