"""The glossary of the lessons: ``notebooks/source/glossary.toml`` in, ``notebooks/glossary.md`` out.

An author edits the TOML file; ``python tools/lessons.py run`` writes the Markdown. One entry:

    [[term]]
    term = "receptive field"
    also = ["receptive fields"]          # may be left out; upper and lower case are the same
    lesson = "09_dilated_convolutions"   # where it is defined, in bold
    again = ["10_basenji"]               # may be left out; where it is defined once more, alike
    meaning = "From the first to the last input that can change an output."
    ko = "수용 영역"
    ja = "受容野"
    zh_hant = "感受野"
    zh_hans = "感受野"
    lectures = []                        # the source lectures that use exactly the word given here

The terms of a lesson are its bold words, less the bold that is something else: see `bold_terms`.
"""

import re
import tomllib
from pathlib import Path

#: A language's field in the TOML file: its name in itself, and its tag in HTML.
LANGUAGES = {
    "ko": ("한국어", "ko"),
    "ja": ("日本語", "ja"),
    "zh_hant": ("繁體中文", "zh-Hant"),
    "zh_hans": ("简体中文", "zh-Hans"),
}
#: The language of each source lecture.
LECTURES = {"000": "ko", "001": "ja", "002": "ko", "003": "zh_hant", "004": "zh_hans"}
NEEDED = {"term", "lesson", "meaning", "lectures", *LANGUAGES}
ALLOWED = NEEDED | {"also", "again"}

HANGUL, KANA, HAN = "[가-힣]", "[ぁ-ゖァ-ヺ]", "[一-鿿々]"
#: A word in each language has some of the first and none of the second. The codecs know the
#: characters of one way of writing Chinese and few of those that only the other has.
SCRIPTS = {
    "ko": (HANGUL, f"{KANA}|{HAN}", None),
    "ja": (f"{KANA}|{HAN}", HANGUL, None),
    "zh_hant": (HAN, f"{KANA}|{HANGUL}", "big5"),
    "zh_hans": (HAN, f"{KANA}|{HANGUL}", "gb2312"),
}
#: Characters in daily use that the old codec lacks.
LATER = {"big5": "苷", "gb2312": ""}

INTRODUCTION = """\
# Glossary

The words that the lessons define, in alphabetical order. Under each stand what it means, the word in Korean, Japanese,
traditional Chinese as in Taiwan, and simplified Chinese, and the lesson that introduces it. Where a field writes the
English word or its abbreviation, so does this list.

Five lectures in these languages are the source of the lessons. *In the lecture* names the languages whose lecture uses
exactly the word given here.
"""


# --- the entries ---------------------------------------------------------------------------------


def read(root: Path, lessons: list[str]) -> list[dict]:
    """The entries of the glossary.

    Args:
        lessons: the names of all lessons.

    Raises:
        SystemExit: the file says something that it must not; every such place is named.
    """
    entries = tomllib.loads((root / "notebooks/source/glossary.toml").read_text("utf-8")).get("term", [])
    if found := faults(entries, lessons):
        raise SystemExit("\n".join(f"glossary.toml: {fault}" for fault in found))
    return entries


def forms(entry: dict) -> list[str]:
    """The ways in which a lesson may write a term."""
    return [entry["term"], *entry.get("also", [])]


def same(text: str) -> str:
    """What is left of a term when line breaks and upper case do not count."""
    return " ".join(text.split()).casefold()


def by_form(entries: list[dict]) -> dict[str, dict]:
    """The entry of each form, as `same` writes it."""
    return {same(form): entry for entry in entries for form in forms(entry)}


def slug(title: str) -> str:
    """The anchor of a heading, as GitHub and MyST make it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def faults(entries: list[dict], lessons: list[str]) -> list[str]:
    """Everything that is wrong with the entries, each in a sentence."""
    found, whose, anchors = [], {}, {}
    for number, entry in enumerate(entries, start=1):
        name = entry.get("term") or f"entry {number}"
        missing, unknown = NEEDED - set(entry), set(entry) - ALLOWED
        empty = {key for key in NEEDED - {"lectures"} - missing if not _is_text(entry[key])}
        found += [f"{name!r} has no {key!r}" for key in sorted(missing | empty)]
        found += [f"{name!r}: unknown field {key!r}" for key in sorted(unknown)]
        if missing or empty or unknown:
            continue
        found += [f"{name!r}: {fault}" for fault in _faults_of(entry, lessons)]
        for form in forms(entry):
            if same(form) in whose:
                found.append(f"{name!r}: {form!r} stands under {whose[same(form)]!r} already")
            whose[same(form)] = name
        anchors.setdefault(slug(name[0]), f"its letter {name[0].upper()}")
        if slug(name) in anchors:
            found.append(f"{name!r}: its heading has the anchor of {anchors[slug(name)]}")
        anchors[slug(name)] = repr(name)
    terms = [entry["term"] for entry in entries if _is_text(entry.get("term"))]
    found += [
        f"{later!r} stands after {earlier!r}: the terms are in alphabetical order"
        for earlier, later in zip(terms, terms[1:])
        if _order(later) < _order(earlier)
    ]
    return found


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value) and value == value.strip()


def _order(term: str) -> str:
    return same(term).replace("-", " ")


def _faults_of(entry: dict, lessons: list[str]) -> list[str]:
    """What is wrong with a complete entry by itself."""
    again, lectures = entry.get("again", []), entry["lectures"]
    found = [f"no lesson {wrong!r}" for wrong in [entry["lesson"], *again] if wrong not in lessons]
    if entry["lesson"] in again or again != sorted(set(again)):
        found.append("'again' lists other lessons, each once, in their order")
    if lectures != sorted(set(lectures)) or not set(lectures) <= set(LECTURES):
        found.append(f"'lectures' lists some of {', '.join(LECTURES)}, each once, in this order")
    if not entry["term"][0].isalpha() or not entry["term"].isascii():
        found.append("a term begins with a letter and is English")
    if not entry["meaning"].endswith(".") or "\n" in entry["meaning"] or "**" in entry["meaning"]:
        found.append("a meaning is sentences in one line, without bold")
    if re.search(HAN + "|" + HANGUL + "|" + KANA, entry["meaning"]):
        found.append("a meaning is in English")
    for language, (needed, forbidden, codec) in SCRIPTS.items():
        word = entry[language]
        if re.search(forbidden, word):
            found.append(f"{word!r} is not written as {LANGUAGES[language][0]} is")
        elif not re.search(needed, word) and same(word) not in map(same, forms(entry)):
            found.append(f"{word!r} is neither {LANGUAGES[language][0]} nor a form of the term")
        foreign = [letter for letter in re.findall(HAN, word) if codec and not _knows(codec, letter)]
        if foreign:
            found.append(f"{''.join(foreign)!r} in {word!r} is not {LANGUAGES[language][0]}")
    return found


def _knows(codec: str, letter: str) -> bool:
    try:
        return bool(letter.encode(codec))
    except UnicodeEncodeError:
        return letter in LATER[codec]


# --- the page ------------------------------------------------------------------------------------


def markdown(entries: list[dict], titles: dict[str, str]) -> str:
    """The glossary as a page.

    Args:
        titles: the title of each lesson, by its name.
    """
    parts, letter = [INTRODUCTION], ""
    for entry in entries:
        if entry["term"][0].upper() != letter:
            letter = entry["term"][0].upper()
            parts.append(f"## {letter}\n")
        parts.append(_entry(entry, titles))
    return "\n".join(parts)


def _entry(entry: dict, titles: dict[str, str]) -> str:
    words = " · ".join(
        f'{name} <span lang="{tag}">{entry[language]}</span>'
        for language, (name, tag) in LANGUAGES.items()
    )
    where = [
        f"[{name[:2]} {titles[name]}]({name}.ipynb)"
        for name in [entry["lesson"], *entry.get("again", [])]
    ]
    ends = ", again in ".join([where[0], ", ".join(where[1:])]) if where[1:] else where[0]
    own = {LECTURES[lecture] for lecture in entry["lectures"]}
    if own:
        ends += " · in the lecture: " + ", ".join(
            name for language, (name, _) in LANGUAGES.items() if language in own
        )
    others = [form for form in entry.get("also", []) if not _inflected(form, entry["term"])]
    also = f"*Also {', '.join(others)}.* " if others else ""
    return f"### {entry['term']}\n\n{also}{entry['meaning']}\n\n{words}\n\n{ends}\n"


def _inflected(form: str, term: str) -> bool:
    """Whether a form is the term in the plural, its beginning, or the like, which no reader has to be told."""
    form, term = same(form), same(term)
    plural = len(term) > 3 and form.startswith(term[:-2]) and len(form) < len(term) + 4
    return plural or (len(form) > 3 and term.startswith(form[:-2]))


# --- the lessons ---------------------------------------------------------------------------------


def bold_terms(markdown: str) -> list[str]:
    """The terms that a lesson defines: what is bold in its Markdown, in the order of the text.

    Bold has four uses in a lesson. Beside terms there are labels, which end in punctuation that is bold too
    (``**Pooling.**``), the verbs under "What you will be able to do", and the names at the head of
    each item of "Common mistakes". Bold in code is none.
    """
    text = re.sub(r"(?ms)^ {0,3}(```|~~~).*?^ {0,3}\1[^\n]*$", "", markdown)
    text = re.sub(r"`[^`\n]*`", lambda code: code[0].replace("*", "\0"), text)
    terms, section = [], ""
    for part in re.split(r"(?m)^(?=#{1,6} )", text):
        if heading := re.match(r"#{1,6} +([^\n]*)", part):
            section = heading[1].strip()
        if section == "What you will be able to do":
            continue
        if section == "Common mistakes":
            part = re.sub(r"(?ms)^ *[-*] +\*\*(?=\S).+?\*\*", "- ", part)
        for paragraph in re.split(r"\n\s*\n", part):
            terms += re.findall(r"(?s)\*\*(?=[^\s*])(.+?)(?<=\S)\*\*", paragraph)
    plain = [" ".join(term.replace("`", "").replace("\0", "*").split()) for term in terms]
    return [term for term in plain if not term.endswith((".", ":", "?", "!"))]
