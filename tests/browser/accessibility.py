"""axe-core in an open lesson: the rules of WCAG 2.0, 2.1 and 2.2, levels A and AA, on what our code shows."""

from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT

from browser.lesson import OpenLesson

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
THEMES = ("JupyterLab Light", "JupyterLab Dark")
#: The outputs with explorers, pictures and feedback; what is printed belongs to JupyterLab.
OURS = ".jp-OutputArea-output:has(.course-explorer, img, [role=status])"
UNCUT = """
body, body :has(.jp-OutputArea-output) { overflow: visible !important; content-visibility: visible !important }
"""
GROUND = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color0').trim()"
# A violation comes with those of the `known` selectors that its element matches.
RUN = """
async ([ours, rules, known]) => {
  const options = {runOnly: rules, resultTypes: ["violations", "passes"]};
  const {violations, passes} = await axe.run({include: [[ours]]}, options);
  const found = violations.flatMap(({id, nodes}) => nodes.map(({target, html, failureSummary}) => {
    const element = document.querySelector(target[0]);
    return [id, html, failureSummary, known.filter((selector) => element.matches(selector))];
  }));
  const contrast = passes.find(({id}) => id === "color-contrast");
  return {found, read: contrast ? contrast.nodes.length : 0};
}
"""


@dataclass(frozen=True)
class Violation:
    """A rule that an element breaks; `known` are the selectors of foreign parts that it matches."""

    theme: str
    rule: str
    html: str
    why: str
    known: tuple[str, ...]


@dataclass(frozen=True)
class Audit:
    """What axe found in all themes, and in each the number of elements whose contrast it found right."""

    violations: tuple[Violation, ...]
    read: dict[str, int]


def audit(lesson: OpenLesson, known: list[str]) -> Audit:
    """Run axe on what is ours, on a light and on a dark page.

    Args:
        known: selectors of parts that others make, to recognise their violations by.
    """
    page = lesson.page
    show_all(page)
    violations, read = [], {}
    for theme in THEMES:
        change_theme(page, theme)
        found, read[theme] = broken_rules(page, theme, known)
        violations += found
    return Audit(tuple(violations), read)


def broken_rules(page, theme: str, known: list[str]) -> tuple[list[Violation], int]:
    """What axe finds on the page as it stands, and the number of elements whose contrast it found right."""
    page.evaluate(f"{AXE_SCRIPT};0")
    result = page.evaluate(RUN, [OURS, RULES, known])
    found = [
        Violation(theme, rule, html[:300], " ".join(why.split()), tuple(matched))
        for rule, html, why, matched in result["found"]
    ]
    return found, result["read"]


def show_all(page) -> None:
    """Let nothing around the outputs cut them off: axe takes for hidden what is scrolled out of sight.

    So it does with all that lies in a body of no height, which is how JupyterLab lays out its page.
    """
    page.add_style_tag(content=UNCUT)


def change_theme(page, theme: str) -> None:
    """Choose a theme of JupyterLab, and wait until its colours are there."""
    if page.evaluate("document.body.dataset.jpThemeName") == theme:
        return
    before = page.evaluate(GROUND)
    page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    page.wait_for_function(f"before => {GROUND} && {GROUND} !== before", arg=before)
    page.wait_for_function("!document.querySelector('#jupyterlab-splash')")


def show_messages(explorers) -> None:
    """Type something into each text of the explorers that it refuses, so that a message stands there."""
    for explorer in explorers:
        for control in explorer.controls:
            if control.kind == "text":
                explorer.press(control, ["End", "!", "Tab"])
