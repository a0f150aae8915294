"""DNA as text and as numbers: alphabet, one-hot encoding, reverse complement, FASTA.

Formats used in the whole collection:

* a *sequence* is a ``str`` of A, C, G, T, upper or lower case, and of the IUPAC codes for bases
  that are not known exactly (``N`` is any base, ``R`` is A or G, ...);
* a *one-hot array* has the bases in its last axis, in the order **A, C, G, T**: ``(L, 4)`` for one
  sequence of L bases, ``(N, L, 4)`` for N of them.

Explained in lesson 01.
"""

import gzip
import io
import zlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from Bio.SeqIO.FastaIO import SimpleFastaParser
from numpy.typing import DTypeLike  # np.typing alone does not do in numpy 1.26

ALPHABET = "ACGT"

#: IUPAC code -> the bases it may stand for (Cornish-Bowden, Nucleic Acids Research 13, 3021, 1985).
IUPAC = {
    "A": "A", "C": "C", "G": "G", "T": "T",
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT",
}  # fmt: skip

# The code that stands for the complements of another code's bases: R (A or G) <-> Y (T or C).
_CODE_OF = {bases: code for code, bases in IUPAC.items()}
_COMPLEMENT_OF_BASE = dict(zip("ACGT", "TGCA"))
_COMPLEMENT_OF_CODE = {
    code: _CODE_OF["".join(sorted(_COMPLEMENT_OF_BASE[base] for base in bases))]
    for code, bases in IUPAC.items()
}
_COMPLEMENT = str.maketrans(
    {code: other for code, other in _COMPLEMENT_OF_CODE.items()}
    | {code.lower(): other.lower() for code, other in _COMPLEMENT_OF_CODE.items()}
)

# As bytes.translate wants them: the number of each letter, and the letter of each number.
_CODES = bytes(4 if chr(i).upper() not in ALPHABET else ALPHABET.index(chr(i).upper()) for i in range(256))
_LETTERS = (ALPHABET + "N").encode().ljust(256, b"N")


class SequenceError(ValueError):
    """A sequence that is not DNA as this package understands it, or not of the expected length."""


class FastaError(ValueError):
    """A file that is not FASTA, or only the beginning of one."""


class FastaRecord(NamedTuple):
    """One entry of a FASTA file: the whole header line without its ``>``, and the sequence."""

    name: str
    sequence: str


# --- one-hot -------------------------------------------------------------------------------------


def one_hot(
    sequences: str | Iterable[str],
    *,
    ambiguous: str = "refuse",
    lower_case: str = "accept",
    dtype: DTypeLike = np.float32,
) -> np.ndarray:
    """Encode one sequence as ``(L, 4)``, or N sequences of one length as ``(N, L, 4)``.

    Columns are A, C, G, T. A base is a 1 in its column and 0 elsewhere.

    Args:
        sequences: one ``str``, or several of the same length.
        ambiguous: what becomes of N and the other IUPAC codes. ``"refuse"`` raises; ``"zeros"``
            writes four zeros (the base adds nothing to a convolution); ``"share"`` divides the 1
            among the bases that the code allows (N: four times 0.25; the base adds the average).
        lower_case: what becomes of soft-masked (lower-case) letters. ``"accept"`` reads them as the
            base they are; ``"mask"`` treats them as N; ``"refuse"`` raises.
        dtype: of the result. ``np.uint8`` stores four times smaller than the default, which is
            what torch computes with; ``"share"`` needs a floating-point type.

    Raises:
        SequenceError: for no sequence or an empty one, unequal lengths, or a letter that the
            policies do not allow; the message names the letter and its place.
        ValueError: for an unknown policy or a dtype that cannot hold the result.

    Source: lesson 01. Speed: the four numbers of a base are copied as one machine word, looked up
    by its letter (``benchmarks/one_hot.py``).
    """
    _check_choice("ambiguous", ambiguous, ("refuse", "zeros", "share"))
    _check_choice("lower_case", lower_case, ("accept", "mask", "refuse"))
    dtype = np.dtype(dtype)
    if dtype.kind not in "fiub":
        raise ValueError(f"dtype is {dtype}; a one-hot array holds numbers or booleans")
    if ambiguous == "share" and dtype.kind != "f":
        raise ValueError(
            f"ambiguous='share' writes fractions, which dtype {dtype} cannot hold; "
            "use a floating-point dtype such as np.float32"
        )

    single = isinstance(sequences, str)
    rows = [sequences] if single else _as_strings(sequences)
    letters = _ascii_letters(rows)
    length = _common_length(rows)
    _check_letters(rows, letters, ambiguous=ambiguous, lower_case=lower_case)

    table = _word_table(ambiguous, lower_case, dtype)
    encoded = table.take(np.frombuffer(letters, dtype=np.uint8), axis=0)
    encoded = encoded.view(dtype).reshape(len(rows), length, 4)
    return encoded[0] if single else encoded


def decode(encoded: np.ndarray) -> str | list[str]:
    """Read a one-hot array back: ``(L, 4)`` gives a ``str``, ``(N, L, 4)`` a list of them.

    Four zeros are read as N, and equal shares as the IUPAC code of the bases that share: so
    ``decode(one_hot(s))`` is ``s`` in upper case, except that ``"zeros"`` turns every code into N.

    Raises:
        ValueError: for a wrong shape or a row that is no base (lesson 01).
    """
    encoded = check_one_hot(encoded)
    if encoded.ndim == 3:
        return [_decode(one, f" of sequence {number}") for number, one in enumerate(encoded)]
    return _decode(encoded)


def _decode(encoded: np.ndarray, where: str = "") -> str:
    present = encoded > 0
    shares = present / np.maximum(present.sum(axis=1, keepdims=True), 1)
    wrong = np.flatnonzero(~np.isclose(encoded, shares, atol=1e-3).all(axis=1))
    if wrong.size:
        raise ValueError(
            f"row {wrong[0]}{where} is {encoded[wrong[0]].tolist()}: neither a base (one 1, three 0), "
            "nor four zeros, nor equal shares that add up to 1"
        )
    codes = {tuple(base in bases for base in ALPHABET): code for code, bases in IUPAC.items()}
    codes[(False,) * 4] = "N"
    return "".join(codes[tuple(row)] for row in present.tolist())


def check_one_hot(encoded: np.ndarray) -> np.ndarray:
    """Return `encoded` as an array if its axes are ``(L, 4)`` or ``(N, L, 4)``, or say what they are.

    Raises:
        ValueError: for other shapes, with the remedy where the axes are merely in another order.
    """
    encoded = np.asarray(encoded)
    if encoded.size == 0:
        raise ValueError(f"the array is empty: its shape is {encoded.shape}")
    if encoded.dtype.kind not in "fiub":
        raise ValueError(
            f"a one-hot array holds numbers or booleans; this one has the type {encoded.dtype}"
        )
    if encoded.ndim not in (2, 3) or encoded.shape[-1] != 4:
        hint = ""
        if encoded.ndim in (2, 3) and encoded.shape[-2] == 4:
            hint = (
                "; the bases seem to be in the axis before the last, as torch's Conv1d wants them: "
                "bring them back with np.swapaxes(encoded, -1, -2)"
            )
        raise ValueError(
            f"a one-hot array has the shape (L, 4) or (N, L, 4); this one has {encoded.shape}{hint}"
        )
    return encoded


def to_codes(sequence: str) -> np.ndarray:
    """Number the bases: A, C, G, T are 0, 1, 2, 3 and every other IUPAC code is 4; ``(L,)``, uint8.

    Lower case is read as upper case. The numbers are the columns of :func:`one_hot`.

    Raises:
        SequenceError: for an empty sequence or a letter outside IUPAC (lesson 02).
    """
    letters = _ascii_letters([sequence])
    _check_letters([sequence], letters)
    return np.frombuffer(bytearray(letters.translate(_CODES)), dtype=np.uint8)


def from_codes(codes: np.ndarray) -> list[str]:
    """Write numbered bases ``(N, L)`` as N sequences of L letters; 4 is N (lesson 03).

    Raises:
        SequenceError: for another shape, or a number that stands for no letter.
    """
    codes = np.asarray(codes)
    if codes.ndim != 2 or codes.dtype.kind not in "ui" or codes.size == 0:
        raise SequenceError(
            f"whole numbers of the shape (N, L) are expected; {codes.dtype} of the shape {codes.shape} came"
        )
    if codes.min() < 0 or codes.max() > 4:
        raise SequenceError(f"a code is {codes.max() if codes.max() > 4 else codes.min()}; 0 to 4 are letters")
    text = codes.astype(np.uint8).tobytes().translate(_LETTERS).decode()
    return [text[start : start + codes.shape[1]] for start in range(0, len(text), codes.shape[1])]


def reverse_complement(sequence: str) -> str:
    """The other strand, read in its own 5' to 3' direction; case and IUPAC codes are kept.

    Raises:
        SequenceError: for an empty sequence or a letter outside IUPAC (lesson 01).
    """
    _check_letters([sequence], _ascii_letters([sequence]))
    return sequence.translate(_COMPLEMENT)[::-1]


def reverse_complement_one_hot(encoded: np.ndarray) -> np.ndarray:
    """The other strand of ``(L, 4)`` or ``(N, L, 4)``: positions and columns both reversed.

    Because the columns are A, C, G, T, reading them backwards swaps A with T and C with G.
    The result is a view of the same memory (lesson 01).
    """
    return check_one_hot(encoded)[..., ::-1, ::-1]


# --- FASTA ---------------------------------------------------------------------------------------


def read_fasta(path: str | Path) -> list[FastaRecord]:
    """Read a FASTA file, plain or gzipped, into a list of :class:`FastaRecord`.

    Case is kept (lower case marks repeats) and so is N. Lines may have any length.

    Raises:
        FileNotFoundError: if there is no such file.
        FastaError: if the file is empty, binary, truncated, or not FASTA; the message says which
            and where.
        SequenceError: if a record holds a letter outside IUPAC.

    Parsing is Biopython's; what it lets pass is checked here (lesson 01).
    """
    path = Path(path)
    text = _read_text(path)
    if not text.strip():
        raise FastaError(f"{path} is empty; a FASTA file has at least one '>name' line")
    if not text.lstrip().startswith(">"):
        start = text.lstrip().splitlines()[0][:40]
        raise FastaError(
            f"{path} does not look like FASTA: it starts with {start!r}, "
            "and the first line of a FASTA file starts with '>'"
        )
    records = [
        FastaRecord(name.strip(), sequence)
        for name, sequence in SimpleFastaParser(io.StringIO(text.lstrip(), newline=None))
    ]
    for number, (name, sequence) in enumerate(records, start=1):
        if not sequence:
            raise FastaError(
                f"record {number} of {path} ({name or 'without a name'}) has a header but no sequence; "
                "the file may be truncated"
            )
        _check_letters([sequence], _ascii_letters([sequence]), where=f" of {name!r} in {path}")
    return records


def _read_text(path: Path) -> str:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":  # gzip's own first two bytes; the file's name proves nothing
        try:
            raw = gzip.decompress(raw)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise FastaError(
                f"{path} is a truncated or damaged gzip file ({error}); fetch or copy it again"
            ) from None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FastaError(f"{path} is not text: byte {error.start} cannot be read") from None
    if "\x00" in text:
        raise FastaError(f"{path} is a binary file: byte {text.index(chr(0))} is zero")
    return text


# --- the checks ----------------------------------------------------------------------------------


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{name} is {value!r}; choose one of {', '.join(map(repr, choices))}")


def _as_strings(sequences: Iterable[str]) -> list[str]:
    if isinstance(sequences, bytes) or not isinstance(sequences, Iterable):
        raise SequenceError(
            f"a {type(sequences).__name__} came; a str is expected, or several of them in a list"
        )
    rows = list(sequences)
    if not rows:
        raise SequenceError("there are no sequences to encode: the list is empty")
    return rows


def _common_length(rows: list[str]) -> int:
    lengths = set(map(len, rows))
    if lengths == {0}:
        raise SequenceError("the sequence is empty; at least one base is expected")
    if len(lengths) > 1:
        first = len(rows[0])
        other = next(i for i, row in enumerate(rows) if len(row) != first)
        raise SequenceError(
            f"sequences of unequal length: number 0 has {first} bases and number {other} has "
            f"{len(rows[other])}; one array needs one length, so cut or pad them first"
        )
    return lengths.pop()


def _ascii_letters(rows: list[str]) -> bytes:
    """All letters as bytes. One byte a letter: what is not ASCII becomes '?', refused later."""
    try:
        return "".join(rows).encode("ascii", "replace")
    except TypeError:
        wrong = next(i for i, row in enumerate(rows) if not isinstance(row, str))
        raise SequenceError(
            f"sequence number {wrong} is of type {type(rows[wrong]).__name__}; a str is expected"
        ) from None


def _check_letters(
    rows: list[str],
    letters: bytes,
    *,
    ambiguous: str = "share",
    lower_case: str = "accept",
    where: str = "",
) -> None:
    """Raise for the first letter that the policies do not allow, naming it and its place."""
    if not letters:
        raise SequenceError("the sequence is empty; at least one base is expected")
    refused = letters.translate(None, delete=_allowed(ambiguous, lower_case))  # at C speed
    if not refused:
        return

    at = letters.index(refused[0])
    row, position = divmod(at, len(rows[0]))
    letter = rows[row][position]
    of = f" of sequence {row}" if len(rows) > 1 else ""
    if letter.upper() not in IUPAC or not letter.isascii():  # the upper case of ſ is S, a code
        reason = "not a base or an IUPAC code"
        if letter in "uU":
            reason += "; this looks like RNA, where U stands for T"
    elif letter.islower() and lower_case == "refuse":
        reason = "lower case (soft-masked), and lower_case is 'refuse'"
    elif letter.islower() and lower_case == "mask":
        reason = "lower case, which lower_case='mask' turns into N, and ambiguous is 'refuse'"
    else:
        reason = (
            f"the IUPAC code for {' or '.join(IUPAC[letter.upper()])}, and ambiguous is 'refuse'; "
            "'zeros' or 'share' would encode it"
        )
    raise SequenceError(
        f"letter {letter!r} at position {position}{of}{where} (counting from 0) is {reason}"
    )


@lru_cache(maxsize=None)
def _allowed(ambiguous: str, lower_case: str) -> bytes:
    upper = ALPHABET if ambiguous == "refuse" else "".join(IUPAC)
    lower = {
        "accept": upper.lower(),
        "mask": "" if ambiguous == "refuse" else "".join(IUPAC).lower(),
        "refuse": "",
    }[lower_case]
    return (upper + lower).encode()


# --- the look-up table ---------------------------------------------------------------------------


@lru_cache(maxsize=None)
def _word_table(ambiguous: str, lower_case: str, dtype: np.dtype) -> np.ndarray:
    """``(256,)`` table: letter (as a byte) -> the four numbers of its row, seen as one item.

    numpy copies an item of 4, 8 or 16 bytes in one go, which is 4 to 5 times faster than gathering
    rows of four numbers; float64 rows (32 bytes) have no such item type and are gathered as rows.
    """
    rows = np.zeros((256, 4), dtype=dtype)
    for code, bases in IUPAC.items():
        share = [1 / len(bases) if base in bases else 0 for base in ALPHABET]
        row = share if len(bases) == 1 or ambiguous == "share" else [0] * 4
        rows[ord(code)] = row
        rows[ord(code.lower())] = row
    if lower_case == "mask":
        for code in IUPAC:
            rows[ord(code.lower())] = rows[ord("N")]
    word = {4: np.uint32, 8: np.uint64, 16: np.complex128}.get(4 * dtype.itemsize)
    return rows.view(word)[:, 0] if word else rows
