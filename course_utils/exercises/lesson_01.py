"""The exercises of lesson 01, one-hot encoding."""

import numpy as np

from course_utils.datasets import shipped
from course_utils.exercises import Exercise, Mistake
from course_utils.exercises._random import random_sequence
from course_utils.plotting import one_hot_picture
from course_utils.sequences import ALPHABET, read_fasta


def _draw(encoded) -> str:
    return one_hot_picture(np.asarray(encoded)).html()


# --- encode: one sequence by hand ----------------------------------------------------------------


def _encode(sequence: str, order: str = ALPHABET) -> np.ndarray:
    encoded = np.zeros((len(sequence), 4))
    for position, base in enumerate(sequence):
        encoded[position, order.index(base)] = 1
    return encoded


def _encode_cases(rng):
    """The lesson's own example, one in another order, then random ones."""
    cases = [("ATACAA", "ACGT"), ("AC", "ATCG"), ("GATC", "TGCA")]
    for length in (7, 25):
        order = "".join(rng.permutation(list(ALPHABET)))
        cases.append((random_sequence(rng, length), order))
    return cases


def _encode_present_letters(sequence: str, order: str) -> np.ndarray:
    letters = sorted(set(sequence))
    encoded = np.zeros((len(sequence), len(letters)))
    for position, base in enumerate(sequence):
        encoded[position, letters.index(base)] = 1
    return encoded


def _encode_first_base(sequence: str, order: str) -> np.ndarray:
    encoded = np.zeros((len(sequence), 4))
    encoded[0, order.index(sequence[0])] = 1
    return encoded


encode = Exercise(
    oracle=_encode,
    cases=_encode_cases,
    draw=_draw,
    mistakes=[
        Mistake(
            lambda sequence, order: _encode(sequence),
            "your columns are always A, C, G, T; here `order` says which base owns which column.",
        ),
        Mistake(
            lambda sequence, order: _encode(sequence, order).T,
            "bases and positions have changed places: one row for each position, (L, 4), is asked.",
        ),
        Mistake(
            _encode_present_letters,
            "your columns depend on which bases the sequence happens to have (M24); keep four "
            "columns, whatever is in it.",
        ),
        Mistake(
            _encode_first_base,
            "only the first base was encoded: `return` stands inside the loop; move it to the left.",
        ),
        Mistake(
            lambda sequence, order: np.array([order.index(base) for base in sequence]),
            "these are the column numbers; each of them still has to become a row with one 1.",
        ),
    ],
)


# --- decode --------------------------------------------------------------------------------------


def _decode(encoded: np.ndarray, order: str = ALPHABET, nothing: str = "N") -> str:
    letters = []
    for row in encoded:
        letters.append(order[int(np.argmax(row))] if row.max() > 0 else nothing)
    return "".join(letters)


def _with_unknown(rng, length: int) -> np.ndarray:
    encoded = _encode(random_sequence(rng, length))
    encoded[rng.integers(length)] = 0
    return encoded


decode = Exercise(
    oracle=_decode,
    cases=lambda rng: [
        (_encode("GATTACA"),),
        (_encode("ACGT"),),
        *((_with_unknown(rng, n),) for n in (5, 9, 30)),
    ],
    mistakes=[
        Mistake(
            lambda e: _decode(e, nothing="A"),
            "rows of four zeros came back as A: argmax of four equal numbers is 0. Ask first whether "
            "the row holds a 1 at all.",
        ),
        Mistake(
            lambda e: _decode(e, nothing=""),
            "a row of four zeros is a position too: write N, or every later base moves.",
        ),
        Mistake(
            lambda e: _decode(e, order="ATCG"),
            "column 1 is C, 2 is G and 3 is T; this looks like the order A, T, C, G.",
        ),
        Mistake(
            lambda e: "".join(ALPHABET[list(row).index(1)] for row in e),
            "a row of four zeros holds no 1 to be found: ask first whether there is one, and write N.",
        ),
        Mistake(
            lambda e: list(_decode(e)),
            "a list of letters came; join them with ''.join(...).",
        ),
    ],
)


# --- flip: the reverse complement of an array ----------------------------------------------------


def _flip(encoded: np.ndarray) -> np.ndarray:
    if encoded.ndim == 3:
        return np.array([_flip(one) for one in encoded])
    flipped = np.zeros_like(encoded)
    length = len(encoded)
    for position in range(length):
        for column in range(4):
            flipped[length - 1 - position, 3 - column] = encoded[position, column]
    return flipped


def _flip_cases(rng):
    many = np.array([_encode(random_sequence(rng, 6)) for _ in range(3)])
    return [(_encode("AACG"),), (_encode("GATTACA"),), (many,)]


flip = Exercise(
    oracle=_flip,
    cases=_flip_cases,
    mistakes=[
        Mistake(
            lambda e: e[..., ::-1, :],
            "this is the reverse: the positions are turned round, and no base was complemented.",
        ),
        Mistake(
            lambda e: e[..., ::-1],
            "this is the complement: A and T, C and G have changed places, and the positions are "
            "still in their old order.",
        ),
        Mistake(
            lambda e: e[::-1],
            "only the first axis was turned round: positions of one sequence, but sequences of many; and "
            "no base was complemented.",
        ),
        Mistake(
            lambda e: e[:, ::-1, ::-1],
            "right for many sequences; a single one, (L, 4), has only two axes. `...` stands for however "
            "many come before.",
        ),
        Mistake(
            lambda e: e[::-1, ::-1],
            "right for one sequence; for (N, L, 4) the first two axes are sequences and positions, so "
            "this turns the list of sequences round. Name the last two axes, with `...` before them.",
        ),
        Mistake(
            lambda e: e[::-1, ::-1] if e.ndim == 2 else e[::-1, ::-1, ::-1],
            "for (N, L, 4) this turns all three axes round; leave the first axis alone.",
        ),
    ],
)


# --- encode_real: soft-masking and N in real records ---------------------------------------------


def _encode_real(sequence: str, unknown: float = 0.25) -> np.ndarray:
    encoded = np.zeros((len(sequence), 4))
    for position, letter in enumerate(sequence.upper()):
        if letter == "N":
            encoded[position] = unknown
        else:
            encoded[position, ALPHABET.index(letter)] = 1
    return encoded


def _lower_case_as(value: float):
    def slip(sequence: str) -> np.ndarray:
        encoded = _encode_real(sequence)
        for position, letter in enumerate(sequence):
            if letter.islower():
                encoded[position] = value
        return encoded

    return slip


def _real_cases(rng):
    """A soft-masked peak, the end of chromosome 1, then windows of both; small ones first."""
    peaks = read_fasta(shipped("ctcf_peaks_200.fa"))
    masked = [peak.sequence for peak in peaks if not peak.sequence.isupper()]
    telomere = read_fasta(shipped("telomere.fa"))[0].sequence
    chosen = masked[int(rng.integers(len(masked)))]
    return [("acGN",), (masked[0],), (telomere,), (chosen[:40],), (telomere[30:60].lower(),)]


encode_real = Exercise(
    oracle=_encode_real,
    cases=_real_cases,
    draw=lambda encoded: _draw(np.asarray(encoded)[:30]),
    mistakes=[
        Mistake(
            lambda s: _encode_real(s, unknown=0),
            "N became four zeros, and four shares of 0.25 are asked. If you wrote 0.25: an array of whole "
            "numbers (dtype=int) cannot hold it.",
        ),
        Mistake(
            lambda s: _encode_real(s, unknown=1),
            "N became four ones, so an unknown base counts four times; its shares must add up to 1.",
        ),
        Mistake(
            _lower_case_as(0),
            "the lower-case letters were lost; soft-masked bases are bases, so read them with .upper().",
        ),
        Mistake(
            _lower_case_as(0.25),
            "the lower-case letters were treated as N; here soft-masked bases are read as bases.",
        ),
        Mistake(
            lambda s: _encode(s.upper()),
            "lower case is read; N is still not in 'ACGT' and needs a row of its own.",
        ),
        Mistake(
            lambda s: _encode_real("".join(c if c in "ACGTN" else "?" for c in s)),
            "N is handled; the lower-case letters are still not in 'ACGT': read the sequence with .upper().",
        ),
        Mistake(
            lambda s: _encode(s.upper().replace("N", "T")),
            "N became T: \"ACGT\".find('N') is -1, and position -1 is the last column.",
        ),
        Mistake(
            lambda s: _encode(s),
            "N or a lower-case letter is not in 'ACGT': decide what each of them becomes before "
            "looking it up.",
        ),
    ],
)


# --- to_conv1d: permute, never reshape -----------------------------------------------------------


def _to_conv1d(encoded: np.ndarray):
    import torch

    many, length, _ = encoded.shape
    tensor = torch.zeros((many, 4, length), dtype=torch.float32)
    for number in range(many):
        for position in range(length):
            for column in range(4):
                tensor[number, column, position] = float(encoded[number, position, column])
    return tensor


def _reshaped(encoded: np.ndarray):
    import torch

    many, length, _ = encoded.shape
    return torch.as_tensor(encoded.reshape(many, 4, length), dtype=torch.float32)


def _conv1d_cases(rng):
    def batch(many, length):
        return np.array([_encode(random_sequence(rng, length)) for _ in range(many)], np.uint8)

    return [(batch(1, 5),), (batch(3, 4),), (batch(2, 9),)]


to_conv1d = Exercise(
    oracle=_to_conv1d,
    cases=_conv1d_cases,
    mistakes=[
        Mistake(
            _reshaped,
            "the shape is right and the letters are scrambled: reshape pours the numbers into a new "
            "box in their old order. Exchange the axes with permute or transpose.",
        ),
        Mistake(
            lambda e: _to_conv1d(e).permute(1, 2, 0),
            "the axes are turned round whole; only the last two change places, the first stays.",
        ),
        Mistake(
            lambda e: _to_conv1d(e).to(dtype=_byte()),
            "the numbers are right and their type is still uint8; Conv1d computes with float32.",
        ),
        Mistake(
            lambda e: _to_conv1d(e).permute(0, 2, 1),
            "the tensor still has the shape (N, L, 4); Conv1d wants the bases before the positions.",
        ),
    ],
)


def _byte():
    import torch

    return torch.uint8
