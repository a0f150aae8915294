"""Regions: what a FASTA of peaks becomes, and splits that no copy of a sequence crosses."""

import gzip
from collections import Counter

import numpy as np
import pytest

from course_utils.datasets import DataUnavailable, fetch, shipped
from course_utils.regions import (
    Regions,
    in_both,
    read_regions,
    same_or_reverse,
    split_at_random,
    without_unknown,
)
from course_utils.sequences import decode, read_fasta, reverse_complement
from course_utils.windows import Place


def letters(rng: np.random.Generator, many: int, length: int) -> list[str]:
    return ["".join(rng.choice(list("ACGT"), length)) for _ in range(many)]


def with_copies(rng: np.random.Generator, many: int = 60, length: int = 4) -> list[str]:
    """Words so short that many are copies and reverse complements of others."""
    return letters(rng, many, length)


@pytest.fixture
def fasta(tmp_path):
    """Writes records as a FASTA file and gives its path."""

    def write(*records: tuple[str, str]):
        path = tmp_path / "peaks.fa"
        path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
        return path

    return write


# --- regions -------------------------------------------------------------------------------------


def test_regions_are_upper_case_sequences_with_their_places():
    regions = Regions(["acgtN", "GGGCA"], [("chr1", 5, 10), ("chr2", 0, 5)])
    assert regions.sequences == ("ACGTN", "GGGCA")
    assert regions.places == (Place("chr1", 5, 10), Place("chr2", 0, 5))
    assert (len(regions), regions.length) == (2, 5)
    assert repr(regions) == "2 regions of 5 bp, with places"
    assert repr(Regions(["ACGT"])) == "1 regions of 4 bp, without places"


def test_the_one_hot_array_is_that_of_the_letters_and_n_is_four_zeros():
    regions = Regions(["ACGTN", "NTTCA"])
    assert regions.one_hot.shape == (2, 5, 4) and regions.one_hot.dtype == np.uint8
    assert decode(regions.one_hot) == list(regions.sequences)
    assert not regions.one_hot[0, 4].any()


def test_a_subset_keeps_the_order_asked_for_and_each_place_with_its_sequence():
    regions = Regions(["AA", "CC", "GG"], [("chr1", 0, 2), ("chr2", 0, 2), ("chr3", 0, 2)])
    some = regions.subset(np.array([2, 0, -1]))
    assert some.sequences == ("GG", "AA", "GG")
    assert [place.chromosome for place in some.places] == ["chr3", "chr1", "chr3"]
    assert Regions(["AA", "CC"]).subset([1]).places is None


def test_a_split_by_chromosome_takes_these_chromosomes_whole_and_no_other():
    names = ["chr8", "chr1", "chr9", "chr8", "chr80"]
    regions = Regions(["AA", "AC", "AG", "AT", "CC"], [(name, 0, 2) for name in names])
    training, test = regions.by_chromosome(test=["chr8", "chr9"])
    assert training.sequences == ("AC", "CC")
    assert test.sequences == ("AA", "AG", "AT")
    assert [place.chromosome for place in test.places] == ["chr8", "chr9", "chr8"]
    assert regions.by_chromosome("chr80")[1].sequences == ("CC",)


# --- FASTA ---------------------------------------------------------------------------------------


def test_headers_with_coordinates_give_places_and_what_follows_them_is_left_out(fasta):
    path = fasta(("chr1:5-9 peak 1", "acgt"), ("peak_2::chrUn_1:0-4(+)", "AAnR"), ("2:7-11", "CCCC"))
    regions = read_regions(path)
    assert regions.places == (Place("chr1", 5, 9), Place("chrUn_1", 0, 4), Place("2", 7, 11))
    assert regions.sequences == ("ACGT", "AANN", "CCCC")


def test_headers_without_coordinates_give_no_places(fasta):
    for name in ("peak_1", "chr1", "hg19_dna range=chr1:5-8 strand=+", "chr1:5-9x", "chr1:5..9"):
        assert read_regions(fasta((name, "ACGT"), ("other", "ACGT"))).places is None


def test_gzipped_regions_are_read_too(fasta, tmp_path):
    plain = fasta(("chr1:5-9", "ACGT"))
    packed = tmp_path / "peaks.fa.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    assert read_regions(packed).sequences == read_regions(plain).sequences


@pytest.mark.parametrize("length", [1, 4, 7, 10])
def test_the_centre_is_cut_from_each_and_its_place_holds_these_letters_on_either_strand(fasta, length):
    rng = np.random.default_rng(length)
    genome = letters(rng, 1, 200)[0]
    records = []
    for number in range(20):
        start, long = int(rng.integers(0, 180)), int(rng.integers(10, 15))
        stretch, strand = genome[start : start + long], "+-"[number % 2]
        stretch = reverse_complement(stretch) if strand == "-" else stretch
        records.append((f"x::chr1:{start}-{start + len(stretch)}({strand})", stretch))
    regions = read_regions(fasta(*records), length=length)
    assert regions.length == length
    for number, (record, place) in enumerate(zip(records, regions.places)):
        there = genome[place.start : place.end]
        assert regions.sequences[number] == (reverse_complement(there) if number % 2 else there)
        left = (len(record[1]) - length) // 2
        assert regions.sequences[number] == record[1][left : left + length]


def test_regions_with_too_many_unknown_letters_are_left_out():
    regions = Regions(["ACGT", "ANGN", "NNNN", "ACGN"], [("chr1", start, start + 4) for start in range(4)])
    assert without_unknown(regions).sequences == ("ACGT",)
    assert [place.start for place in without_unknown(regions, most=1).places] == [0, 3]
    assert len(without_unknown(regions, most=4)) == 4


# --- copies --------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [3, 4, 5])
def test_sequences_have_one_number_if_they_are_equal_or_reverse_complements_and_else_two(length):
    sequences = with_copies(np.random.default_rng(length), length=length) + ["NACG", "CGTN", "acgn"]
    group = same_or_reverse(sequences)
    upper = [sequence.upper() for sequence in sequences]
    for first, one in enumerate(upper):
        for second, other in enumerate(upper):
            assert (group[first] == group[second]) == (one in (other, reverse_complement(other)))
    assert list(dict.fromkeys(group.tolist())) == list(range(group.max() + 1)), "in the order of appearance"


def test_what_is_in_both_sets_is_found_on_either_strand():
    rng = np.random.default_rng(1)
    training, test = with_copies(rng, 30), with_copies(rng, 40)
    known = {word for one in training for word in (one, reverse_complement(one))}
    expected = [number for number, one in enumerate(test) if one in known]
    assert 0 < len(expected) < 40
    assert in_both(training, test).tolist() == expected
    assert in_both(Regions(training), Regions(test)).tolist() == expected
    assert in_both(["AAAA"], ["CCCC"]).tolist() == []
    assert len(Regions(test).subset(np.delete(np.arange(40), in_both(training, test)))) == 40 - len(expected)


def test_sequences_of_several_lengths_may_be_compared():
    assert in_both(["AAC", "GGTTT"], ["GTT", "AACC", "AAACC", "AACCC"]).tolist() == [0, 2]


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("share", [0.001, 0.2, 0.5, 0.999])
def test_a_random_split_takes_each_sequence_once_and_no_copy_crosses_it(seed, share):
    rng = np.random.default_rng(seed)
    sequences = with_copies(rng)
    training, test = split_at_random(sequences, share, rng)
    assert sorted([*training, *test]) == list(range(60))
    assert len(training) and len(test)
    assert in_both([sequences[i] for i in training], [sequences[i] for i in test]).size == 0
    largest = max(Counter(same_or_reverse(sequences).tolist()).values())
    assert abs(len(test) - share * 60) <= largest
    assert (np.diff(training) > 0).all() and (np.diff(test) > 0).all()


def test_a_random_split_without_copies_has_the_size_asked_for_and_depends_on_the_generator_alone():
    sequences = sorted(set(letters(np.random.default_rng(0), 200, 30)))
    training, test = split_at_random(sequences, 0.15, np.random.default_rng(5))
    assert (len(training), len(test)) == (170, 30)
    again = split_at_random(Regions(sequences), 0.15, np.random.default_rng(5))
    assert all((one == other).all() for one, other in zip((training, test), again))
    assert (split_at_random(sequences, 0.15, np.random.default_rng(6))[1] != test).any()


def test_in_many_random_splits_each_sequence_is_tested_about_as_often():
    rng = np.random.default_rng(2)
    sequences = letters(rng, 40, 20)
    sequences[1], sequences[3] = sequences[0], reverse_complement(sequences[2])
    often = np.zeros(40)
    for _ in range(2000):
        often[split_at_random(sequences, 0.3, rng)[1]] += 1
    assert often[0] == often[1] and often[2] == often[3]
    assert abs(often / 2000 - 0.3).max() < 0.05  # the error of each share is 0.01


# --- the real ones -------------------------------------------------------------------------------


def test_the_shipped_peaks_are_regions_with_places():
    regions = read_regions(shipped("ctcf_peaks_200.fa"))
    records = read_fasta(shipped("ctcf_peaks_200.fa"))
    assert regions.sequences == tuple(record.sequence.upper() for record in records)
    assert [str(place) for place in regions.places] == [record.name for record in records]


@pytest.fixture(scope="module")
def peaks() -> Regions:
    try:
        return read_regions(fetch("ctcf-peaks")[0])
    except DataUnavailable as error:
        pytest.skip(str(error))


def test_no_ctcf_peak_is_a_copy_of_another_and_none_overlaps_another(peaks):
    assert (len(peaks), peaks.length) == (39_184, 100)
    assert len(without_unknown(peaks)) == len(peaks), "none has an N"
    assert same_or_reverse(peaks).max() + 1 == len(peaks)
    ordered = sorted(peaks.places)
    gaps = [b.start - a.end for a, b in zip(ordered, ordered[1:]) if a.chromosome == b.chromosome]
    assert min(gaps) == 99


def test_the_split_by_chromosomes_8_and_9(peaks):
    training, test = peaks.by_chromosome(["chr8", "chr9"])
    assert (len(training), len(test)) == (35_885, 3_299)
    assert in_both(training, test).size == 0


def test_no_sequence_of_the_primer_is_a_copy_of_another():
    try:
        files = {path.name: path for path in fetch("primer")}
    except DataUnavailable as error:
        pytest.skip(str(error))
    sequences = files["sequences.txt"].read_text("ascii").split()
    assert len(sequences) == same_or_reverse(sequences).max() + 1 == 2_000
