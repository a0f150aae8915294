"""Motifs as matrices: counts, probabilities, log-odds weights, information, and the files they live in.

A motif is an array ``(width, 4)``: a row for each position, columns A, C, G, T. Three kinds, never mixed:

* **PFM**, position frequency matrix: how many of the known sites have this base here;
* **PPM**, position probability matrix: the same as probabilities; each row adds up to 1;
* **PWM**, position weight matrix: log2 of probability over background, in **bits**. The weights of the bases
  of a word add up to its score: how much likelier the motif makes the word than the background does.

Finding motifs in sequences is :mod:`course_utils.scanning`. Explained in lesson 02.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import motif_formats
from course_utils.files import write_whole
from course_utils.sequences import ALPHABET, IUPAC, one_hot, to_codes

UNIFORM = (0.25, 0.25, 0.25, 0.25)

_CODE_OF = {bases: code for code, bases in IUPAC.items()}


class MotifError(ValueError):
    """A matrix that is no motif, a background that is none, or a motif file that cannot be read."""


class Motif(NamedTuple):
    """One entry of a motif file: its accession, its name, and its counts ``(width, 4)``."""

    accession: str
    name: str
    pfm: np.ndarray


# --- from sites to weights -----------------------------------------------------------------------


def pfm_from_sites(sites: Iterable[str]) -> np.ndarray:
    """Count the bases at each position of aligned sites: ``(width, 4)`` whole numbers.

    Raises:
        MotifError: if a single string came instead of several sites.
        SequenceError: for no site, sites of unequal length, or a letter other than A, C, G, T
            (lesson 02).
    """
    if isinstance(sites, str):
        raise MotifError(f"one string came ({sites[:20]!r}); a list of aligned sites is expected")
    return one_hot(sites, dtype=np.int64).sum(axis=0)  # (sites, width, 4) -> (width, 4)


def pfm_to_ppm(pfm: np.ndarray, pseudocount: float | Sequence[float] = 0.0) -> np.ndarray:
    """Turn counts ``(width, 4)`` into probabilities ``(width, 4)``.

    Args:
        pfm: counts; they need not be whole.
        pseudocount: added to each of the four counts of a position before dividing; or four
            numbers, one for each base. It stands for sites that have not been seen.

    Raises:
        MotifError: for counts that are negative or not numbers, or a position without any
            (lesson 02).
    """
    pfm = check_pfm(pfm)
    added = _as_numbers(pseudocount, "a pseudocount")
    if added.shape not in ((), (4,)) or not (np.isfinite(added) & (added >= 0)).all():
        raise MotifError(
            f"the pseudocount is {added.tolist()}; a number from 0 up is expected, or four of them"
        )
    counts = pfm + added
    total = counts.sum(axis=1, keepdims=True)
    if not total.all():
        raise MotifError(
            f"position {int(np.argmin(total[:, 0]))} has no counts at all; a pseudocount would give "
            "it some"
        )
    return counts / total


def ppm_to_pwm(ppm: np.ndarray, background: Sequence[float] = UNIFORM) -> np.ndarray:
    """Turn probabilities ``(width, 4)`` into log-odds weights ``(width, 4)``, in bits.

    The weight of a base is log2(probability in the motif / probability in the background); a base
    that the motif never has weighs -inf (Stormo, Bioinformatics 16, 16-23, 2000).

    Args:
        ppm: probabilities; each row adds up to 1.
        background: probabilities of A, C, G, T outside the motif.

    Raises:
        MotifError: for what :func:`check_ppm` or :func:`check_background` refuses (lesson 02).
    """
    ppm, background = check_ppm(ppm), check_background(background)
    with np.errstate(divide="ignore"):  # log2(0) is -inf, as it should be
        return np.log2(ppm / background)


def background_of(sequence: str) -> np.ndarray:
    """How often A, C, G, T occur on the two strands of a sequence: four probabilities.

    A counts as often as T and C as often as G, because each A faces a T. Other letters are left out.
    If a sequence is so short that a base is absent, each base is counted once more than it occurs.

    Raises:
        SequenceError: for an empty sequence or a letter outside IUPAC.
        MotifError: for a sequence without any A, C, G or T (lesson 02).
    """
    counts = np.bincount(to_codes(sequence), minlength=4)[:4]
    if not counts.any():
        raise MotifError("the sequence holds no A, C, G or T; it says nothing about their share")
    counts = counts + counts[::-1]  # in the order A, C, G, T, the complement of each is read backwards
    if not counts.all():
        counts = counts + 1  # merely absent is not impossible
    return counts / counts.sum()


# --- what a motif tells --------------------------------------------------------------------------


def information(ppm: np.ndarray, background: Sequence[float] = UNIFORM) -> np.ndarray:
    """Information of each position, in bits: ``(width,)``.

    It is the mean weight of the motif's own bases, sum over the bases of p log2(p / background): from
    0 for a position that looks like the background to 2 for a base that never changes, if the
    background is uniform (Schneider et al., Journal of Molecular Biology 188, 415-431, 1986; relative
    entropy for other backgrounds: Stormo 2000).

    Raises:
        MotifError: for what :func:`check_ppm` or :func:`check_background` refuses (lesson 02).
    """
    ppm = check_ppm(ppm)
    pwm = ppm_to_pwm(ppm, background)
    pwm[ppm == 0] = 0  # instead of -inf: p log2(p) goes to 0 as p does
    return (ppm * pwm).sum(axis=1)


def small_sample_correction(sites: float) -> float:
    """By how many bits a position seems too informative, on average, when few sites were seen.

    3 / (2 ln 2 sites), for a uniform background (Schneider et al. 1986, the approximation for four
    letters). 2.2 bits for one site, 0.02 for a hundred.

    Raises:
        MotifError: unless at least one site was seen (lesson 02).
    """
    if not sites >= 1:  # nor is NaN
        raise MotifError(f"{sites} sites; a position was seen in at least one")
    return 3 / (2 * np.log(2) * sites)


def consensus(matrix: np.ndarray) -> str:
    """The motif as a word in IUPAC codes, from counts or probabilities ``(width, 4)``.

    Cavener's rules: one base if it has more than half and more than twice the next; else two if they have
    more than three quarters; else three if the fourth never occurs; else N (Nucleic Acids Research 15,
    1353-1361, 1987).

    Raises:
        MotifError: for what :func:`check_pfm` refuses (lesson 02).
    """
    word = []
    for row in check_pfm(matrix):
        order = np.argsort(-row, kind="stable")
        first, second, _, fourth = row[order]
        total = row.sum()
        if 2 * first > total and first > 2 * second:
            several = 1
        elif 4 * (first + second) > 3 * total:
            several = 2
        else:
            several = 3 if fourth == 0 and total else 4
        word.append(_CODE_OF["".join(sorted(ALPHABET[i] for i in order[:several]))])
    return "".join(word)


# --- checks --------------------------------------------------------------------------------------


def check_pfm(pfm: np.ndarray) -> np.ndarray:
    """Return counts as an array of floats ``(width, 4)``, or say why they are none.

    Raises:
        MotifError: for another shape, or counts that are negative, infinite or NaN (lesson 02).
    """
    pfm = _check_matrix(pfm, "counts")
    wrong = np.argwhere(~(np.isfinite(pfm) & (pfm >= 0)))
    if len(wrong):
        position, base = wrong[0]
        raise MotifError(
            f"the count of {ALPHABET[base]} at position {position} is {pfm[position, base]:g}; "
            "a number from 0 up is expected"
        )
    return pfm


def check_ppm(ppm: np.ndarray) -> np.ndarray:
    """Return probabilities as an array ``(width, 4)``, or say why they are none.

    Raises:
        MotifError: for another shape, a number outside 0 to 1, or a row that does not add up to 1
            (lesson 02).
    """
    ppm = _check_matrix(ppm, "probabilities")
    wrong = np.argwhere(~((ppm >= 0) & (ppm <= 1 + 1e-6)))
    sums = ppm.sum(axis=1)
    if len(wrong):
        position, base = wrong[0]
        counts = "; these look like counts, see pfm_to_ppm" if ppm[position, base] > 1 else ""
        raise MotifError(
            f"the probability of {ALPHABET[base]} at position {position} is "
            f"{ppm[position, base]:g}; a number from 0 to 1 is expected{counts}"
        )
    if abs(sums - 1).max() > 1e-4:
        position = int(np.argmax(abs(sums - 1)))
        raise MotifError(
            f"the probabilities of position {position} add up to {sums[position]:g}, not to 1"
        )
    return ppm


def check_pwm(pwm: np.ndarray) -> np.ndarray:
    """Return weights as an array ``(width, 4)``; -inf is one, NaN and +inf are not.

    Raises:
        MotifError: for another shape, NaN, +inf, or a position at which no base is possible
            (lesson 02).
    """
    pwm = _check_matrix(pwm, "weights")
    wrong = np.argwhere(np.isnan(pwm) | (pwm == np.inf))
    if len(wrong):
        position, base = wrong[0]
        raise MotifError(
            f"the weight of {ALPHABET[base]} at position {position} is {pwm[position, base]:g}; "
            "a finite number of bits is expected, or -inf for a base that never occurs"
        )
    impossible = np.flatnonzero(np.isneginf(pwm).all(axis=1))
    if impossible.size:
        raise MotifError(f"no base is possible at position {impossible[0]}: all its weights are -inf")
    return pwm


def check_background(background: Sequence[float]) -> np.ndarray:
    """Return a background as four probabilities ``(4,)``, or say why it is none.

    Raises:
        MotifError: unless four positive numbers add up to 1 (lesson 02).
    """
    array = _as_numbers(background, "a background")
    if array.shape != (4,):
        raise MotifError(
            f"a background has four probabilities, for A, C, G, T; the shape of this one is {array.shape}"
        )
    if not (array > 0).all() or abs(array.sum() - 1) > 1e-4:
        raise MotifError(
            f"the background is {array.tolist()}; four positive numbers that add up to 1 are expected"
        )
    return array


def _check_matrix(matrix: np.ndarray, what: str) -> np.ndarray:
    array = _as_numbers(matrix, f"a matrix of {what}")
    if array.ndim != 2 or array.shape[1] != 4 or not len(array):
        turned = array.ndim == 2 and array.shape[0] == 4
        hint = "; the bases seem to be in the rows: transpose it with .T" if turned else ""
        raise MotifError(
            f"a matrix of {what} has the shape (width, 4); this one has {array.shape}{hint}"
        )
    return array


def _as_numbers(values, what: str) -> np.ndarray:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise MotifError(f"{what} holds numbers; {str(values)[:60]!r} came") from None


# --- files ---------------------------------------------------------------------------------------


def read_motifs(path: str | Path) -> list[Motif]:
    """Read a file of motifs in JASPAR, MEME (minimal) or TRANSFAC format; the content tells which.

    MEME files hold probabilities; these become counts of as many sites as the file names, or of 20,
    which is MEME's own rule.

    Raises:
        FileNotFoundError: if there is no such file.
        MotifError: if it is empty, in no such format, or broken; the message says what is wrong, and
            mostly in which line.

    Biopython reads the file; :mod:`course_utils.motif_formats` sees that nothing was lost (lesson 02).
    """
    path = Path(path)
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MotifError(f"{path} is not text: byte {error.start} cannot be read") from None
    try:
        return [Motif(*entry) for entry in motif_formats.parse(text)]
    except ValueError as error:
        raise MotifError(f"{path}{error}") from None


def write_motifs(path: str | Path, motifs: Iterable[Motif], format: str = "jaspar") -> None:
    """Write motifs as JASPAR, MEME (minimal) or TRANSFAC; the whole file or nothing.

    TRANSFAC files keep the counts as they are, JASPAR files those of up to two decimals. MEME files
    hold probabilities, to nine decimals, and one number of sites for each motif.

    Raises:
        MotifError: for an unknown format, no motif, a matrix that holds no counts, counts with more
            decimals than JASPAR files get, or an accession or name that would not be read back.
        OSError: if the file cannot be written, FileNotFoundError if its folder does not exist
            (lesson 02).
    """
    if format not in motif_formats.WRITERS:
        choices = ", ".join(map(repr, motif_formats.WRITERS))
        raise MotifError(f"format is {format!r}; choose one of {choices}")
    motifs = [_check_motif(motif) for motif in motifs]
    if not motifs:
        raise MotifError("there are no motifs to write: the list is empty")
    try:
        text = motif_formats.WRITERS[format](motifs)
    except ValueError as error:
        raise MotifError(str(error)) from None
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {path.parent}")
    write_whole(path, text)


def _check_motif(motif: Motif) -> Motif:
    """The motif with its counts as floats, or why it cannot be written."""
    if not isinstance(motif, Motif):
        raise MotifError(f"a list of Motif is expected; one of its items is a {type(motif).__name__}")
    try:
        pfm = check_pfm(motif.pfm)
    except MotifError as error:
        raise MotifError(f"{motif.name}: {error}") from None
    if not re.fullmatch(r"\S+", motif.accession) or not re.fullmatch(r"\S+( +\S+)*", motif.name):
        raise MotifError(
            f"a motif is called {motif.accession!r}, {motif.name!r}; files hold an accession of one word "
            "and a name of one line"
        )
    return motif._replace(pfm=pfm)
