"""The text of motif files: JASPAR, MEME (minimal) and TRANSFAC, read strictly, and written.

An entry is a triple: accession, name, and counts ``(width, 4)`` with the columns A, C, G, T. What cannot be
read is a ``ValueError`` that names the line; :func:`course_utils.motifs.read_motifs`, which lessons use, adds
the file. Biopython reads and writes these formats too; ours differ where a broken file would pass. Lesson 02.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import takewhile

import numpy as np

from course_utils.sequences import ALPHABET, IUPAC

Entry = tuple[str, str, np.ndarray]
#: A line that is not blank: its number, from 1, and what stands in it.
_Line = tuple[int, str]


# --- reading -------------------------------------------------------------------------------------


def parse(text: str) -> list[Entry]:
    """The motifs of a file; its first line tells the format.

    Raises:
        ValueError: if it is empty, in no such format, or broken.
    """
    lines = [(number, line.strip()) for number, line in enumerate(text.split("\n"), start=1)]
    lines = [(number, line) for number, line in lines if line]
    if not lines:
        raise ValueError(" is empty; a motif file names at least one motif")
    first = lines[0][1]
    if first.startswith(">"):
        entries = list(_read_jaspar(lines))
    elif first.startswith("MEME version"):
        entries = list(_read_meme(lines))
    elif re.match(r"(VV|AC|ID|NA|DE|XX|P[0O])\b", first):
        entries = list(_read_transfac(lines))
    else:
        raise ValueError(
            f" starts with {first[:40]!r}: neither JASPAR ('>'), nor MEME ('MEME version'), nor TRANSFAC "
            "('AC', 'ID' or 'P0')"
        )
    if not entries:
        raise _broken(lines[-1], "the file ends and no motif has come")
    return entries


def _read_jaspar(lines: list[_Line]) -> Iterator[Entry]:
    """``>accession name``, then the counts of A, C, G, T, each a row: ``A [ 3 0 1 ]``, or ``3 0 1``."""
    for head, *rows in _cut_before(lines, ">"):
        accession, name = _called(head, head[1][1:])
        counts = {}
        for line in rows:
            if line[1].count("[") != line[1].count("]"):
                raise _broken(line, f"the row {line[1][:30]!r} breaks off, a bracket is missing")
            words = re.sub(r"[\[\]]", " ", line[1]).split()
            base = words.pop(0) if words and words[0] in [*ALPHABET] else ALPHABET[len(counts) % 4]
            if base in counts:
                raise _broken(line, f"{name} has more than one row of counts for {base}")
            width = len(next(iter(counts.values()), words))
            counts[base] = _numbers(line, words, width)
        if len(counts) < 4:
            missing = ", ".join(base for base in ALPHABET if base not in counts)
            raise _broken(head, f"{name} has no row of counts for {missing}")
        yield accession, name, np.array([counts[base] for base in ALPHABET]).T  # (4, width) -> (width, 4)


def _read_meme(lines: list[_Line]) -> Iterator[Entry]:
    """``MOTIF accession name``, ``letter-probability matrix: w= 3 nsites= 5``, then a row a position."""
    for start, *body in _cut_before(lines, r"MOTIF\b")[1:]:
        accession, name = _called(start, start[1].removeprefix("MOTIF"))
        head, *body = _from(body, "letter-probability matrix:") or [start]
        rows = list(takewhile(lambda line: not line[1].startswith(("URL", "---")), body))
        said = dict(re.findall(r"(\w+)=\s*(\S+)", head[1]))
        if not rows or said.get("w", str(len(rows))) != str(len(rows)):
            expected = said.get("w", "some")
            raise _broken(head, f"{name} has {len(rows)} rows of probabilities, {expected} expected")
        ppm = np.array([_numbers(line, line[1].split(), 4) for line in rows])
        totals = ppm.sum(axis=1)
        wrong = int(np.argmax(abs(totals - 1)))
        if abs(totals[wrong] - 1) > 0.01:  # files round to two decimals or more
            raise _broken(rows[wrong], f"the probabilities add up to {totals[wrong]:g}, not to 1")
        (sites,) = _numbers(head, [said.get("nsites", "20")], 1)
        yield accession, name, ppm / totals[:, None] * (sites or 20)


def _read_transfac(lines: list[_Line]) -> Iterator[Entry]:
    """``AC accession``, ``ID name``, ``P0 A C G T``, then a numbered row a position; ``//`` ends it."""
    *entries, rest = _cut_before([(0, "//"), *lines], "//")
    for _, *body in entries:
        if matrix := _from(body, r"P[0O]\b"):  # a block without one holds remarks on the whole file
            yield _transfac_entry(body, matrix)
    if len(rest) > 1:
        raise _broken(rest[-1], "the file ends, and '//' has not ended the last motif")


def _transfac_entry(body: list[_Line], matrix: list[_Line]) -> Entry:
    said = [line[1].split(None, 1) for line in body]
    fields = dict(pair for pair in said if len(pair) == 2)
    head, *below = matrix
    accession = fields.get("AC") or fields.get("ID") or f"line_{head[0]}"
    name = fields.get("ID") or fields.get("NA") or accession
    if head[1].split()[1:5] != list(ALPHABET):
        raise _broken(head, f"the columns of {name} are {head[1][2:].strip()!r}, not A, C, G, T")
    rows = list(takewhile(lambda line: line[1][0].isdigit(), below))
    if not rows:
        raise _broken(head, f"{name} has no rows of counts")
    counts = []
    for position, line in enumerate(rows, start=1):
        number, *words = line[1].split()
        if number.lstrip("0") != str(position):
            raise _broken(line, f"{name} goes on with position {number}, {position:02} expected")
        counts.append(_numbers(line, words[:4], 4))  # a fifth word is the consensus
    return accession, name, np.array(counts)


def _cut_before(lines: list[_Line], start: str) -> list[list[_Line]]:
    """The lines in pieces: a new one begins with each line that matches."""
    pieces = []
    for line in lines:
        if not pieces or re.match(start, line[1]):
            pieces.append([])
        pieces[-1].append(line)
    return pieces


def _from(lines: list[_Line], start: str) -> list[_Line]:
    """The lines from the first one that matches."""
    return next((lines[i:] for i, line in enumerate(lines) if re.match(start, line[1])), [])


def _called(line: _Line, words: str) -> tuple[str, str]:
    """Accession and name; a motif without a name is called by its accession."""
    if not words.strip():
        raise _broken(line, "the motif has neither accession nor name")
    accession, *name = words.split(None, 1)
    return accession, name[0] if name else accession


def _numbers(line: _Line, words: list[str], many: int) -> list[float]:
    """The numbers of a row, from 0 up."""
    numbers = []
    for word in words:
        try:
            number = float(word)
        except ValueError:
            bases = len(word) > 3 and set(word.upper()) <= set(IUPAC)
            hint = "; sequences.read_fasta reads FASTA files" if bases else ""
            raise _broken(line, f"{word[:20]!r} is not a number{hint}") from None
        if not 0 <= number < np.inf:  # nor is NaN
            raise _broken(line, f"{word} is not a number from 0 up")
        numbers.append(number)
    if len(numbers) != many or not numbers:
        raise _broken(line, f"{len(numbers)} numbers in this row, {many or 'some'} expected")
    return numbers


def _broken(line: _Line, problem: str) -> ValueError:
    return ValueError(f", line {line[0]}: {problem}")


# --- writing -------------------------------------------------------------------------------------


def as_jaspar(entries: Iterable[Entry]) -> str:
    """A header a motif, then a row of counts a base."""
    lines = []
    for accession, name, pfm in entries:
        lines.append(f">{accession} {name}")
        lines += [f"{base} [ {' '.join(map(_plain, row))} ]" for base, row in zip(ALPHABET, pfm.T)]
    return "\n".join(lines) + "\n"


def as_meme(entries: Iterable[Entry]) -> str:
    """MEME's minimal format, version 4: probabilities, and one number of sites."""
    lines = ["MEME version 4", "", "ALPHABET= ACGT", "", "strands: + -", ""]
    lines += ["Background letter frequencies", " ".join(f"{base} 0.25" for base in ALPHABET), ""]
    for accession, name, pfm in entries:
        totals = pfm.sum(axis=1)
        if not totals.all():
            position = int(np.argmin(totals))
            raise ValueError(
                f"{name} has no counts at position {position}, and MEME files hold probabilities"
            )
        lines.append(f"MOTIF {accession} {name}")
        sites = f"{totals.max():.0f}"
        lines.append(f"letter-probability matrix: alength= 4 w= {len(pfm)} nsites= {sites} E= 0")
        lines += [" ".join(f"{p:.9f}" for p in row) for row in pfm / totals[:, None]] + [""]
    return "\n".join(lines)


def as_transfac(entries: Iterable[Entry]) -> str:
    """A numbered row of counts a position."""
    lines = []
    for accession, name, pfm in entries:
        lines += [f"AC  {accession}", "XX", f"ID  {name}", "XX", "P0  A  C  G  T"]
        for position, row in enumerate(pfm, start=1):
            lines.append(f"{position:02}  {'  '.join(map(_plain, row))}")
        lines += ["XX", "//"]
    return "\n".join(lines) + "\n"


WRITERS = {"jaspar": as_jaspar, "meme": as_meme, "transfac": as_transfac}


def _plain(number: float) -> str:
    """A number with all its digits and no more: 7, 0.1."""
    return np.format_float_positional(number, trim="-")
