"""FASTA, BigWig and the lists that go with them: read as they stand, and what is wrong is said."""

import builtins
import gzip
import os
import sys
import tempfile
import time

import numpy as np
import pytest
from Bio import bgzf
from small_genome import SIZES, letters, per_base, small_genome, write_bigwig, write_fasta

from course_utils.genome_files import BigWig, Fasta, GenomeError, check_assembly
from course_utils.genome_tables import read_bed, read_track_table
from course_utils.windows import Place


@pytest.fixture
def folder(tmp_path):
    return small_genome(tmp_path / "게놈 ゲノム")


def pack(path):
    packed = path.with_name(path.name + ".gz")
    with bgzf.BgzfWriter(packed) as file:
        file.write(path.read_bytes())
    return packed


# --- FASTA ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("packed", [False, True])
def test_every_stretch_is_read_as_it_stands(folder, packed):
    path = pack(folder / "genome.fa") if packed else folder / "genome.fa"
    for _ in range(2):  # without an index, and with it
        with Fasta(path) as genome:
            assert genome.sizes == SIZES
            rng = np.random.default_rng(3)
            for name, text in letters().items():
                for _ in range(40):
                    start, end = sorted(rng.choice(len(text) + 1, 2, replace=False).tolist())
                    assert genome.letters(Place(name, start, end)) == text[start:end]
                assert genome.unknown(Place(name, 0, len(text))) == text.upper().count("N")
    endings = [".fai", ".gzi"] if packed else [".fai"]
    assert {file.name for file in folder.iterdir() if file.suffix in (".fai", ".gzi")} == {
        path.name + ending for ending in endings
    }


def test_lower_case_is_a_base_and_n_is_four_zeros(folder):
    with Fasta(folder / "genome.fa") as genome:
        one_hot = genome.one_hot(Place("chr3", 5, 15))
        assert one_hot.dtype == bool and one_hot[:5].sum() == 0 and (one_hot[5:].sum(axis=1) == 1).all()
        assert one_hot[5:].argmax(axis=1).tolist() == ["ACGT".index(base) for base in letters()["chr3"][10:15].upper()]


def test_line_ends_of_windows_are_no_bases(tmp_path):
    (tmp_path / "a.fa").write_bytes(b">a\r\nACGT\r\nACGT\r\nAC\r\n>b\r\nGG\r\n")
    with Fasta(tmp_path / "a.fa") as genome:
        assert genome.sizes == {"a": 10, "b": 2}
        assert genome.letters(Place("a", 3, 10)) == "TACGTAC"


def test_an_index_that_is_older_than_the_file_is_made_anew(folder):
    path = folder / "genome.fa"
    Fasta(path).close()
    write_fasta(path, {"other": "ACGT"})
    os.utime(path, (time.time() + 5, time.time() + 5))
    with Fasta(path) as genome:
        assert genome.sizes == {"other": 4} and genome.letters(Place("other", 1, 3)) == "CG"


def test_an_index_of_another_file_is_found_out(folder):
    path = folder / "genome.fa"
    Fasta(path).close()
    path.write_bytes(path.read_bytes()[:1000])
    os.utime(path, (1, 1))
    with Fasta(path) as genome, pytest.raises(GenomeError, match="chr2:0-100: it was cut short or changed after"):
        genome.letters(Place("chr2", 0, 100))


def test_a_folder_that_may_not_be_written_leaves_the_index_elsewhere(folder, monkeypatch):
    made = tempfile.TemporaryDirectory

    def refused(*arguments, dir=None, **named):
        if dir is not None:
            raise PermissionError(13, "Permission denied", str(dir))
        return made(*arguments, **named)

    monkeypatch.setattr(tempfile, "TemporaryDirectory", refused)
    before = sorted(folder.iterdir())
    with Fasta(folder / "genome.fa") as genome:
        assert genome.letters(Place("chr1", 0, 20)) == letters()["chr1"][:20]
        aside = genome._aside.name
        assert os.path.exists(aside)
    assert sorted(folder.iterdir()) == before and not os.path.exists(aside)


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("a.fa", b"", "no FASTA file .* begins with >"),
        ("a.fa", b"ACGT\n", "no FASTA file .* begins with >"),
        ("a.fa", b">a\nACGT\nAC\nACGT\n", "lines of a chromosome differ in length .*>a at line 3"),
        ("a.fa", b">a\nACGT\n>a\nACGT\n", "chromosome \"a\" is there twice"),
        ("a.fa", b">\nACGT\n", "no name"),
        ("a.fa", b">a\n\xff\xfe\n", "it is no text"),
        ("a.fa", gzip.compress(b">a\nACGT\n"), "packed by gzip.*bgzip"),
        ("a.fa.gz", gzip.compress(b">a\nACGT\n"), "packed by gzip.*bgzip"),
        ("a.fa.gz", b">a\nACGT\n", "named .gz and is not packed"),
    ],
)
def test_what_is_no_fasta_is_told_in_one_sentence(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GenomeError, match=words) as caught:
        Fasta(tmp_path / name)
    assert "\n" not in str(caught.value) and name in str(caught.value)
    assert [file.name for file in tmp_path.iterdir() if not file.name.endswith(".fai")] == [name]


def test_packed_files_that_were_cut_short_or_renamed_are_told(folder):
    whole = pack(folder / "genome.fa").read_bytes()
    for cut in (len(whole) // 2, len(whole) - 28, len(whole) - 3):
        (folder / "cut.fa.gz").write_bytes(whole[:cut])
        with pytest.raises(GenomeError, match="cut.fa.gz is no FASTA file .* cut short or damaged"):
            Fasta(folder / "cut.fa.gz")
    (folder / "b.fa").write_bytes(whole)
    with pytest.raises(GenomeError, match="a name that ends in .gz is expected"):
        Fasta(folder / "b.fa")


@pytest.mark.parametrize(
    "place, words",
    [
        (Place("1", 0, 5), "no chromosome '1'; it has chr1, another way to name it; its chromosomes are chr1, chr2"),
        (Place("chr9", 0, 5), "no chromosome 'chr9'; its chromosomes are"),
        (Place("chr1", 1990, 2001), "chr1:1990-2001 is no place in chr1, which has 2,000 bases .* another assembly"),
        (Place("chr1", -1, 5), "chr1:-1-5 is no place"),
        (Place("chr1", 5, 5), "chr1:5-5 is no place"),
    ],
)
def test_places_that_are_none_are_told(folder, place, words):
    with Fasta(folder / "genome.fa") as genome, pytest.raises(GenomeError, match=words):
        genome.letters(place)
    with pytest.raises(GenomeError, match=words):
        BigWig(folder / "plus.bw").values(place)


def test_a_letter_that_is_none_is_told_with_its_place(tmp_path):
    with Fasta(write_fasta(tmp_path / "a.fa", {"a": "ACGT*ACG"})) as genome:
        with pytest.raises(GenomeError, match=r"a:2-8 of .*letter '\*' at position 2"):
            genome.one_hot(Place("a", 2, 8))


@pytest.mark.parametrize("name", ["pyfaidx", "pybigtools"])
def test_a_package_that_is_missing_is_named_with_the_remedy(folder, monkeypatch, name):
    real = builtins.__import__

    def without(module, *others, **named):
        if module == name:
            raise ImportError
        return real(module, *others, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(GenomeError, match=f"{name} is not installed; `pip install pyfaidx pybigtools`"):
        Fasta(folder / "genome.fa") if name == "pyfaidx" else BigWig(folder / "plus.bw")


# --- BigWig --------------------------------------------------------------------------------------


def test_bases_without_a_number_count_0(folder):
    track = BigWig(folder / "plus.bw")
    assert track.sizes == SIZES
    for name, size in SIZES.items():
        assert track.values(Place(name, 0, size)).tolist() == per_base("plus.bw", name)
    write_bigwig(folder / "nan.bw", [("chr1", 2, 4, float("nan")), ("chr1", 4, 6, 2.0)])
    assert BigWig(folder / "nan.bw").values(Place("chr1", 0, 8)).tolist() == [0, 0, 0, 0, 2, 2, 0, 0]


def test_what_is_no_bigwig_is_told_and_nothing_is_printed(folder, capfd):
    whole = (folder / "plus.bw").read_bytes()
    for content, words in (
        (b"", "no BigWig file"),
        (b"track type=wiggle_0\n", "no BigWig file: its first bytes are b'trac'"),
        (whole[:40], "cut short"),
        (whole[: len(whole) // 2], "cut short"),
        (b"\xeb\xf2\x89\x87" + whole[4:], "BigBed"),
    ):
        (folder / "bad.bw").write_bytes(content)
        with pytest.raises(GenomeError, match=f"bad.bw .*{words}"):
            BigWig(folder / "bad.bw")
    assert capfd.readouterr() == ("", "")
    with pytest.raises(FileNotFoundError):
        BigWig(folder / "none.bw")


def test_numbers_that_are_damaged_are_told(folder):
    whole = bytearray((folder / "plus.bw").read_bytes())
    start = int.from_bytes(whole[16:24], "little")
    whole[start + 10 : start + 60] = bytes(50)
    (folder / "bad.bw").write_bytes(whole)
    with pytest.raises(GenomeError, match="bad.bw is no whole BigWig"):
        BigWig(folder / "bad.bw").values(Place("chr1", 0, 1000))  # pybigtools panics, which is no Exception


def test_a_track_of_another_assembly_is_refused(folder):
    with Fasta(folder / "genome.fa") as genome:
        check_assembly(genome, BigWig(folder / "plus.bw"))
        write_bigwig(folder / "more.bw", [("chr1", 0, 5, 1.0)], {"chr1": 2000, "chrM": 30})
        check_assembly(genome, BigWig(folder / "more.bw"))
        write_bigwig(folder / "other.bw", [("chr2", 0, 5, 1.0)], {"chr1": 2000, "chr2": 1101})
        with pytest.raises(GenomeError, match="other.bw is of another assembly .*chr2 has 1,101 .* and 1,100"):
            check_assembly(genome, BigWig(folder / "other.bw"))
        write_bigwig(folder / "named.bw", [("1", 0, 5, 1.0)], {"1": 2000})
        for names in (None, ()):
            with pytest.raises(GenomeError, match="no chromosome '1'; it has chr1"):
                check_assembly(genome, BigWig(folder / "named.bw"), names)


def test_only_chromosomes_that_are_used_need_the_length_of_the_genomes(folder):
    write_bigwig(folder / "other.bw", [("chr2", 0, 5, 1.0)], {"chr1": 2000, "chr2": 1101})
    with Fasta(folder / "genome.fa") as genome:
        check_assembly(genome, BigWig(folder / "other.bw"), ["chr1", "chr3"])
        with pytest.raises(GenomeError, match="other.bw is of another assembly .*chr2 has 1,101"):
            check_assembly(genome, BigWig(folder / "other.bw"), ["chr1", "chr2"])


# --- lists ---------------------------------------------------------------------------------------


def test_stretches_are_read_past_heads_and_comments(tmp_path):
    content = "browser hide all\ntrack name=x\n# a comment\n\nchr1\t10\t20\tpeak 1\t5\nchr2 0 7\r\n"
    (tmp_path / "a.bed").write_bytes(content.encode())
    (tmp_path / "a.bed.gz").write_bytes(gzip.compress(content.encode()))
    for name in ("a.bed", "a.bed.gz"):
        assert read_bed(tmp_path / name) == (Place("chr1", 10, 20), Place("chr2", 0, 7))


@pytest.mark.parametrize(
    "content, words",
    [
        (b"chr1\t5\n", "line 1 of .*'chr1.t5'"),
        (b"chr1\t5\t9\nchr1\t9\t9\n", "line 2"),
        (b"chr1\t-5\t9\n", "line 1"),
        (b"chr1\tone\t9\n", "line 1"),
        (b"# nothing\n", "no stretch"),
        (gzip.compress(b"chr1\t5\t9\n")[:-9], "truncated or damaged"),
        (b"chr\xff\t1\t2\n", "no text"),
    ],
)
def test_what_is_no_bed_is_told(tmp_path, content, words):
    (tmp_path / "a.bed").write_bytes(content)
    with pytest.raises(GenomeError, match=words):
        read_bed(tmp_path / "a.bed")


def test_a_table_of_tracks_is_read(folder):
    tracks, swap = read_track_table(folder / "targets.txt")
    assert [track.label for track in tracks] == ["C1+ CAGE: heart", "C1- CAGE: heart", "D1 DNase", "D2"]
    assert [track.path.name for track in tracks] == ["plus.bw", "minus.bw", "dnase.bw", "dnase.bw"]
    assert all(track.path.exists() for track in tracks)
    assert [(track.clip, track.scale, track.mean) for track in tracks] == [
        (None, 1, False), (None, -1, False), (3, 0.5, True), (40, 2, False),
    ]  # fmt: skip
    assert swap == (1, 0, 2, 3)
    (folder / "short.txt").write_text("identifier\tfile\nA\tb/c.bw\n")
    assert read_track_table(folder / "short.txt") == (((("A", "b/c.bw", folder / "b/c.bw", None, 1.0, False)),), None)


def table(tmp_path, text):
    (tmp_path / "targets.txt").write_text(text, "utf-8")
    return read_track_table(tmp_path / "targets.txt")


def test_a_quotation_mark_is_a_letter_and_swallows_no_rows(tmp_path):
    tracks, _ = table(tmp_path, 'identifier\tfile\tdescription\nA\ta.bw\t"5\' end"\nB\tb.bw\t"open\nC\tc.bw\t\n')
    assert [track.label for track in tracks] == ['A "5\' end"', 'B "open', "C"]


def pairs(names, rows, head=""):
    rows = "".join(f"{number}\t{name}\t{name}.bw\t{pair}\n" for name, (number, pair) in zip(names, rows))
    return f"{head}\tidentifier\tfile\tstrand_pair\n{rows}"


@pytest.mark.parametrize("head", ["", "index"])
def test_a_strand_pair_names_its_row_also_in_a_table_that_was_reordered_or_cut(tmp_path, head):
    rows = [(0, 1), (1, 0), (2, 2), (3, 4), (4, 3)]
    assert table(tmp_path, pairs("ABCDE", rows, head))[1] == (1, 0, 2, 4, 3)
    assert table(tmp_path, pairs("DBEA", [rows[3], rows[1], rows[4], rows[0]], head))[1] == (2, 3, 0, 1)
    assert table(tmp_path, pairs("CDE", rows[2:], head))[1] == (0, 2, 1)
    with pytest.raises(GenomeError, match="line 3 of .*txt has the strand_pair '4', and no row has this .* are 2, 3$"):
        table(tmp_path, pairs("CD", rows[2:4], head))
    with pytest.raises(GenomeError, match="line 3 of .*txt has the number '2', as does line 2; one of its own"):
        table(tmp_path, pairs("CD", [(2, 2), (2, 2)], head))


def test_without_numbers_of_rows_they_count_from_0(tmp_path):
    rows = "".join(f"{name}\t{name}.bw\t{pair}\t\n" for name, pair in zip("ABC", (2, 1, 0)))
    assert table(tmp_path, f"identifier\tfile\tstrand_pair\t\n{rows}")[1] == (2, 1, 0)  # the last column is empty


def test_messages_name_the_line_of_the_file(tmp_path):
    with pytest.raises(GenomeError, match="line 4 of .*targets.txt has no file"):
        table(tmp_path, "identifier\tfile\nA\ta.bw\n\nB\t\n")


HEAD = "identifier\tfile\tclip\tclip_soft\tscale\tsum_stat\tstrand_pair\n"


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "no track"),
        (HEAD, "no track"),
        ("identifier\tpath\nA\ta.bw\n", "no column 'file'; it has identifier, path"),
        ("identifier file\nA a.bw\n", "no column 'identifier'.*tabs"),
        (HEAD + "A\t\n", "line 2 of .* has no file"),
        (HEAD + "A\ta.bw\t0\n", "line 2 .* the clip 0"),
        (HEAD + "A\ta.bw\tmany\n", "the clip 'many'; a number"),
        (HEAD + "A\ta.bw\t9\t5\n", "the clip_soft '5'; none is expected"),
        (HEAD + "A\ta.bw\t\t\tnan\n", "the scale 'nan'"),
        (HEAD + "A\ta.bw\t\t\t0\n", "the scale 0"),
        (HEAD + "A\ta.bw\t\t\t1\tsum_sqrt\n", "the sum_stat 'sum_sqrt'; 'sum' or 'mean' .* counts"),
        (HEAD + "A\ta.bw\t\t\t1\tsum\t1\n", "line 2 .* strand_pair '1', and no row has this number; they are 0$"),
        (HEAD + "A\ta.bw\t\t\t1\tsum\tx\n", "has the strand_pair 'x', and no row has this number"),
        (HEAD + "A\ta.bw\t\t\t1\tsum\t0\tmore\n", "line 2 of .* more columns"),
        (HEAD + "A\ta.bw\t\t\t\t\t1\nB\tb.bw\t\t\t\t\t1\n", "line 2 of .* strand_pair 1, whose own strand_pair is 1"),
    ],
)
def test_tables_that_cannot_be_are_told(tmp_path, text, words):
    (tmp_path / "targets.txt").write_text(text)
    with pytest.raises(GenomeError, match=words):
        read_track_table(tmp_path / "targets.txt")
