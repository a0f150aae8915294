"""The text of motif files: JASPAR, MEME (minimal) and TRANSFAC, which Biopython reads and writes.

Biopython drops a last motif that breaks off, lends the rows of a broken one to the next, and rounds
the probabilities of MEME files to whole counts. So each row is looked at before, and the numbers are
counted after.

An entry is a triple: accession, name, and counts ``(width, 4)`` with the columns A, C, G, T. What cannot
be read is a ``ValueError``; :func:`course_utils.motifs.read_motifs`, which lessons use, adds the file.
Lesson 02.
"""

import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import Bio.motifs
import numpy as np
from Bio.motifs import jaspar, transfac

from course_utils.sequences import ALPHABET

Entry = tuple[str, str, np.ndarray]

#: Biopython's name of a format: how a file begins, how a motif, and the lines of it that are no rows.
_FORMATS = {
    "jaspar": (">", ">", "$"),
    "minimal": ("MEME version", r"MOTIF(?!\S)", "letter-probability matrix:|URL|---"),
    "transfac": (r"(VV|AC|ID|NA|DE|XX|P[0O])\b", r"P[0O](?!\S)", r"([A-Z]{2}|//)(?!\S)"),
}
_MEME_HEAD = """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies
A 0.25 C 0.25 G 0.25 T 0.25

"""


# --- reading -------------------------------------------------------------------------------------


@dataclass
class _Piece:
    """A motif as it stands in the file."""

    number: int  # of the line with which it begins
    names: list[str]  # what that line says
    rows: list[list[float]] = field(default_factory=list)
    width: str = ""  # what MEME files say of it, if they do
    sites: float = 20


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
    format = next((name for name, (start, *_) in _FORMATS.items() if re.match(start, first)), None)
    if not format:
        raise ValueError(
            f" starts with {first[:40]!r}: neither JASPAR ('>'), nor MEME ('MEME version'), nor TRANSFAC "
            "('AC', 'ID' or 'P0')"
        )
    pieces = _pieces(lines, format)
    found = _biopython("\n".join(line for _, line in lines), format)
    pfms = [np.array([motif.counts[base] for base in ALPHABET], dtype=float).T for motif in found]
    if [pfm.size for pfm in pfms] != [sum(map(len, piece.rows)) for piece in pieces]:
        raise ValueError(f" is broken: of {len(pieces)} motifs in it, not all can be read whole")
    entries = []
    for piece, motif, pfm in zip(pieces, found, pfms):
        names = piece.names  # of JASPAR's and MEME's, Biopython keeps a word or two
        if format == "transfac":
            names = [motif[key] for key in ("AC", "ID", "NA") if motif.get(key)]
        if not names:
            raise _broken(piece.number, "the motif has neither accession nor name")
        if format == "minimal":
            pfm = pfm / pfm.sum(axis=1, keepdims=True) * piece.sites
        accession, *name = names
        entries.append((accession, name[0] if name else accession, pfm))
    return entries


def _pieces(lines: list[tuple[int, str]], format: str) -> list[_Piece]:
    """The file without Biopython, as far as a check needs it: where motifs begin, and their rows."""
    _, start, other = _FORMATS[format]
    pieces, marks = [], ""
    for number, line in lines:
        if found := re.match(start, line):
            pieces.append(_Piece(number, line[found.end() :].split(None, 1)))
            if not pieces[-1].names:
                raise _broken(number, f"nothing follows {line!r}; a motif begins here")
        elif (pieces or format == "transfac") and not re.match(other, line):
            if not pieces:
                raise _broken(number, f"{line[:40]!r} comes before the first matrix, 'P0  A  C  G  T'")
            rows = pieces[-1].rows
            many = 4 if format != "jaspar" else len(rows[0]) if rows else None
            rows.append(_row(number, line, format, many))
            if format == "minimal" and abs(sum(rows[-1]) - 1) > 0.01:  # files round to two decimals
                raise _broken(number, f"the probabilities add up to {sum(rows[-1]):g}, not to 1")
        elif pieces and line.startswith("letter-"):
            said = dict(re.findall(r"(\w+)=\s*(\S+)", line))
            pieces[-1].width = said.get("w", "")
            pieces[-1].sites = _row(number, said.get("nsites", "20"), format, 1)[0] or 20
        elif format == "transfac" and line in ("AC", "ID", "NA"):
            raise _broken(number, f"nothing follows {line!r}")  # Biopython takes the line before
        elif format == "minimal" and re.match(r"ALPHABET(?!\s*=\s*ACGT$)", line):
            raise _broken(number, f"motifs of A, C, G, T are expected; {line[:40]!r} came")
        marks += line[0] if found or re.match(r"//(?!\S)", line) else ""
    if not pieces:
        raise _broken(lines[-1][0], "the file ends and no motif has come")
    if format == "transfac" and not re.fullmatch("/*(P/)+", marks):
        raise _broken(lines[-1][0], "the file ends, and '//' has not ended each motif once")
    for piece in pieces:
        many = len(piece.rows)
        expected = "4" if format == "jaspar" else piece.width or str(many or "some")
        if str(many) != expected:
            raise _broken(piece.number, f"rows of numbers: {many} came, {expected} expected")
    return pieces


def _row(number: int, line: str, format: str, many: int | None) -> list[float]:
    """The numbers of a row, from 0 up; ``A [ 3 0 1 ]``, ``0.3 0 0.7 0`` or ``01 3 0 7 0 G``."""
    words = re.sub(r"^[ACGT]\s*\[(.*)\]$", r"\1", line).split()
    if format == "transfac":
        words = words[1:5]
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != (many or len(numbers) or 1) or not all(0 <= n < np.inf for n in numbers):
        hint = "; sequences.read_fasta reads FASTA files" if line.isalpha() and not many else ""
        expected = "1 number" if many == 1 else f"{many or 'some'} numbers"
        raise _broken(number, f"{expected} from 0 up expected, {line[:40]!r} came{hint}")
    return numbers


def _biopython(text: str, format: str) -> list[Bio.motifs.Motif]:
    if format == "minimal":  # it wants parts of the head that MEME calls optional, and whole counts:
        # of 10**15 sites they keep the digits; w= 0 reads all rows up to a blank line
        text = _MEME_HEAD + re.sub(r"(?m)^MOTIF", "\nMOTIF", text[text.index("\nMOTIF") :])
        text = re.sub(r"(?m)^(letter-\S+ matrix:).*", rf"\1 w= 0 nsites= {10**15} E= 0", text)
    try:
        return Bio.motifs.parse(io.StringIO(text), format, strict=False)
    except KeyError as error:
        raise ValueError(f" is broken: a motif has no row of counts for {error}") from None
    except Exception as error:  # it raises many kinds, Exception itself among them
        said = " ".join(f"{error}".split())
        raise ValueError(f" is broken; Biopython says: {said[:200]}") from None


def _broken(number: int, problem: str) -> ValueError:
    return ValueError(f", line {number}: {problem}")


# --- writing -------------------------------------------------------------------------------------


def as_jaspar(entries: Iterable[Entry]) -> str:
    """A header a motif, then a row of counts a base, to two decimals."""
    motifs = []
    for accession, name, pfm in entries:
        if not np.array_equal(pfm, np.round(pfm, 2)):
            raise ValueError(
                f"{name} has counts with more than two decimals, and JASPAR files hold two; "
                "write 'transfac' or 'meme' instead"
            )
        motifs.append(jaspar.Motif(accession, name, counts=dict(zip(ALPHABET, pfm.T))))
    return Bio.motifs.write(motifs, "jaspar")


def as_meme(entries: Iterable[Entry]) -> str:
    """MEME's minimal format, version 4: probabilities, and one number of sites. Biopython has none."""
    lines = [_MEME_HEAD.rstrip("\n"), ""]
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
    """A numbered row of counts a position, with all their digits, and its consensus."""
    motifs = []
    for accession, name, pfm in entries:
        motif = transfac.Motif(counts=dict(zip(ALPHABET, pfm.T)))
        motif.update(AC=accession, ID=name)
        motifs.append(motif)
    return Bio.motifs.write(motifs, "transfac")


WRITERS = {"jaspar": as_jaspar, "meme": as_meme, "transfac": as_transfac}
