"""Bad input is answered in plain words: this runs the one table of it, ``bad_input.toml``."""

import ast
import gzip
import pkgutil
import tomllib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from local_web import BODY, Web, refused_url, toy
from small_genome import SIZES, small_genome, write_bigwig
from small_genome import TABLE as TRACKS
from window_files import basenji, h5

import course_utils
from course_utils.exercises import Exercise
from course_utils.explorers._tracks_data import check_tracks
from course_utils.genome_files import BigWig, Fasta
from course_utils.hdf5_making import Layout
from course_utils.graphs import simulate_network
from course_utils.models.families import AutoEncoder, Convolutional, FullyConnected, GraphConvolutional
from course_utils.models.motif_cnn import MotifCNN, TinyMotifCNN
from course_utils.motifs import Motif
from course_utils.negatives import GenomicWindow
from course_utils.regions import Regions
from course_utils.scanning import score_distribution
from course_utils.windows import Place, Windows

TABLE = Path(__file__).with_name("bad_input.toml")
ROWS = tomllib.loads(TABLE.read_text("utf-8"))["row"]

_GZ = gzip.compress(BODY, mtime=0)
_GOOD_ENTRY = b"""[[dataset]]
name = "good"
about = "a"
assembly = "none"
licence = "CC0"
citation = "nobody"
source = "https://example.org/"
files = []
"""

_JASPAR = b">MA1.1 ONE\nA [ 3 0 1 ]\nC [ 0 3 0 ]\nG [ 0 0 2 ]\nT [ 1 1 1 ]\n"
_MEME = b"""MEME version 4

ALPHABET= ACGT

MOTIF MA1.1 ONE
letter-probability matrix: alength= 4 w= 3 nsites= 4 E= 0
0.75 0.00 0.00 0.25
0.00 0.75 0.00 0.25
0.25 0.00 0.50 0.25
"""
_TRANSFAC = b"""AC  MA1.1
ID  ONE
P0  A  C  G  T
01  3  0  0  1
02  0  3  0  1
03  1  0  2  1
//
"""

#: File name -> content; a row calls them ``files.empty_fa`` and so on.
FILES = {
    "plain_fa": BODY,
    "empty_fa": b"",
    "blank_fa": b" \n\r\n\t\n",
    "empty_gz": gzip.compress(b"", mtime=0),
    "only_header_fa": b">chr1\nACGT\n>chr2\n",
    "cut_gz": _GZ[: len(_GZ) // 2],
    "damaged_gz": _GZ[:-8] + b"\0" + _GZ[-7:],
    "binary_fa": b">x\x00\x01\x02\nACGT\n",
    "broken_utf8_fa": b">chr\xff\nACGT\n",
    "table_csv": b"chrom,start,end\nchr1,10,20\n",
    "bad_letter_fa": b">chr1\nACGT\n>chr2 second\nACG\nTA*\n",
    "rna_fa": b">mir-1\nAGUU\n",
    "plain_jaspar": _JASPAR,
    "cut_number_jaspar": _JASPAR + _JASPAR[:-5],
    "cut_head_jaspar": _JASPAR + b">MA2.1 TWO\n",
    "no_t_jaspar": _JASPAR.replace(b"T [ 1 1 1 ]\n", b"") + _JASPAR,
    "two_c_jaspar": _JASPAR.replace(b"G [", b"C ["),
    "uneven_jaspar": _JASPAR.replace(b"0 0 2", b"0 2"),
    "no_numbers_jaspar": _JASPAR.replace(b"3 0 1", b""),
    "negative_jaspar": _JASPAR.replace(b"0 0 2", b"0 0 -2"),
    "nan_jaspar": _JASPAR.replace(b"0 0 2", b"0 nan 2"),
    "letters_jaspar": _JASPAR.replace(b"0 0 2", b"0 o 2"),
    "nameless_jaspar": _JASPAR.replace(b"MA1.1 ONE", b" "),
    "head_alone_meme": b"MEME version 4\n\nALPHABET= ACGT\n",
    "cut_row_meme": _MEME[:-5],
    "cut_number_meme": _MEME[:-3],
    "two_rows_meme": _MEME[:-20],
    "width_meme": _MEME.replace(b"w= 3", b"w= 4"),
    "no_matrix_meme": _MEME.split(b"letter")[0],
    "protein_meme": _MEME.replace(b" 0.25\n", b" 0.15 0.10\n"),
    "counts_meme": _MEME.replace(b"0.00 0.75 0.00", b"0 3 0"),
    "sites_meme": _MEME.replace(b"nsites= 4", b"nsites= four"),
    "rna_meme": _MEME.replace(b"ACGT", b"ACGU"),
    "no_end_transfac": _TRANSFAC + _TRANSFAC[:-3],
    "skipped_transfac": _TRANSFAC.replace(b"02  0  3  0  1\n", b""),
    "short_row_transfac": _TRANSFAC.replace(b"0  3  0  1", b"0  3  0"),
    "lost_row_transfac": _TRANSFAC.replace(b"03", b"O3"),
    "lost_ends_transfac": _TRANSFAC[:-3] + _TRANSFAC + b"CC  none\n//\n",
    "no_accession_transfac": _TRANSFAC + _TRANSFAC.replace(b"  MA1.1", b""),
    "nameless_transfac": _TRANSFAC[_TRANSFAC.index(b"P0") :],
    "references_transfac": _TRANSFAC.replace(b"ID", b"RX  PUBMED: 1\nID"),
    "no_rows_transfac": b"AC  MA1.1\nP0  A  C  G  T\nXX\n//\n",
    "no_p0_transfac": _TRANSFAC.replace(b"P0  A  C  G  T\n", b"") + _TRANSFAC,
    "columns_transfac": _TRANSFAC.replace(b"A  C  G  T", b"A  T  G  C"),
    "no_matrix_transfac": b"VV  version 1\nXX\n//\n",
    "uneven_fa": b">chr1:0-4\nACGT\n>chr2:0-6\nACGTAC\n",
    "some_places_fa": b">chr1:0-4\nACGT\n>peak_2\nACGT\n",
    "closed_places_fa": b">chr1:1-4\nACGT\n",
    "whole_h5": h5(),
    "no_out_h5": h5(train_out=None),
    "cut_h5": h5()[:-100],
    "nan_h5": h5(train_out=np.full((3, 4, 2), np.nan, "f2")),
    "whole_tfr": basenji(),
    "cut_tfr": basenji()[:-10],
    "no_target_tfr": basenji(target=None),
    "no_toml": b"this is no registry\n",
    "binary_toml": b"\xff\xfe\n",
    "single_brackets_toml": b'[dataset]\nname = "alone"\n',
    "no_source_toml": b'[[dataset]]\nname = "bare"\nfiles = []\n',
    "no_checksum_toml": _GOOD_ENTRY
    + b'[[dataset]]\nname = "bad"\nsource = "https://example.org/"\n'
    + b'files = [{ path = "a.fa", url = "a.fa", bytes = 3 }]\n',
}


@pytest.fixture(scope="module")
def web():
    """Addresses that do not give what the registry promises, and one that does."""
    with pytest.MonkeyPatch.context() as patch, Web() as server:
        patch.setenv("NO_PROXY", "127.0.0.1")
        yield SimpleNamespace(
            right=server.serve("/right.fa"),
            other_bytes=server.serve("/other.fa", BODY[::-1]),
            cut_short=server.serve("/cut_short.fa", BODY[:10_000], announced=len(BODY)),
            missing=server.url("/missing.fa"),
            nobody=refused_url(),
        )


@pytest.fixture(scope="module")
def genome(tmp_path_factory):
    """A small genome with its tracks, beside files that do not go with it; made once, so no row may change it."""
    folder = small_genome(tmp_path_factory.mktemp("genome"))
    Fasta(folder / "genome.fa").close()  # the index is there
    (folder / "gzip.fa.gz").write_bytes(_GZ)
    (folder / "uneven.fa").write_bytes(b">a\nACGT\nAC\nACGT\n")
    plus = (folder / "plus.bw").read_bytes()
    (folder / "cut.bw").write_bytes(plus[: len(plus) // 2])
    write_bigwig(folder / "other.bw", [("chr1", 0, 9, 1.0)], SIZES | {"chr1": 2001})
    write_bigwig(folder / "chr1.bw", [("chr1", 0, 9, 1.0)], {"chr1": 2000})
    for name, value in (("below_0", -2.0), ("infinite", np.inf), ("large", 40_000.0)):
        write_bigwig(folder / f"{name}.bw", [("chr1", 4, 8, value)])
    for name in ("none", "cut", "other", "chr1", "below_0", "infinite", "large"):
        (folder / f"{name}.txt").write_text(TRACKS.replace("plus.bw", f"{name}.bw"), "utf-8")
    for name, old, new in (
        ("no_file", "\tfile", "\tpath"),
        ("roots", "mean", "sum_sqrt"),
        ("soft", "clip", "clip_soft"),
        ("partners", "\t1\tCAGE", "\t2\tCAGE"),
        ("scale", "-1", "nan"),
        ("clip", "\t3\t", "\t-3\t"),
    ):
        (folder / f"{name}.txt").write_text(TRACKS.replace(old, new), "utf-8")
    (folder / "past.bed").write_text("chr1\t1900\t2001\n")
    (folder / "one.bed").write_text("chr1\t5\n")
    before = files_below(folder)
    yield SimpleNamespace(
        at=folder,
        fa=folder / "genome.fa",
        targets=folder / "targets.txt",
        sizes=SIZES,
        choices={"valid": "chr2", "test": "chr3", "length": 128, "bin_size": 32, "progress": False},
        splits={"valid": "chr2", "test": "chr3", "length": 128},
        layout=Layout({"train": 2}, 8, 4, ("a",)),
        batches=lambda **wrong: lambda split, start, stop: {"in": np.zeros((2, 8, 4), bool), "out": np.ones((2, 4, 1))} | wrong,
        assembly=lambda: (Fasta(folder / "genome.fa"), BigWig(folder / "other.bw")),
    )  # fmt: skip
    assert files_below(folder) == before


def pairs(labels=(0, 1), length: int = 20, value: float = 0.0) -> torch.utils.data.TensorDataset:
    """A training set with these labels; all inputs (N, 4, length) hold one value."""
    labels = torch.as_tensor(labels)
    return torch.utils.data.TensorDataset(torch.full((len(labels), 4, length), value), labels)


def settings(model: torch.nn.Module, **changes) -> dict:
    """What `fit` needs beside a model and data."""
    return {
        "loss": torch.nn.CrossEntropyLoss(),
        "optimizer": torch.optim.Adam(model.parameters()),
        "epochs": 1,
        "generator": torch.Generator().manual_seed(1),
    } | changes


@pytest.fixture
def names(tmp_path, web, genome):
    """The names that a row's ``input`` may use."""
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    cache, odd_cache = tmp_path / "cache", tmp_path / "odd_cache"
    (cache / "toy").mkdir(parents=True)
    (cache / "toy/toy.fa").write_bytes(b">an old copy\nACGT\n")
    (odd_cache / "toy/toy.fa").mkdir(parents=True)  # a folder where a file is expected
    for name, model in (("whole", MotifCNN()), ("cut", MotifCNN()), ("tiny", TinyMotifCNN())):
        (tmp_path / name).mkdir()
        torch.save({"model": model.state_dict()}, tmp_path / name / "last.pt")
    whole = (tmp_path / "whole/last.pt").read_bytes()
    (tmp_path / "cut/last.pt").write_bytes(whole[: len(whole) // 2])
    net = MotifCNN()
    return {
        "np": np,
        "torch": torch,
        "pairs": pairs,
        "net": net,
        "settings": lambda **changes: settings(net, **changes),
        "checkpoints": SimpleNamespace(**{name: tmp_path / name for name in ("whole", "cut", "tiny")}),
        "files": SimpleNamespace(folder=tmp_path, **{name: tmp_path / name for name in FILES}),
        "web": web,
        "genome": genome,
        "Place": Place,
        "toy": toy,
        "cache": cache,
        "new_cache": tmp_path / "new_cache",
        "odd_cache": odd_cache,
        "Motif": Motif,
        "windows": lambda tracks=np.ones((2, 4, 1)): Windows(np.zeros((2, 8, 4), bool), tracks, ["a"]),
        "Windows": Windows,
        "Regions": Regions,
        "genomic": lambda letters, end=4: GenomicWindow(letters, Place("chr1", 0, end), "hg19"),
        "distribution": score_distribution(np.log2(0.96 * np.eye(4) + 0.01) + 2),
        "track_set": check_tracks(np.ones((1, 8, 1)), {"a": np.ones((1, 8, 1))}),
        "network": simulate_network(30, rng=np.random.default_rng(0)),
        "dnn": FullyConnected(50, 5),
        "cnn": Convolutional(5),
        "gcn": GraphConvolutional(3, 4, 2),
        "auto_encoder": AutoEncoder(60),
        "double": Exercise(lambda number: 2 * number, lambda rng: [(1,), (5,)]),
    }


def files_below(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(row: dict, names: dict):
    call = names.get(row["call"]) or pkgutil.resolve_name(f"course_utils.{row['call']}")
    return eval(f"call({row['input']})", {**names, "call": call})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['call']}({row['input']})"[:80])
def test_bad_input_is_answered_in_plain_words_and_leaves_no_trace(row, names, tmp_path):
    before = files_below(tmp_path)
    if "raises" in row:
        with pytest.raises(Exception) as caught:
            run(row, names)
        error = caught.value
        assert type(error).__name__ == row["raises"], repr(error)
        assert isinstance(error, (ValueError, OSError))
        assert error.__context__ is None or error.__suppress_context__, "another traceback shows"
        said = str(error)
    else:
        said = repr(run(row, names))
    assert [words for words in row["says"] if words not in said] == [], said
    assert "\n" not in said or "raises" not in row, "a message is one sentence"
    assert files_below(tmp_path) == before


def test_the_table_has_the_fields_it_explains_and_no_row_twice():
    for row in ROWS:
        assert {"call", "input", "says"} <= row.keys() <= {"call", "input", "says", "raises"}
        assert row["says"] and all(row["says"])
    calls = [(row["call"], row["input"]) for row in ROWS]
    assert len(calls) == len(set(calls))


def functions_that_raise() -> list[str]:
    """Dotted names of the public functions of the package whose docstring has "Raises:"."""
    found = []
    for folder in course_utils.__path__:
        for path in sorted(Path(folder).rglob("*.py")):
            room = ".".join(path.relative_to(folder).with_suffix("").parts)
            for node in ast.parse(path.read_text("utf-8")).body:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                    if "Raises:" in (ast.get_docstring(node) or ""):
                        found.append(f"{room.removesuffix('.__init__')}.{node.name}")
    return found


def test_every_function_that_says_it_raises_has_a_row():
    assert len(functions_that_raise()) > 8
    assert set(functions_that_raise()) <= {row["call"] for row in ROWS}
