"""The lists that go with a genome: stretches of it in BED, and the table of its tracks.

* **BED** holds a stretch a line: chromosome, start, end, and columns that are not read here; positions count from 0
  and the end is not included.
* **The table of tracks** is the one of Basenji and Baskerville, a row for each track: :func:`read_track_table`.

Explained in lesson 10.
"""

import csv
import gzip
import io
import zlib
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from course_utils.checks import finite
from course_utils.genome_files import GenomeError
from course_utils.windows import Place


def read_bed(path: str | Path) -> tuple[Place, ...]:
    """The stretches of a BED file, plain or packed by gzip, in its order; heads and comments are left out.

    Raises:
        GenomeError: for a line without chromosome, start and end, or a file without any line.
        FileNotFoundError: if there is no such file (lesson 10).
    """
    places = []
    for number, line in enumerate(_text(Path(path)).splitlines(), start=1):
        if not line.strip() or line.startswith(("#", "track", "browser")):
            continue
        try:
            chromosome, start, end, *_ = line.split()
            place = Place(chromosome, int(start), int(end))
        except ValueError:
            place = None
        if place is None or not 0 <= place.start < place.end:
            raise GenomeError(
                f"line {number} of {path} is {line[:60]!r}; chromosome, start and an end beyond it are expected"
            )
        places.append(place)
    if not places:
        raise GenomeError(f"{path} holds no stretch; lines of chromosome, start and end are expected")
    return tuple(places)


class Track(NamedTuple):
    """A row of the table of tracks.

    Attributes:
        label: identifier and description.
        file: name of the BigWig file, as the table writes it.
        path: of that file.
        clip: larger bins become this; None: they stay.
        scale: what each number is multiplied by.
        mean: whether a bin holds the mean of its bases, instead of their sum.
    """

    label: str
    file: str
    path: Path
    clip: float | None
    scale: float
    mean: bool


def read_track_table(path: str | Path) -> tuple[tuple[Track, ...], tuple[int, ...] | None]:
    """The tracks of a table, and for each the number of its partner on the other strand (None: without that column).

    Columns are separated by tabs, and quotation marks are letters like others: `identifier`, `file` (relative to the
    table), and where wanted `clip`, `scale`, `sum_stat` ("sum" or "mean"), `strand_pair` and `description`; others are
    not read. `strand_pair` names the row of the partner by its number, and of a track without strands its own. The
    numbers of the rows stand in a nameless column or one called `index`; without one, the rows count from 0.

    Raises:
        GenomeError: for a table without identifier or file, or without rows; a number that cannot be; partners that
            do not go together; `clip_soft`, or a `sum_stat` that transforms the counts.
        FileNotFoundError: if there is no such table (lesson 10).
    """
    path = Path(path)
    try:
        reader = csv.reader(io.StringIO(_text(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
        (_, head), *rows = [(reader.line_num, row) for row in reader if row] or [(1, [])]
    except csv.Error as error:
        raise GenomeError(f"{path} is no table of tracks: {error}") from None
    if not rows:
        raise GenomeError(f"{path} lists no track: it is empty, or has only its head")
    for name in ("identifier", "file"):
        if name not in head:
            raise GenomeError(
                f"{path} has no column {name!r}; it has {', '.join(filter(None, head))}, separated by tabs"
            )
    for line, row in rows:
        if len(row) > len(head):
            raise GenomeError(f"line {line} of {path} has more columns than the head of the table")
    said = [dict(zip_longest(head, map(str.strip, row), fillvalue="")) for _, row in rows]
    tracks = tuple(_track(row, f"line {line} of {path}", path.parent) for row, (line, _) in zip(said, rows))
    if "strand_pair" not in head:
        return tracks, None
    numbers = [str(number) for number in range(len(rows))]
    if not head[0]:
        numbers = [row[0].strip() for _, row in rows]
    elif "index" in head:
        numbers = [row["index"] for row in said]
    return tracks, _swap([row["strand_pair"] for row in said], numbers, [line for line, _ in rows], path)


def _swap(pairs: list[str], numbers: list[str], lines: list[int], path: Path) -> tuple[int, ...]:
    """For each row the position of the one that its pair names; the `numbers` are the names of the rows."""
    position_of = {}
    for position, (number, line) in enumerate(zip(numbers, lines)):
        if position_of.setdefault(number, position) != position:
            before = lines[position_of[number]]
            raise GenomeError(
                f"line {line} of {path} has the number {number!r}, as does line {before}; one of its own is expected"
            )
    for pair, line in zip(pairs, lines):
        if pair not in position_of:
            raise GenomeError(
                f"line {line} of {path} has the strand_pair {pair!r}, and no row has this number; they are "
                f"{', '.join(numbers[:5])}{', ...' if len(numbers) > 5 else ''}"
            )
    swap = tuple(position_of[pair] for pair in pairs)
    for position, partner in enumerate(swap):
        if swap[partner] != position:
            raise GenomeError(
                f"line {lines[position]} of {path} has the strand_pair {pairs[position]}, whose own strand_pair is "
                f"{pairs[partner]}; each is expected to be the partner of its partner"
            )
    return swap


def _track(said: dict[str, str], where: str, folder: Path) -> Track:
    for name in ("identifier", "file"):
        if not said[name]:
            raise GenomeError(f"{where} has no {name}")
    statistic = said.get("sum_stat") or "sum"
    if statistic not in ("sum", "mean"):
        raise GenomeError(
            f"{where} has the sum_stat {statistic!r}; 'sum' or 'mean' is expected: the tracks here are counts, and "
            "nothing is transformed"
        )
    if said.get("clip_soft"):
        raise GenomeError(
            f"{where} has the clip_soft {said['clip_soft']!r}; none is expected: it takes roots, and the tracks here "
            "are counts"
        )
    clip, scale = (_number(said.get(name), name, where) for name in ("clip", "scale"))
    if clip is not None and clip <= 0:
        raise GenomeError(f"{where} has the clip {clip:g}; a number above 0 is expected")
    if scale == 0:
        raise GenomeError(f"{where} has the scale 0, which would leave nothing; another number is expected")
    return Track(
        label=" ".join(filter(None, (said["identifier"], said.get("description")))),
        file=said["file"],
        path=folder / said["file"],
        clip=clip,
        scale=1.0 if scale is None else scale,
        mean=statistic == "mean",
    )


def _number(text: str | None, name: str, where: str) -> float | None:
    if not text:
        return None
    with suppress(ValueError):
        if finite(float(text)) is not None:
            return float(text)
    raise GenomeError(f"{where} has the {name} {text!r}; a number is expected")


def _text(path: Path) -> str:
    content = path.read_bytes()
    try:
        return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise GenomeError(f"{path} is no text in UTF-8") from None
    except (EOFError, OSError, zlib.error):
        raise GenomeError(f"{path} is a truncated or damaged compressed file; fetch or copy it again") from None
