"""The glossary holds the terms that the lessons define, and no others, in five languages."""

import os
import re
import sys
from pathlib import Path

import pytest
from browser import chromium, find_chromium, jupyterlab, open_lesson
from reading import NAMES, ROOT, lesson

sys.path.insert(0, str(ROOT / "tools"))
import glossary  # noqa: E402
import lessons  # noqa: E402
import working_copy  # noqa: E402

ENTRIES = glossary.read(ROOT, NAMES)
BY_FORM = glossary.by_form(ENTRIES)
PAGE = (ROOT / "notebooks/glossary.md").read_text("utf-8")
every_lesson = pytest.mark.parametrize("name", NAMES)


def bold(name: str) -> list[str]:
    """The bold terms of a lesson as it is built."""
    cells = [cell.source for cell in lesson(name).cells if cell.cell_type == "markdown"]
    return glossary.bold_terms("\n\n".join(cells))


# --- the lessons and the glossary ----------------------------------------------------------------


@every_lesson
def test_every_bold_term_of_a_lesson_stands_in_the_glossary(name):
    assert [term for term in bold(name) if glossary.same(term) not in BY_FORM] == []


@every_lesson
def test_a_term_is_bold_only_where_the_glossary_says_that_it_is_defined(name):
    entries = [BY_FORM.get(glossary.same(term), {"lesson": name}) for term in bold(name)]
    wrong = [entry for entry in entries if name not in [entry["lesson"], *entry.get("again", [])]]
    assert [f"{entry['term']}: {entry['lesson']}" for entry in wrong] == []


@every_lesson
def test_a_term_is_bold_once_in_a_lesson(name):
    entries = [BY_FORM.get(glossary.same(term), {"term": term})["term"] for term in bold(name)]
    assert sorted(entries) == sorted(set(entries))


@every_lesson
def test_every_term_of_the_glossary_is_bold_in_the_lesson_that_it_names(name):
    found = {glossary.same(term) for term in bold(name)}
    named = [entry for entry in ENTRIES if name in [entry["lesson"], *entry.get("again", [])]]
    missing = [entry for entry in named if not found & set(map(glossary.same, glossary.forms(entry)))]
    assert [entry["term"] for entry in missing] == []


# --- the page ------------------------------------------------------------------------------------


def test_the_page_agrees_with_its_source():
    assert lessons.glossary_page() == PAGE


def test_the_page_has_every_entry_under_its_letter():
    headings = re.findall(r"(?m)^(#{2,3}) (.+)$", PAGE)
    letter, under = "", []
    for level, title in headings:
        if level == "##":
            letter = title
        else:
            under.append((letter, title))
    assert under == [(entry["term"][0].upper(), entry["term"]) for entry in ENTRIES]
    assert re.findall(r"(?m)^# (.+)$", PAGE) == ["Glossary"]


def test_the_anchors_of_the_page_are_its_own():
    anchors = [glossary.slug(title) for title in re.findall(r"(?m)^#+ (.+)$", PAGE)]
    assert sorted(anchors) == sorted(set(anchors)) and all(anchors)


def test_the_links_of_the_page_lead_to_lessons():
    links = re.findall(r"\]\(([^)]*)\)", PAGE)
    assert len(links) >= len(ENTRIES)
    assert [link for link in set(links) if not (ROOT / "notebooks" / link).is_file()] == []


@every_lesson
def test_the_head_of_a_lesson_links_to_the_page(name):
    assert lesson(name).cells[0].source.endswith("**words:** [glossary](glossary.md)")


def test_an_entry_of_the_page_has_four_languages_and_where_it_comes_from():
    entry = made(also=["letters of DNA", "bases"], again=["02_b"], lectures=["001", "002"])
    page = glossary.markdown([entry], {"01_a": "A title", "02_b": "Another"})
    assert page.endswith("""\
## B

### base

*Also letters of DNA.* A letter of DNA.

한국어 <span lang="ko">염기</span> · 日本語 <span lang="ja">塩基</span> · \
繁體中文 <span lang="zh-Hant">鹼基</span> · 简体中文 <span lang="zh-Hans">碱基</span>

[01 A title](01_a.ipynb), again in [02 Another](02_b.ipynb) · in the lecture: 한국어, 日本語
""")


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium or Chrome on the PATH; COURSE_CHROMIUM may name one")
def test_jupyterlab_shows_the_readers_copy_of_the_page_and_leads_back_to_lessons(tmp_path):
    folder = tmp_path / "lessons"
    working_copy.update(ROOT / "notebooks", folder)
    with (
        jupyterlab(folder, tmp_path) as lab,
        chromium() as browser,
        open_lesson(browser, lab, f"{NAMES[1]}.ipynb") as opened,
    ):
        opened.page.locator(".jp-MarkdownOutput a", has_text="glossary").first.click()
        shown = opened.page.locator(".jp-MarkdownViewer")  # the page as it reads, not its Markdown
        shown.locator("h3").first.wait_for()
        assert shown.locator("h3").count() == len(ENTRIES)
        for language, (_, tag) in glossary.LANGUAGES.items():
            words = shown.locator(f"span[lang={tag}]").all_inner_texts()
            assert words == [entry[language] for entry in ENTRIES]
        title = lessons.lessons()[-1]["title"]
        shown.locator("a", has_text=f"{NAMES[-1][:2]} {title}").first.click()
        opened.page.locator(".lm-TabBar-tabLabel", has_text=f"{NAMES[-1]}.ipynb").wait_for(state="attached")
        assert opened.complaints == []


# --- an entry ------------------------------------------------------------------------------------


def made(**changes) -> dict:
    """An entry without fault, with some fields changed, or left out where they are None."""
    entry = {
        "term": "base", "lesson": "01_a", "meaning": "A letter of DNA.", "ko": "염기", "ja": "塩基",
        "zh_hant": "鹼基", "zh_hans": "碱基", "lectures": [],
    }  # fmt: skip
    return {key: value for key, value in (entry | changes).items() if value is not None}


def faults(*entries: dict) -> list[str]:
    return glossary.faults(list(entries), ["01_a", "02_b"])


def test_an_entry_without_fault():
    assert faults(made()) == []
    english = dict.fromkeys(glossary.LANGUAGES, "Base")
    assert faults(made(**english)) == []
    assert faults(made(**dict.fromkeys(glossary.LANGUAGES, "DNA base"), also=["DNA base"])) == []
    assert faults(made(zh_hant="核苷酸")) == []  # what an old codec lacks and Taiwan writes


@pytest.mark.parametrize(
    "changes, complaint",
    [
        *(({field: None}, f"has no '{field}'") for field in sorted(glossary.NEEDED - {"term"})),
        *(({field: ""}, f"has no '{field}'") for field in sorted(glossary.LANGUAGES)),
        ({"term": None}, "'entry 1' has no 'term'"),
        ({"ko": " 염기"}, "has no 'ko'"),
        ({"kr": "염기"}, "unknown field 'kr'"),
        ({"lesson": "03_c"}, "no lesson '03_c'"),
        ({"again": ["03_c"]}, "no lesson '03_c'"),
        ({"again": ["01_a"]}, "'again' lists other lessons"),
        ({"lectures": ["005"]}, "'lectures' lists some of 000"),
        ({"lectures": ["002", "000"]}, "each once, in this order"),
        ({"term": "염기"}, "is English"),
        ({"term": "2-mer"}, "begins with a letter"),
        ({"meaning": "A letter of DNA"}, "is sentences"),
        ({"meaning": "A **letter** of DNA."}, "without bold"),
        ({"meaning": "염기."}, "is in English"),
        ({"ko": "nucleobase"}, "neither 한국어 nor a form"),
        ({"ko": "塩基"}, "not written as 한국어"),
        ({"ja": "nucleobase"}, "neither 日本語 nor a form"),
        ({"ja": "염기"}, "not written as 日本語"),
        ({"zh_hant": "nucleobase"}, "neither 繁體中文 nor a form"),
        ({"zh_hant": "碱基"}, "'碱' in '碱基' is not 繁體中文"),
        ({"zh_hant": "ベース"}, "not written as 繁體中文"),
        ({"zh_hans": "nucleobase"}, "neither 简体中文 nor a form"),
        ({"zh_hans": "鹼基"}, "'鹼' in '鹼基' is not 简体中文"),
        ({"zh_hans": "염기"}, "not written as 简体中文"),
        ({"also": ["Base"]}, "'Base' stands under 'base' already"),
    ],
)
def test_a_fault_of_an_entry_is_named(changes, complaint):
    [fault] = faults(made(**changes))
    assert complaint in fault


def test_faults_between_entries_are_named():
    other = made(term="code", also=["BASE"])
    assert faults(made(), other) == ["'code': 'BASE' stands under 'base' already"]
    assert faults(made(term="p value"), made(term="p-value")) == [
        "'p-value': its heading has the anchor of 'p value'"
    ]
    assert faults(made(term="N")) == ["'N': its heading has the anchor of its letter N"]
    [order] = faults(made(term="code"), made())
    assert "'base' stands after 'code'" in order


@pytest.mark.parametrize("hant, hans", [("訓練集", "训练集"), ("網路", "网络"), ("權重", "权重"), ("過濾", "过滤")])
def test_the_two_ways_of_writing_chinese_are_told_apart(hant, hans):
    assert faults(made(zh_hant=hant, zh_hans=hans)) == []
    assert len(faults(made(zh_hant=hans, zh_hans=hant))) == 2


def test_a_file_with_a_fault_is_not_read(tmp_path):
    (tmp_path / "notebooks/source").mkdir(parents=True)
    file = tmp_path / "notebooks/source/glossary.toml"
    file.write_text('[[term]]\nterm = "base"\nlesson = "03_c"\n', "utf-8")
    with pytest.raises(SystemExit, match="glossary.toml: 'base' has no 'ja'"):
        glossary.read(tmp_path, ["01_a"])


# --- bold ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, terms",
    [
        ("A **base** pairs with *another*.", ["base"]),
        ("The **position\nweight matrix**, **PWM**.", ["position weight matrix", "PWM"]),
        ("**Pooling.** A **network**. **Predict first:** what? **Really?** **No!**", ["network"]),
        ("**`permute`** and **a `*` b**", ["permute", "a * b"]),
        ("`a**b` and `c**d`\n\n```python\ne**f + g**h\n```\n", []),
        ("```python\nx = 2\n```\n**one**\n```\ny**2 + z**2\n```\n", ["one"]),
        ("## What you will be able to do\n\n- **say** it.\n\n## Next\n\n**term**", ["term"]),
        ("## Common mistakes\n\n- **A wrong\n  row** (M03). A **term**.\n- **No.** Yes.", ["term"]),
        ("a ** b, c ** d", []),
        ("**not\n\nbold**", []),
        ("- **an item** of a list\n\n## Common words\n\n- **another**", ["an item", "another"]),
    ],
)
def test_bold_terms_are_told_from_other_bold(text, terms):
    assert glossary.bold_terms(text) == terms


# --- the lectures --------------------------------------------------------------------------------

# The lectures are not part of the repository. Where they are, COURSE_SEEDS names their folder; elsewhere
# there is nothing to test, and no test that would have to be skipped.
if "COURSE_SEEDS" in os.environ:

    @pytest.mark.parametrize("lecture", glossary.LECTURES)
    def test_the_words_of_a_lecture_occur_in_it(lecture):
        [file] = Path(os.environ["COURSE_SEEDS"]).glob(f"{lecture}_*.txt")
        text, language = file.read_text("utf-8"), glossary.LECTURES[lecture]
        words = [entry[language] for entry in ENTRIES if lecture in entry["lectures"]]
        assert words and [word for word in words if word not in text] == []
