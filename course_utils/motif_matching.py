"""Which known motif is this one? Matrices compared column by column, at all offsets, on both strands.

After Tomtom (Gupta et al., Genome Biology 8, R24, 2007): two matrices are laid side by side in every way, the
correlations of the columns that meet are added up, and a p-value says how often columns drawn at random from
all matrices of the file would do as well. The *query* is the matrix asked about, the *targets* are the motifs
of the file. Explained in lesson 07.

Columns are compared by Pearson's correlation of their four probabilities: 1 for the same preference, however
strong. Why not the Euclidean distance, which finds short pieces of a motif a little more surely? To it a
column without any preference is *like* another such column, and few columns of a file are: matrices that hold
nothing but noise then match a long motif with a soft middle. Of 60 such matrices (15 positions, 50 sites
each) all matched the 31 positions of CTCF MA1929.2 with E below 0.05; by correlation 1 of 60 matched
anything.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.checks import finite, said, whole
from course_utils.motifs import Motif, MotifError, check_ppm, information, pfm_to_ppm, read_motifs

#: A match is worth a name if fewer than this many motifs of the file are expected to do as well by chance.
MOST_BY_CHANCE = 0.05

_STEPS = 100  # a correlation is rounded to whole steps of 2 / 100, for which p-values are exact


class Match(NamedTuple):
    """How well a motif of the file fits the query, laid in the best of all ways.

    Attributes:
        motif: the motif of the file.
        score: mean correlation of the columns that meet, from -1 to 1.
        p_value: the probability that random columns, laid in the best way, do as well.
        e_value: p-value times number of motifs: how many of them should do as well by chance.
        offset: the position of `motif`, as the file has it, on which the first column of the query lies; on
            the minus strand, the first column of the reverse-complemented query. Negative if it hangs over.
        strand: ``"+"``, or ``"-"`` if the query had to be reverse-complemented.
        overlap: how many columns meet.
        start: the first position of `motif` that meets a column.
    """

    motif: Motif
    score: float
    p_value: float
    e_value: float
    offset: int
    strand: str
    overlap: int
    start: int

    def __repr__(self) -> str:
        return (
            f"{self.motif.name} ({self.motif.accession}), E {self.e_value:.1e}: correlation {self.score:.2f} "
            f"over {self.overlap} columns, strand {self.strand}, offset {self.offset}"
        )


class Matches(list):
    """A list of :class:`Match`, one for each motif of the file, best first; shown as a table."""

    def significant(self, most: float = MOST_BY_CHANCE) -> list[Match]:
        """The matches whose E-value is at most `most`; an empty list if there are none."""
        return [match for match in self if match.e_value <= most]

    def __repr__(self) -> str:
        found, many = len(self.significant()), f"{len(self)} motif{'s' * (len(self) != 1)}"
        if found:
            head = f"{found} of {many} with E up to {MOST_BY_CHANCE}"
        else:
            head = f"no match: none of {many} has E up to {MOST_BY_CHANCE}, and what follows is chance"
        lines = [head, "", "motif                  E         p  correlation  columns  strand  offset"]
        for match in self:
            lines.append(
                f"{match.motif.name:8} {match.motif.accession:9} {match.e_value:7.1e}   {match.p_value:7.1e}"
                f"  {match.score:11.2f}  {match.overlap:7}  {match.strand:>6}  {match.offset:6}"
            )
        return "\n".join(lines)


def best_matches(
    ppm: np.ndarray,
    motifs: Iterable[Motif] | str | Path,
    *,
    least_overlap: int = 5,
    ends: float = 0.25,
) -> Matches:
    """Compare a matrix with every motif of a file: one :class:`Match` for each, the best first.

    The p-value of one way to lay them is exact for columns drawn independently from those of all motifs (as
    they stand and reverse-complemented), by dynamic programming over the query's columns that meet. Of a
    motif, the way with the smallest p-value p counts, and as there were n ways, the motif's is 1 - (1 - p)^n.
    It is a statement about the *file*: with few motifs in it, few columns stand for all there are. Real
    motifs are no random columns either; many have runs of one base, and a query of A and T alone matches TBP.

    Args:
        ppm: the query, probabilities ``(width, 4)``.
        motifs: of the file, or its path, for :func:`course_utils.motifs.read_motifs`.
        least_overlap: columns that have to meet; all of the narrower motif, if it has fewer.
        ends: positions of the query with less information than this, in bits, are left out at both ends:
            noise there costs a match more than it can give. (In noisy pieces of 6 positions of the twelve
            shipped motifs, between flat ends, the right motif came first in 97 %, and without this in 80 %.)
            0 keeps all. A query that is all flat is compared as a whole.

    Raises:
        MotifError: for what :func:`check_ppm` or :func:`read_motifs` refuses, no motifs at all, something
            else than motifs, one that has a position without counts, an overlap below 1, or `ends` outside 0
            to 2 bits.
        FileNotFoundError: if there is no such file (lesson 07).
    """
    ppm = check_ppm(ppm)
    motifs = _checked_motifs(motifs)
    targets = [_ppm_of(motif) for motif in motifs]
    least = whole(least_overlap)
    if least is None or least < 1:
        raise MotifError(f"the least overlap is {said(least_overlap)}; columns from 1 up are expected")
    first, last = _without_flat_ends(ppm, ends)
    query = ppm[first:last]
    hidden = {"+": first, "-": len(ppm) - last}  # columns left out before the ones compared
    columns = np.concatenate(targets)  # (C, 4)
    tables = {"+": _correlations(query, columns), "-": _correlations(query[::-1, ::-1], columns)}  # (w, C)
    # The complements of the file's columns belong to the null, too: to compare with one of them is to compare
    # the complement of the query's column with the column itself.
    null = _Null(np.hstack([tables["+"], tables["-"][::-1]]))
    matches, done = Matches(), 0
    for motif, target in zip(motifs, targets):
        pieces = {strand: table[:, done : done + len(target)] for strand, table in tables.items()}
        done += len(target)
        shared = min(least, len(query), len(target))
        ways = []
        for strand, piece in pieces.items():
            steps = _in_steps(piece)
            for offset in range(shared - len(query), len(target) - shared + 1):
                begin, end = max(0, -offset), min(len(query), len(target) - offset)  # columns that meet
                mine = (begin, end) if strand == "+" else (len(query) - end, len(query) - begin)
                p_value = null.p_value(*mine, int(steps.trace(offset)))
                score = float(piece.trace(offset)) / (end - begin)
                ways.append((p_value, -round(score, 9), strand, offset, begin, end))
        least_p, score, strand, offset, begin, end = min(ways)
        p_value = float(-np.expm1(len(ways) * np.log1p(-least_p))) if least_p < 1 else 1.0
        matches.append(
            Match(
                motif, -score, p_value, p_value * len(motifs), offset - hidden[strand], strand, end - begin,
                offset + begin,
            )
        )  # fmt: skip
    matches.sort(key=lambda match: (match.p_value, -match.score))
    return matches


def meeting_columns(ppm: np.ndarray, match: Match) -> tuple[np.ndarray, np.ndarray]:
    """The columns that meet in a match: those of the query, turned as the match says, and those of the motif.

    Two matrices of probabilities ``(overlap, 4)``, to be drawn as logos one above the other.

    Raises:
        MotifError: for probabilities that are none, or a query too narrow for the match (lesson 07).
    """
    ppm = check_ppm(ppm)
    turned = ppm if match.strand == "+" else ppm[::-1, ::-1]
    begin = match.start - match.offset
    if begin + match.overlap > len(ppm):
        raise MotifError(
            f"the query has {len(ppm)} positions, and the match lies on its positions {begin} to "
            f"{begin + match.overlap - 1}: it is the match of another matrix"
        )
    theirs = _ppm_of(match.motif)[match.start : match.start + match.overlap]
    return turned[begin : begin + match.overlap], theirs


class _Null:
    """How the sum of correlations is distributed if columns of the file are drawn at random.

    Args:
        correlations: of each column of the query with each column that can be drawn, ``(w, columns)``.
    """

    def __init__(self, correlations: np.ndarray):
        draws = _in_steps(correlations)
        self.columns = [np.bincount(row, minlength=_STEPS + 1) / draws.shape[1] for row in draws]
        self.sums, self.tails = {}, {}

    def _sum(self, begin: int, end: int) -> np.ndarray:
        """The probabilities of the sums, 0, 1, ... steps, over the query's columns begin to end - 1."""
        if end - begin == 1:
            return self.columns[begin]
        if (begin, end) not in self.sums:
            self.sums[begin, end] = np.convolve(self._sum(begin, end - 1), self.columns[end - 1])
        return self.sums[begin, end]

    def p_value(self, begin: int, end: int, steps: int) -> float:
        """The probability of a sum of at least so many steps."""
        if (begin, end) not in self.tails:  # summed from the rarest end, so that small ones keep their digits
            self.tails[begin, end] = np.cumsum(self._sum(begin, end)[::-1])[::-1]
        return min(float(self.tails[begin, end][steps]), 1.0)


def _correlations(columns: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pearson's correlation of each of n columns with each of m others, ``(n, m)``; 0 with a flat one."""
    (ours, theirs), (norms, other_norms) = zip(*map(_centred, (columns, others)))
    products = norms[:, None] * other_norms
    return np.divide(ours @ theirs.T, products, out=np.zeros(products.shape), where=products > 0).clip(-1, 1)


def _centred(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    centred = columns - columns.mean(axis=1, keepdims=True)
    norms = np.sqrt((centred**2).sum(axis=1))
    return centred, np.where(norms > 1e-9, norms, 0)  # what rounding leaves is no preference


def _in_steps(correlations: np.ndarray) -> np.ndarray:
    """From -1 to 1 in whole steps from 0 to 100."""
    return np.rint((np.round(correlations, 9) + 1) / 2 * _STEPS).astype(int)


def _without_flat_ends(ppm: np.ndarray, ends: float) -> tuple[int, int]:
    """From which position to which a matrix has something to say; all of it if nowhere."""
    bits = finite(ends)
    if bits is None or not 0 <= bits <= 2:
        raise MotifError(f"ends is {said(ends)}; bits from 0 to 2 are expected")
    telling = np.flatnonzero(information(ppm) >= bits)
    return (int(telling[0]), int(telling[-1]) + 1) if len(telling) else (0, len(ppm))


def _checked_motifs(motifs: Iterable[Motif] | str | Path) -> list[Motif]:
    if isinstance(motifs, (str, Path)):
        return read_motifs(motifs)
    if isinstance(motifs, Motif):
        raise MotifError(f"one motif came ({motifs.name}); a list of Motif, or a file's path, is expected")
    try:
        motifs = list(motifs)
    except TypeError:
        raise MotifError(f"{said(motifs)} came; a list of Motif, or a file's path, is expected") from None
    if not motifs:
        raise MotifError("there are no motifs to compare with: the list is empty")
    for number, motif in enumerate(motifs):
        if not isinstance(motif, Motif):
            raise MotifError(f"number {number} of the motifs is a {type(motif).__name__}, not a Motif")
    return motifs


def _ppm_of(motif: Motif) -> np.ndarray:
    try:
        return pfm_to_ppm(motif.pfm)
    except MotifError as error:
        raise MotifError(f"{motif.name}: {error}") from None
