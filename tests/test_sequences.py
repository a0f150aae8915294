"""Sequences: one-hot against a plain loop, both strands, and FASTA as it comes."""

import gzip

import numpy as np
import pytest
from Bio import SeqIO
from Bio.Data.IUPACData import ambiguous_dna_values
from Bio.Seq import Seq

from course_utils.datasets import shipped
from course_utils.sequences import (
    ALPHABET,
    IUPAC,
    FastaRecord,
    decode,
    one_hot,
    read_fasta,
    reverse_complement,
    reverse_complement_one_hot,
)

CODES = "".join(IUPAC)
INTEGERS = ("bool", "uint8", "int8", "int16", "int32", "int64")
FLOATS = ("float16", "float32", "float64", "longdouble", ">f4")


def random_sequences(letters: str, count: int = 7, length: int = 31, seed: int = 0) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), size=length)) for _ in range(count)]


def by_loop(sequences, ambiguous, lower_case, dtype) -> np.ndarray:
    """What `one_hot` promises, letter by letter."""
    encoded = np.zeros((len(sequences), len(sequences[0]), 4), dtype=dtype)
    for row, sequence in enumerate(sequences):
        for position, letter in enumerate(sequence):
            if letter.islower() and lower_case == "mask":
                letter = "N"
            bases = IUPAC[letter.upper()]
            if len(bases) > 1 and ambiguous != "share":
                continue
            for base in bases:
                encoded[row, position, ALPHABET.index(base)] = 1 / len(bases)
    return encoded


def allowed(ambiguous: str, lower_case: str) -> str:
    upper = ALPHABET if ambiguous == "refuse" else CODES
    lower = "" if lower_case == "refuse" or (lower_case, ambiguous) == ("mask", "refuse") else upper
    return upper + lower.lower()


# --- one-hot -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lower_case", ["accept", "mask", "refuse"])
@pytest.mark.parametrize("ambiguous", ["refuse", "zeros", "share"])
def test_one_hot_is_the_plain_loop_bit_for_bit_under_every_policy_and_dtype(ambiguous, lower_case):
    sequences = random_sequences(allowed(ambiguous, lower_case))
    for dtype in FLOATS if ambiguous == "share" else INTEGERS + FLOATS:
        encoded = one_hot(sequences, ambiguous=ambiguous, lower_case=lower_case, dtype=dtype)
        expected = by_loop(sequences, ambiguous, lower_case, dtype)
        assert encoded.dtype == expected.dtype
        assert encoded.shape == expected.shape == (7, 31, 4)
        np.testing.assert_array_equal(encoded, expected, err_msg=dtype)
        if dtype != "longdouble":  # whose padding bytes mean nothing
            assert encoded.tobytes() == expected.tobytes(), dtype


def test_the_columns_are_a_c_g_t():
    np.testing.assert_array_equal(one_hot("ACGT"), np.eye(4))
    np.testing.assert_array_equal(one_hot("acgt"), np.eye(4))


def test_one_sequence_gives_two_axes_and_several_give_three():
    assert one_hot("GATTACA").shape == (7, 4)
    assert one_hot(["GATTACA"]).shape == (1, 7, 4)
    assert one_hot("G").shape == (1, 4)
    several = (sequence for sequence in ("GATTACA", "CATTAGA"))
    assert one_hot(several).shape == (2, 7, 4)
    assert one_hot(np.array(["GATTACA", "CATTAGA"])).shape == (2, 7, 4)


def test_the_default_type_is_what_torch_computes_with():
    assert one_hot("ACGT").dtype == np.float32


def test_shares_add_up_to_one_and_zeros_to_none():
    unknown = "RYSWKMBDHVN"
    np.testing.assert_allclose(one_hot(unknown, ambiguous="share").sum(axis=1), 1, rtol=1e-6)
    assert not one_hot(unknown, ambiguous="zeros").any()


def test_masked_bases_are_encoded_as_n():
    for ambiguous in ("zeros", "share"):
        masked = one_hot("ACgtA", ambiguous=ambiguous, lower_case="mask")
        np.testing.assert_array_equal(masked, one_hot("ACNNA", ambiguous=ambiguous))


def test_the_result_belongs_to_the_caller_alone():
    first = one_hot("ACGT")
    first[:] = 7
    np.testing.assert_array_equal(one_hot("ACGT"), np.eye(4))


# --- decode --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", FLOATS)
def test_decode_inverts_one_hot_for_every_code(dtype):
    sequences = random_sequences(CODES + CODES.lower(), seed=1)
    decoded = decode(one_hot(sequences, ambiguous="share", dtype=dtype))
    assert decoded == [sequence.upper() for sequence in sequences]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_decode_reads_four_zeros_as_n(dtype):
    (sequence,) = random_sequences(CODES, count=1, seed=2)
    decoded = decode(one_hot(sequence, ambiguous="zeros", dtype=dtype))
    assert decoded == "".join(code if code in ALPHABET else "N" for code in sequence)


def test_decode_reads_nested_lists_too():
    assert decode([[0, 0, 0, 1], [0.25, 0.25, 0.25, 0.25]]) == "TN"


# --- the other strand ----------------------------------------------------------------------------


def test_the_iupac_table_is_biopythons():
    assert IUPAC.keys() == ambiguous_dna_values.keys() - {"X"}
    for code, bases in IUPAC.items():
        assert sorted(bases) == sorted(ambiguous_dna_values[code])


def test_the_reverse_complement_is_biopythons_for_every_code_in_both_cases():
    for letters in (CODES, CODES.lower(), *random_sequences(CODES + CODES.lower(), seed=3)):
        assert reverse_complement(letters) == str(Seq(letters).reverse_complement())


def test_the_reverse_complement_of_the_reverse_complement_is_the_sequence():
    for sequence in random_sequences(CODES + CODES.lower(), seed=4):
        assert reverse_complement(reverse_complement(sequence)) == sequence
    encoded = one_hot(random_sequences(ALPHABET, seed=5))
    twice = reverse_complement_one_hot(reverse_complement_one_hot(encoded))
    np.testing.assert_array_equal(twice, encoded)


@pytest.mark.parametrize("ambiguous", ["zeros", "share"])
def test_turning_the_letters_and_turning_the_array_agree(ambiguous):
    sequences = random_sequences(CODES + CODES.lower(), seed=6)
    turned = one_hot([reverse_complement(sequence) for sequence in sequences], ambiguous=ambiguous)
    encoded = one_hot(sequences, ambiguous=ambiguous)
    np.testing.assert_array_equal(reverse_complement_one_hot(encoded), turned)
    np.testing.assert_array_equal(reverse_complement_one_hot(encoded[0]), turned[0])


def test_the_turned_array_is_a_view():
    encoded = one_hot("GATTACA")
    assert np.shares_memory(reverse_complement_one_hot(encoded), encoded)


# --- FASTA ---------------------------------------------------------------------------------------

TEXT = ">chr1:0-9 first peak\nACGTN\nacgt\n\n>chr2\nRYK\n"
RECORDS = [FastaRecord("chr1:0-9 first peak", "ACGTNacgt"), FastaRecord("chr2", "RYK")]
SHAPES = {
    "plain": TEXT.encode(),
    "gzipped": gzip.compress(TEXT.encode()),
    "gzipped in two members": gzip.compress(TEXT[:30].encode()) + gzip.compress(TEXT[30:].encode()),
    "with Windows line ends": TEXT.replace("\n", "\r\n").encode(),
    "with a byte-order mark": b"\xef\xbb\xbf" + TEXT.encode(),
    "gzipped, mark and Windows line ends": gzip.compress(
        b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()
    ),
    "without a last line end": TEXT.rstrip().encode(),
    "one base a line": b">chr1:0-9 first peak\n"
    + b"\n".join(bytes([base]) for base in b"ACGTNacgt")
    + b"\n>chr2\nR\nY\nK\n",
    "blank lines before": b"\n\n" + TEXT.encode(),
    "blanks round names and in sequences": b"> chr1:0-9 first peak \nACGTN acgt\n>chr2\nRYK \n",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_fasta_is_read_with_its_case_in_every_shape(shape, tmp_path):
    path = tmp_path / "any.name"  # the content says what it is, not the ending
    path.write_bytes(SHAPES[shape])
    assert read_fasta(path) == RECORDS
    assert read_fasta(str(path)) == RECORDS


def test_the_shipped_peaks_are_read_as_biopython_reads_them():
    path = shipped("ctcf_peaks_200.fa")
    theirs = [(record.description, str(record.seq)) for record in SeqIO.parse(path, "fasta")]
    assert read_fasta(path) == theirs
    assert len(theirs) == 200


def test_the_shipped_records_are_the_soft_masked_and_the_unknown_ones_of_lesson_01():
    peaks = read_fasta(shipped("ctcf_peaks_200.fa"))
    assert any(peak.sequence != peak.sequence.upper() for peak in peaks)
    (telomere,) = read_fasta(shipped("telomere.fa"))
    assert telomere.sequence.startswith("N" * 40 + "TAACCC")
    assert len(telomere.sequence) == 100
