"""Hold the list of packages that Colab publishes against ours, and say what has moved.

    python tools/colab_versions.py                fetch the list of today
    python tools/colab_versions.py --list FILE    read a copy of it

Two lists of ours must follow Colab. The ranges of pyproject.toml must admit what Colab has, or the first cell of a
lesson would replace packages there; and tests/colab_versions.txt, which the tests build their replica of Colab
from, must be what Colab has, but for the patch number. Prints a line for each difference. Ends with 0 if both
hold, with 1 if one does not, and with 2 if there was no list to read.
"""

import argparse
import re
import sys
import tomllib
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.requirements import Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).resolve().parents[1]
#: What `pip freeze` says in Colab's runtime without a graphics card, written there by its makers.
PUBLISHED = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
#: Colab has several hundred packages. With far fewer lines, this is another kind of file.
FEWEST = 100
LINE = re.compile(r"([\w.-]+)(?:==(\S+)| @ (\S+))")


class UnreadableList(ValueError):
    """There is no list, or it is not what it was."""


@dataclass(frozen=True)
class Difference:
    """One package that is not as we have it.

    Attributes:
        said: the line for the reader.
        serious: whether a list of ours has to follow; else the replica is near enough.
    """

    said: str
    serious: bool


# --- reading -------------------------------------------------------------------------------------


def read_list(text: str, fewest: int = FEWEST) -> dict[str, Version | None]:
    """Canonical name -> version of the lines of a `pip freeze`; local parts such as +cu128 are dropped.

    None stands for a version that cannot be read, as from the address of a repository.
    """
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        parts = LINE.fullmatch(line)
        if parts is None:
            raise UnreadableList(f"line {number} is not a line of `pip freeze`: {line[:80]!r}")
        name, version, address = parts.groups()
        found[canonicalize_name(name)] = _version(version or "", address or "")
    if len(found) < fewest:
        raise UnreadableList(f"it names {len(found)} packages, and Colab has more than {fewest}")
    return found


def _version(version: str, address: str) -> Version | None:
    file = unquote(urlsplit(address).path).rsplit("/", 1)[-1]
    try:
        if file.endswith(".whl"):
            read = parse_wheel_filename(file)[1]
        elif file.endswith((".tar.gz", ".zip")):
            read = parse_sdist_filename(file)[1]
        else:
            read = Version(version)
    except (InvalidVersion, InvalidWheelFilename, InvalidSdistFilename):
        return None
    return Version(read.public)


def read_pins(path: Path) -> dict[str, Version]:
    """Canonical name -> version of a file of `name==version` lines."""
    return read_list(path.read_text("utf-8"), fewest=1)


def read_ranges(path: Path) -> list[Requirement]:
    """What the package needs, as pyproject.toml says it."""
    project = tomllib.loads(path.read_text("utf-8"))["project"]
    return [Requirement(line) for line in project["dependencies"]]


def fetch(address: str = PUBLISHED) -> str:
    """The published list, or an UnreadableList that says why there is none."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableList("it is not text") from error
    except OSError as error:  # urllib's own errors are of this kind
        raise UnreadableList(f"it could not be fetched: {getattr(error, 'reason', error)}") from error


# --- comparing -----------------------------------------------------------------------------------


def compare(
    colab: dict[str, Version | None], replica: dict[str, Version], ranges: Iterable[Requirement]
) -> list[Difference]:
    """What differs between Colab and our two lists, the serious first.

    Args:
        colab: what Colab has.
        replica: what the replica of Colab has.
        ranges: what the package needs.
    """
    admitted = {canonicalize_name(requirement.name): requirement.specifier for requirement in ranges}
    found = []
    for name in sorted(admitted.keys() | replica.keys()):
        theirs, ours = colab.get(name), replica.get(name)
        if name not in colab:
            if ours is not None:
                found.append(Difference(f"{name}: the replica has {ours}, Colab has none any more", True))
        elif theirs is None:
            found.append(Difference(f"{name}: Colab has it, in a version that its list does not name", True))
        else:
            if name in admitted and not admitted[name].contains(theirs, prereleases=True):
                found.append(Difference(
                    f"{name}: Colab has {theirs}, which pyproject.toml does not admit ({admitted[name]}): "
                    "the first cell would replace it", True,
                ))  # fmt: skip
            if ours is None:
                found.append(Difference(f"{name}: Colab has {theirs} now, the replica has none", True))
            elif theirs != ours:
                patch = _minor(theirs) == _minor(ours)
                near = ", the same but for the patch" if patch else ""
                found.append(Difference(f"{name}: Colab has {theirs}, the replica {ours}{near}", not patch))
    return sorted(found, key=lambda difference: not difference.serious)


def _minor(version: Version) -> tuple[int, int, int]:
    return version.epoch, version.major, version.minor


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", type=Path, metavar="FILE", help="a copy of Colab's list, instead of fetching it")
    chosen = parser.parse_args(arguments)
    try:
        text = chosen.list.read_text("utf-8") if chosen.list else fetch()
        colab = read_list(text)
    except (OSError, UnreadableList) as error:
        print(f"Colab's list of packages cannot be read ({chosen.list or PUBLISHED}): {error}", file=sys.stderr)
        return 2
    found = compare(colab, read_pins(ROOT / "tests/colab_versions.txt"), read_ranges(ROOT / "pyproject.toml"))
    for difference in found:
        print(difference.said)
    if not any(difference.serious for difference in found):
        print("Colab's packages are those that the lessons are tested with.")
        return 0
    print(
        "Colab has moved. Write its versions into tests/colab_versions.txt, widen a range of pyproject.toml that "
        "does not admit them, and run `make test`, whose replica of Colab then has them too."
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
