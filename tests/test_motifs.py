"""Motifs: the source lectures' figures, Biopython's, and files that come back as they were written."""

import io
import os
import re

import Bio.motifs
import numpy as np
import pytest

from course_utils.datasets import shipped
from course_utils.motifs import (
    Motif,
    MotifError,
    background_of,
    consensus,
    information,
    pfm_from_sites,
    pfm_to_ppm,
    ppm_to_pwm,
    read_motifs,
    small_sample_correction,
    write_motifs,
)
from course_utils.sequences import ALPHABET, IUPAC, read_fasta, reverse_complement

SITES = ["TACAA", "TACGA", "TACAA"]  # seeds 000 and 002
SEED_PPM = pfm_to_ppm(pfm_from_sites(SITES), 0.5)
BACKGROUNDS = [(0.25, 0.25, 0.25, 0.25), (0.3, 0.2, 0.2, 0.3), (0.1, 0.2, 0.3, 0.4)]
JASPAR = read_motifs(shipped("jaspar_motifs.txt"))
ACCESSIONS = """MA0482.3 GATA4, MA0063.3 NKX2-5, MA0807.1 TBX5, MA0497.2 MEF2C, MA0079.3 SP1, MA0108.3 TBP,
    MA0062.4 GABPA, MA0058.4 MAX, MA0139.1 CTCF, MA0138.3 REST, MA0106.3 TP53, MA1929.2 CTCF"""


def by_accession(motifs) -> list:
    return [pytest.param(motif, id=motif.accession) for motif in motifs]


def in_biopython(pfm: np.ndarray) -> Bio.motifs.Motif:
    return Bio.motifs.Motif(alphabet=ALPHABET, counts=dict(zip(ALPHABET, np.asarray(pfm).T)))


def random_pfms(seed: int, highest: int = 9, motifs: int = 30) -> list[np.ndarray]:
    """Small counts, so that zeros and ties are frequent; every position has some."""
    rng = np.random.default_rng(seed)
    pfms = [rng.integers(0, highest, size=(rng.integers(1, 12), 4)) for _ in range(motifs)]
    return [pfm + (pfm.sum(axis=1, keepdims=True) == 0) for pfm in pfms]


# --- the source lectures' figures ----------------------------------------------------------------


def test_the_counts_are_those_of_a_plain_loop():
    counts = np.zeros((5, 4))
    for site in SITES:
        for position, base in enumerate(site):
            counts[position, "ACGT".index(base)] += 1
    np.testing.assert_array_equal(pfm_from_sites(SITES), counts)
    np.testing.assert_array_equal(pfm_from_sites(site.lower() for site in SITES), counts)
    assert pfm_from_sites(SITES).dtype == np.int64


def test_the_log_of_the_product_of_probabilities_is_the_seeds():
    logs = [
        float(np.log([SEED_PPM[i, ALPHABET.index(base)] for i, base in enumerate(window)]).sum())
        for window in ("ATACA", "TACAA")
    ]
    assert logs == pytest.approx([-9.567015315914915, -2.119846956314875], abs=1e-12)


def test_the_log_odds_and_the_information_of_the_seeds_motif():
    pwm = ppm_to_pwm(SEED_PPM)
    scores = [
        sum(pwm[i, ALPHABET.index(base)] for i, base in enumerate(window))
        for window in ("ATACA", "TACAA")
    ]
    assert scores == pytest.approx([-3.8023, 6.9417], abs=5e-5)
    assert information(SEED_PPM).sum() == pytest.approx(2.8874, abs=5e-5)


# --- Biopython's figures -------------------------------------------------------------------------


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("pseudocount", [0.5, (0.3, 0.2, 0.2, 0.3)], ids=str)
def test_probabilities_and_log_odds_are_biopythons(background, pseudocount):
    for pfm in [motif.pfm for motif in JASPAR] + random_pfms(0):
        counts = in_biopython(pfm).counts
        named = np.broadcast_to(pseudocount, 4)
        theirs = counts.normalize(dict(zip(ALPHABET, named.tolist())))
        ppm = pfm_to_ppm(pfm, pseudocount)
        np.testing.assert_allclose(ppm.T, [theirs[base] for base in ALPHABET], atol=1e-12)
        theirs = theirs.log_odds(dict(zip(ALPHABET, background)))
        pwm = ppm_to_pwm(ppm, background)
        np.testing.assert_allclose(pwm.T, [theirs[base] for base in ALPHABET], rtol=0, atol=1e-6)


def test_a_base_that_never_occurs_weighs_minus_infinity_as_in_biopython():
    pwm = ppm_to_pwm(pfm_to_ppm(pfm_from_sites(SITES)))
    theirs = in_biopython(pfm_from_sites(SITES)).counts.normalize(0).log_odds()
    np.testing.assert_allclose(pwm.T, [theirs[base] for base in ALPHABET])
    assert np.isneginf(pwm).sum() == 14


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_information_is_the_plain_sum_and_biopythons_relative_entropy(background):
    for pfm in [motif.pfm for motif in JASPAR] + random_pfms(1):
        ppm = pfm_to_ppm(pfm)
        by_hand = [
            sum(p * np.log2(p / q) for p, q in zip(row, background) if p > 0) for row in ppm
        ]
        np.testing.assert_allclose(information(ppm, background), by_hand, atol=1e-12)
        theirs = in_biopython(pfm)
        theirs.background = dict(zip(ALPHABET, background))
        np.testing.assert_allclose(information(ppm, background), theirs.relative_entropy, atol=1e-9)


def test_information_goes_from_nothing_to_two_bits():
    assert information(np.eye(4)).tolist() == [2, 2, 2, 2]
    assert information([[0.25] * 4, [0.5, 0.5, 0, 0]]).tolist() == [0, 1]
    assert information([(0.3, 0.2, 0.2, 0.3)], (0.3, 0.2, 0.2, 0.3)) == pytest.approx(0)


def test_the_consensus_is_biopythons():
    several = random_pfms(2) + random_pfms(3, highest=4) + random_pfms(4, highest=100)
    for pfm in [motif.pfm for motif in JASPAR] + several:
        assert consensus(pfm) == str(in_biopython(pfm).degenerate_consensus)
    codes = set("".join(map(consensus, several)))
    assert codes == set(IUPAC), "a code was never tried"


def test_a_position_without_counts_is_any_base():
    assert consensus([[0, 0, 0, 0], [3, 0, 0, 0]]) == "NA"


# --- small samples, backgrounds ------------------------------------------------------------------


def test_the_small_sample_correction_is_the_mean_information_of_samples_without_any():
    rng = np.random.default_rng(5)
    for sites in (20, 100):
        pfm = rng.multinomial(sites, [0.25] * 4, size=20_000)
        mean = information(pfm_to_ppm(pfm)).mean()
        assert mean == pytest.approx(small_sample_correction(sites), rel=0.06)
    assert small_sample_correction(100) == pytest.approx(0.0216, abs=5e-5)


def test_the_background_counts_both_strands_by_a_loop():
    (record,) = read_fasta(shipped("gata4_promoter.fa"))
    for sequence in (record.sequence, record.sequence.lower(), "ACGTRYNNgattaca"):
        both = (sequence + reverse_complement(sequence)).upper()
        counts = np.array([sum(letter == base for letter in both) for base in "ACGT"])
        np.testing.assert_allclose(background_of(sequence), counts / counts.sum(), rtol=1e-12)


def test_a_base_that_a_short_sequence_lacks_is_not_impossible():
    np.testing.assert_allclose(background_of("AAAA"), np.array([5, 1, 1, 5]) / 12)


# --- the shipped motifs --------------------------------------------------------------------------


def test_the_shipped_motifs_are_the_twelve_that_the_readme_names():
    names = [f"{motif.accession} {motif.name}" for motif in JASPAR]
    assert names == re.split(r",\s+", ACCESSIONS)


@pytest.mark.parametrize("motif", by_accession(JASPAR))
def test_the_shipped_counts_are_whole_and_as_they_stand_in_the_file(motif):
    lines = shipped("jaspar_motifs.txt").read_text().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.split()[0] == f">{motif.accession}"]
    assert lines[start].split()[1] == motif.name
    for base, line in enumerate(lines[start + 1 : start + 5]):
        assert line[0] == ALPHABET[base]
        counts = line[line.index("[") + 1 : line.index("]")].split()
        assert motif.pfm[:, base].tolist() == [int(count) for count in counts]


def test_the_shipped_ctcf_matrix_is_jaspars():
    """MA0139.1 begins as JASPAR prints it, and every position has seen its 913 sites, or nearly."""
    (ctcf,) = [motif.pfm for motif in JASPAR if motif.accession == "MA0139.1"]
    assert ctcf[:2].tolist() == [[87, 291, 76, 459], [167, 145, 414, 187]]
    assert ctcf.shape == (19, 4) and abs(ctcf.sum(axis=1) - 913).max() <= 5
    assert consensus(ctcf) == "YNRCCASYAGRKGGCRSYN"


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "format, row", [("jaspar", [0.1, 33.29, 0, 1e6]), ("transfac", [0.1, 1 / 3, 0, 7e-9])]
)
def test_jaspar_and_transfac_files_keep_everything(format, row, tmp_path):
    fractions = Motif("X.1", "a name of  four words", np.array([row, [0, 0, 0, 1], [0, 0, 0, 0]]))
    write_motifs(tmp_path / "motifs", [*JASPAR, fractions], format)
    read = read_motifs(tmp_path / "motifs")
    assert len(read) == 13
    for before, after in zip([*JASPAR, fractions], read):
        assert after[:2] == before[:2]
        np.testing.assert_array_equal(after.pfm, before.pfm)


def test_meme_files_keep_probabilities_and_the_number_of_sites(tmp_path):
    write_motifs(tmp_path / "motifs", JASPAR, "meme")
    for before, after in zip(JASPAR, read_motifs(tmp_path / "motifs"), strict=True):
        assert after[:2] == before[:2]
        np.testing.assert_allclose(
            pfm_to_ppm(after.pfm), pfm_to_ppm(before.pfm), rtol=0, atol=2e-9
        )
        np.testing.assert_allclose(after.pfm.sum(axis=1), before.pfm.sum(axis=1).max(), rtol=1e-12)


def test_biopython_alone_reads_the_meme_files_that_we_write(tmp_path):
    """JASPAR and TRANSFAC files it writes itself."""
    write_motifs(tmp_path / "motifs", JASPAR, "meme")
    read = Bio.motifs.parse(io.StringIO((tmp_path / "motifs").read_text()), "minimal")
    for motif, other in zip(JASPAR, read, strict=True):
        assert other.name == motif.accession
        expected = pfm_to_ppm(motif.pfm) * motif.pfm.sum(axis=1).max()
        counts = np.array([other.counts[base] for base in ALPHABET]).T
        np.testing.assert_allclose(counts, expected, rtol=0, atol=0.5 + 1e-6)  # whole counts


DISTRIBUTED = {
    "JASPAR": """>MA0001.1\tAGL3
A  [ 0  3 79 ]
C  [94 75  4 ]
G  [ 1  0  3 ]
T  [ 2 19 11 ]
>MA0002.1 RUNX1
A [10 12 4]
C [2 2 7]
G [3 1 1]
T [11 11 14]
""",
    "JASPAR without letters or brackets": """>MA0001.1 AGL3
0\t3\t79
94\t75\t4
1\t0\t3
2\t19\t11
>MA0002.1 RUNX1
10 12 4
2 2 7
3 1 1
11 11 14
""",
    "MEME with its optional parts": """MEME version 4

ALPHABET= ACGT

strands: + -

Background letter frequencies (from uniform background):
A 0.25000 C 0.25000 G 0.25000 T 0.25000

MOTIF MA0001.1 AGL3
letter-probability matrix: alength= 4 w= 3 nsites= 97 E= 4.1e-9
 0.000000  0.969072  0.010309  0.020619
 0.030928  0.773196  0.000000  0.195876
 0.814433  0.041237  0.030928  0.113402
URL http://jaspar.genereg.net/matrix/MA0001.1

MOTIF MA0002.1 RUNX1

letter-probability matrix: alength= 4 w= 3 nsites= 26 E= 0
0.384615 0.076923 0.115385 0.423077
0.461538 0.076923 0.038462 0.423077
0.153846 0.269231 0.038462 0.538462
""",
    "TRANSFAC as TRANSFAC writes it": """VV  TRANSFAC MATRIX TABLE, Release 3.2
XX
//
AC  MA0001.1
XX
ID  AGL3
XX
NA  an agamous-like factor
XX
P0      A      C      G      T
01      0     94      1      2      C
02      3     75      0     19      C
03     79      4      3     11      A
XX
BA  97 sites
XX
//
AC  MA0002.1
ID  RUNX1
P0      A      C      G      T
01     10      2      3     11      W
02     12      2      1     11      W
03      4      7      1     14      Y
//
""",
    "TRANSFAC as JASPAR writes it": """AC MA0001.1
XX
ID AGL3
XX
DE MA0001.1 AGL3 ; From JASPAR
PO\tA\tC\tG\tT
01\t0.0\t94.0\t1.0\t2.0
02\t3.0\t75.0\t0.0\t19.0
03\t79.0\t4.0\t3.0\t11.0
XX
CC tax_group:plants
XX
//
AC MA0002.1
XX
ID RUNX1
XX
DE MA0002.1 RUNX1 ; From JASPAR
PO\tA\tC\tG\tT
01\t10.0\t2.0\t3.0\t11.0
02\t12.0\t2.0\t1.0\t11.0
03\t4.0\t7.0\t1.0\t14.0
XX
//
""",
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("source", DISTRIBUTED)
def test_files_are_read_as_the_data_bases_distribute_them(source, line_end, tmp_path):
    text = DISTRIBUTED[source].replace("\n", line_end)
    (tmp_path / "motifs").write_bytes(b"\xef\xbb\xbf" + text.encode())
    first, second = read_motifs(tmp_path / "motifs")
    assert first[:2] == ("MA0001.1", "AGL3") and second[:2] == ("MA0002.1", "RUNX1")
    digits = {"atol": 1e-4 if "MEME" in source else 0, "rtol": 0}
    np.testing.assert_allclose(first.pfm, [[0, 94, 1, 2], [3, 75, 0, 19], [79, 4, 3, 11]], **digits)
    np.testing.assert_allclose(second.pfm, [[10, 2, 3, 11], [12, 2, 1, 11], [4, 7, 1, 14]], **digits)


def test_a_meme_file_may_leave_out_width_and_sites(tmp_path):
    text = "MEME version 5\n\nMOTIF only_name\nletter-probability matrix:\n0.5 0.5 0 0\n0.33 0.33 0.34 0\n"
    (tmp_path / "motifs").write_text(text)
    (motif,) = read_motifs(tmp_path / "motifs")
    assert motif[:2] == ("only_name", "only_name")
    np.testing.assert_allclose(motif.pfm, [[10, 10, 0, 0], [6.6, 6.6, 6.8, 0]])


def test_the_digits_of_a_meme_file_outlast_biopythons_whole_counts(tmp_path):
    row = "0.123456789012 0.876543210988 0 0"
    head = "MEME version 4\n\nMOTIF M two words\nletter-probability matrix: nsites= 1\n"
    (tmp_path / "motifs").write_text(f"{head}{row}\n\n{row}\nMOTIF N\nletter-probability matrix:\n{row}")
    first, second = read_motifs(tmp_path / "motifs")
    assert first[:2] == ("M", "two words") and second[:2] == ("N", "N")
    ppm = [0.123456789012, 0.876543210988, 0, 0]
    np.testing.assert_allclose(first.pfm, [ppm, ppm], rtol=0, atol=1e-14)
    np.testing.assert_allclose(second.pfm, [[20 * p for p in ppm]], rtol=0, atol=1e-13)


def test_the_rows_of_a_jaspar_file_may_come_in_any_order(tmp_path):
    (tmp_path / "motifs").write_text(">M\nT [ 4 8 ]\nG [ 3 7 ]\nA [ 1 5 ]\nC [ 2 6 ]\n")
    (motif,) = read_motifs(tmp_path / "motifs")
    assert motif.pfm.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize("source", DISTRIBUTED)
def test_a_file_that_is_cut_anywhere_is_refused_or_holds_whole_motifs_only(source, tmp_path):
    """Wherever the cut falls, except inside the last number of a row that nothing closes."""
    text = DISTRIBUTED[source]
    (tmp_path / "whole").write_text(text)
    whole = read_motifs(tmp_path / "whole")
    path, refused = tmp_path / "cut", 0
    for end in range(len(text)):
        path.write_text(text[:end])
        try:
            motifs = read_motifs(path)
        except MotifError as error:
            assert str(path) in str(error) and "\n" not in str(error)
            refused += 1
            continue
        for after, before in zip(motifs, whole):
            if "without" in source or "MEME" in source:  # its last number may be cut, nothing else
                assert after.pfm.shape == before.pfm.shape
                np.testing.assert_allclose(after.pfm[:, :3], before.pfm[:, :3], rtol=0.011)
            else:
                np.testing.assert_array_equal(after.pfm, before.pfm)
    assert refused > len(text) / 3


# --- writing: all or nothing ---------------------------------------------------------------------


def files(folder) -> dict:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


REFUSED = {
    "no motif": lambda: [],
    "not a list of motifs": lambda: JASPAR[0],
    "negative counts": lambda: [JASPAR[0], Motif("X.1", "X", np.array([[1, 2, 3, -1.0]]))],
    "turned": lambda: [Motif("X.1", "X", np.ones((4, 7)))],
    "an accession of two words": lambda: [Motif("X 1", "X", np.ones((7, 4)))],
    "a name of two lines": lambda: [Motif("X.1", "X\n>Y", np.ones((7, 4)))],
    "no name": lambda: [Motif("X.1", "", np.ones((7, 4)))],
}


@pytest.mark.parametrize("format", ["jaspar", "meme", "transfac"])
@pytest.mark.parametrize("why", REFUSED)
def test_a_refused_list_leaves_the_old_file_as_it_was(why, format, tmp_path):
    (tmp_path / "motifs").write_text("the old file")
    with pytest.raises(MotifError) as caught:
        write_motifs(tmp_path / "motifs", REFUSED[why](), format)
    assert "\n" not in str(caught.value)
    assert files(tmp_path) == {"motifs": b"the old file"}


def test_a_write_that_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "motifs").write_text("the old file")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_motifs(tmp_path / "motifs", JASPAR)
    assert files(tmp_path) == {"motifs": b"the old file"}


def test_a_written_file_replaces_the_old_one_whole(tmp_path):
    write_motifs(tmp_path / "motifs", JASPAR)
    write_motifs(str(tmp_path / "motifs"), JASPAR[:1])
    assert list(files(tmp_path)) == ["motifs"]
    (motif,) = read_motifs(str(tmp_path / "motifs"))
    assert motif.accession == "MA0482.3"
