"""Settings of the course site. `make site` gathers its pages (tools/site.py) and builds them with these.

Nothing on the site is fetched from elsewhere: the theme carries its fonts and icons, formulas are MathML,
which browsers draw and screen readers read by themselves, and explorers show their still picture.
"""

import re
import sys
import tomllib
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx_codeautolink.extension.backref import SummaryNode

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))
import course_site  # noqa: E402  (tools/ is no package: its files are commands)
import lessons  # noqa: E402

project = "Deep learning for DNA sequences"
author = "The course team"
copyright = "the course team; code under MIT, text and figures under CC BY 4.0"
release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
language = "en"

highlight_language = "text"  # what is no code, such as a table as a program prints it
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_codeautolink",
]

# --- lessons and pages ---------------------------------------------------------------------------

nb_execution_mode = "off"  # the lessons are executed by `make lessons` and compared by the tests
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

# --- the package ---------------------------------------------------------------------------------

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_default_options = {"members": True, "show-inheritance": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
default_role = "py:obj"  # a name between single backticks leads to what it names, where that is ours
# Attributes are listed with their class. Of those that two classes share, Sphinx asks which is meant, and is right
# to take the first: both stand where they are listed.
suppress_warnings = ["ref.python"]
napoleon_numpy_docstring = False
napoleon_use_rtype = False
napoleon_use_ivar = True  # an attribute is then described once, in its class
# Names in the lessons' code lead to the package's pages, and these list the lessons that use them.
codeautolink_autodoc_inject = True
codeautolink_concat_default = True

# --- looks ---------------------------------------------------------------------------------------

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_favicon = str(ROOT / "docs/_static/favicon.svg")
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system has it
html_show_sphinx = False
templates_path = [str(ROOT / "docs/_templates")]  # autosummary would look beside the gathered pages
pygments_style = "a11y-high-contrast-light"
html_theme_options = {
    "home_page_in_toc": False,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navbar_persistent": [],  # the side bar has the search already
    "use_download_button": True,
    "use_fullscreen_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
if published := re.fullmatch(r"(https://github\.com/[^/]+/[^/]+?)(\.git)?/?", lessons.repository()):
    html_theme_options |= {
        "repository_url": published[1],
        "repository_branch": "main",
        "path_to_docs": "",
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "colab_url": "https://colab.research.google.com",
            "binderhub_url": "https://mybinder.org",
            "notebook_interface": "jupyterlab",
        },
    }

# --- formulas, and lessons in docstrings ---------------------------------------------------------


#: The name of a function, with its base where it has one.
NAME = r"(?:log|exp|cos|sin|max|min)</mi>"
FUNCTION = rf"(?:<msub><mi>{NAME}<m[in]>[^<]*</m[in]></msub>|(?<!<msub>)<mi>{NAME})"
THIN = '<mspace width="0.17em"></mspace>'


def mathml(formula: str, **options) -> str:
    """A formula as MathML, with TeX's thin spaces around the names of functions, which docutils leaves out."""
    text = re.sub(r">\s+<", "><", tex2mathml(formula, **options)).replace("<mo>&ApplyFunction;</mo>", "")
    text = re.sub(rf"(</m[in]>)(?={FUNCTION})", rf"\1{THIN}", text)
    return re.sub(rf"({FUNCTION})(?=<m[in]>)", rf"\1{THIN}", text)


def inline_formula(translator, node: nodes.math) -> None:
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def formula(translator, node: nodes.math_block) -> None:
    translator.body.append(f"<div class='course-formula'>{mathml(node.astext(), as_block=True)}</div>")
    raise nodes.SkipNode


def link_lessons(app, what, name, obj, options, lines: list[str]) -> None:
    """Let "lesson 02" of a docstring lead there."""
    documents = {entry["name"][:2]: entry["name"] for entry in lessons.lessons()}

    def link(number: str, shown: str) -> str:
        return f":doc:`{shown} </notebooks/{documents[number]}>`" if number in documents else shown

    lines[:] = [course_site.link_numbers(line, link) for line in lines]


def plain_summaries(app, doctree: nodes.document, docname: str) -> None:
    """What opens a list of lessons is one control: a link inside of it would be a second one (WCAG 4.1.2)."""
    for summary in doctree.findall(SummaryNode):
        for link in list(summary.findall(nodes.reference)):
            link.replace_self(link.children)


def setup(app) -> None:
    app.add_html_math_renderer("mathml", (inline_formula, None), (formula, None))
    app.connect("autodoc-process-docstring", link_lessons)
    app.connect("doctree-resolved", plain_summaries, priority=900)  # after sphinx_codeautolink has made them
