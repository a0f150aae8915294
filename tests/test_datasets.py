"""Data: a fetched file is whole or absent, the registry says everything, excerpts are honest."""

import _thread
import gzip
import os
import re
import signal
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import pytest
from local_web import BODY, Web, refused_url, toy

from course_utils import datasets
from course_utils.sequences import read_fasta

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = datasets.read_registry()
FILES = [file for dataset in REGISTRY.values() for file in dataset.files]


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Web() as web:
        yield web


def below(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


# --- fetch ---------------------------------------------------------------------------------------


def test_a_file_is_fetched_once_and_then_read_from_the_cache(web, tmp_path):
    registry = toy(web.serve("/toy.fa"))
    (first,) = datasets.fetch("toy", folder=tmp_path, registry=registry)
    (second,) = datasets.fetch("toy", folder=tmp_path, registry=registry)
    assert first == second == tmp_path / "toy/toy.fa"
    assert first.read_bytes() == BODY
    assert web.requests == ["/toy.fa"]


def test_a_cached_file_needs_no_network(tmp_path):
    path = tmp_path / "toy/toy.fa"
    path.parent.mkdir()
    path.write_bytes(BODY)
    assert datasets.fetch("toy", folder=tmp_path, registry=toy(refused_url())) == [path]


def test_a_fetch_shows_its_progress_and_a_cached_file_shows_nothing(web, tmp_path, capsys):
    registry = toy(web.serve("/toy.fa"))
    datasets.fetch("toy", folder=tmp_path, registry=registry)
    shown = capsys.readouterr()
    assert "100%" in shown.err and shown.out == ""
    datasets.fetch("toy", folder=tmp_path, registry=registry)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("damage", [BODY[:-1], BODY.replace(b"A", b"C"), b""])
def test_a_damaged_file_in_the_cache_is_fetched_again(web, tmp_path, damage):
    path = tmp_path / "toy/toy.fa"
    path.parent.mkdir()
    path.write_bytes(damage)
    registry = toy(web.serve("/toy.fa"))
    assert not datasets.is_cached(registry["toy"], tmp_path)
    datasets.fetch("toy", folder=tmp_path, registry=registry)
    assert path.read_bytes() == BODY
    assert datasets.is_cached(registry["toy"], tmp_path)


def test_two_fetches_side_by_side_both_get_the_whole_file(web, tmp_path):
    both_under_way = threading.Barrier(2, timeout=10)
    registry = toy(web.serve("/toy.fa", pause=both_under_way.wait))
    with ThreadPoolExecutor(2) as pool:
        fetches = [
            pool.submit(datasets.fetch, "toy", folder=tmp_path, registry=registry) for _ in range(2)
        ]
        paths = [fetch.result(timeout=20) for fetch in fetches]
    assert paths[0] == paths[1] and paths[0][0].read_bytes() == BODY
    assert len(web.requests) == 2
    assert below(tmp_path) == ["toy/toy.fa"]


FETCH_AND_SAY = """
import sys
from pathlib import Path
from local_web import toy
from course_utils import datasets
datasets.fetch("toy", folder=Path(sys.argv[1]), registry=toy(sys.argv[2]))
"""


def test_a_fetch_that_is_killed_leaves_no_half_file_under_the_final_name(web, tmp_path):
    half_way, go_on = threading.Event(), threading.Event()

    def pause():
        half_way.set()
        go_on.wait(timeout=30)

    url = web.serve("/toy.fa", pause=pause)
    child = subprocess.Popen(
        [sys.executable, "-c", FETCH_AND_SAY, tmp_path, url],
        cwd=Path(__file__).parent,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert half_way.wait(timeout=30)
        child.kill()
    finally:
        child.wait()
        go_on.set()
    assert not (tmp_path / "toy/toy.fa").exists()
    assert not datasets.is_cached(toy(url)["toy"], tmp_path)
    web.serve("/toy.fa")
    (path,) = datasets.fetch("toy", folder=tmp_path, registry=toy(url))
    assert path.read_bytes() == BODY


@pytest.fixture
def ctrl_c_counts():
    """A program that a shell has put into the background ignores Ctrl-C, and so would the test."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_fetch_that_is_interrupted_leaves_nothing(web, tmp_path, ctrl_c_counts):
    url = web.serve("/toy.fa", pause=_thread.interrupt_main)
    with pytest.raises(KeyboardInterrupt):
        datasets.fetch("toy", folder=tmp_path, registry=toy(url))
    assert below(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_fetched_file_can_be_read_by_all_who_can_read_its_folder(web, tmp_path):
    (tmp_path / "toy").mkdir()
    for mode in (0o755, 0o700):
        (tmp_path / "toy").chmod(mode)
        (path,) = datasets.fetch("toy", folder=tmp_path, registry=toy(web.serve("/toy.fa")))
        assert stat.S_IMODE(path.stat().st_mode) == mode & 0o666
        path.unlink()


def test_a_notebook_shows_the_sentence_and_no_traceback():
    error = datasets.DataUnavailable("fetch it once")
    assert error._render_traceback_() == ["DataUnavailable: fetch it once"]


# --- the cache folder and the commands -----------------------------------------------------------


@pytest.fixture
def toy_course(web, tmp_path, monkeypatch):
    """The collection's registry is the toy one, and the cache a new folder."""
    registry = toy(web.serve("/toy.fa"))
    monkeypatch.setattr(datasets, "read_registry", lambda path=None: registry)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


def test_the_environment_variable_moves_the_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert datasets.cache_folder() == tmp_path
    monkeypatch.delenv("COURSE_DATA")
    assert "course-utils" in str(datasets.cache_folder())


def test_list_fetch_and_empty_work_from_the_command_line(toy_course, capsys):
    assert datasets.main(["list"]) == 0
    said = capsys.readouterr().out
    assert str(toy_course) in said and "not fetched" in said and "CC0" in said and "20 KB" in said

    assert datasets.main(["fetch", "toy"]) == 0
    assert capsys.readouterr().out.strip() == str(toy_course / "toy/toy.fa")
    datasets.main(["list"])
    assert "in the cache" in capsys.readouterr().out

    assert datasets.main(["empty"]) == 0
    assert "20 KB freed" in capsys.readouterr().out
    assert below(toy_course) == []
    assert datasets.main(["empty"]) == 0
    assert "0 KB freed" in capsys.readouterr().out


def test_empty_deletes_the_registered_files_and_nothing_else(toy_course):
    datasets.fetch("toy")
    (toy_course / "mine.fa").write_text(">mine\nACGT\n")
    (toy_course / "toy/mine too.fa").write_text(">mine\nACGT\n")
    assert datasets.empty() == len(BODY)
    assert below(toy_course) == ["mine.fa", "toy/mine too.fa"]


def test_empty_removes_the_folders_that_it_emptied(toy_course):
    datasets.fetch("toy")
    datasets.empty()
    assert list(toy_course.iterdir()) == []


def test_a_command_that_fails_says_so_in_one_sentence_on_stderr(toy_course, capsys):
    assert datasets.main(["fetch", "tyo"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "" and "no dataset 'tyo'" in shown.err and "\n" not in shown.err.strip()


def test_the_module_is_a_command(tmp_path):
    listed = subprocess.run(
        [sys.executable, "-m", "course_utils.datasets", "list"],
        env={**os.environ, "COURSE_DATA": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    for name in REGISTRY:
        assert re.search(rf"^{name} .*not fetched", listed.stdout, re.MULTILINE)
    assert listed.stderr == ""


# --- the registry --------------------------------------------------------------------------------


def test_every_dataset_says_what_it_is_whose_it_is_and_which_assembly_it_counts_in():
    for name, dataset in REGISTRY.items():
        for field in ("about", "assembly", "licence", "citation"):
            assert getattr(dataset, field).strip(), f"{name} has no {field}"
        assert re.match(r"hg19|hg38|none|not stated", dataset.assembly), name
        assert dataset.files, f"{name} has no files"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.path)
def test_every_file_has_a_fixed_address_a_size_and_a_checksum(file):
    assert re.fullmatch(r"https://\S+/[0-9a-f]{40}/\S+", file.url), "not at a fixed commit"
    assert file.bytes > 0
    assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
    path = PurePosixPath(file.path)
    assert not path.is_absolute() and ".." not in path.parts and len(path.parts) > 1
    assert path.name == PurePosixPath(file.url).name


def test_no_name_path_or_checksum_stands_in_the_registry_twice():
    text = (ROOT / "data/registry.toml").read_text("utf-8")
    names = re.findall(r'^name = "(.*)"', text, re.MULTILINE)
    assert names == list(REGISTRY)
    for field in ("path", "url", "sha256"):
        values = [getattr(file, field) for file in FILES]
        assert len(values) == len(set(values)), field


def test_the_files_in_the_cache_are_the_registered_ones():
    folder = datasets.cache_folder()
    there = [file for file in FILES if (folder / file.path).is_file()]
    if not there:
        pytest.skip(f"no registered file is in the cache {folder}")
    damaged = [f.path for f in there if datasets._state(folder / f.path, f) != "right"]
    assert damaged == []


# --- the excerpts that travel with the package ---------------------------------------------------


def fetched(name: str) -> Path:
    try:
        return datasets.fetch(name)[0]
    except datasets.DataUnavailable as error:
        pytest.skip(str(error))


def test_the_shipped_peaks_are_the_first_200_registered_ones_as_they_stand():
    with gzip.open(fetched("ctcf-peaks")) as file:
        lines = file.read().splitlines(keepends=True)
    starts = [number for number, line in enumerate(lines) if line.startswith(b">")]
    assert len(starts) == 39_184
    assert datasets.shipped("ctcf_peaks_200.fa").read_bytes() == b"".join(lines[: starts[200]])


def test_the_shipped_telomere_is_cut_from_the_registered_megabase():
    (chromosome,) = read_fasta(fetched("hg38-megabase"))
    assert len(chromosome.sequence) == 1_000_000
    assert chromosome.sequence.upper().count("N") == 160_000
    (telomere,) = read_fasta(datasets.shipped("telomere.fa"))
    assert telomere.name == "chr1:9960-10060 hg38"
    assert telomere.sequence == chromosome.sequence[9960:10_060]


def test_the_shipped_promoter_is_cut_from_the_registered_gata4_locus():
    (locus,) = read_fasta(fetched("gata4"))
    (promoter,) = read_fasta(datasets.shipped("gata4_promoter.fa"))
    assert promoter.sequence == locus.sequence[57_344:73_728]
    assert len(promoter.sequence) == 16_384
    # Counted from the locus's own header.
    chromosome, start = re.match(r"(chr\w+):(\d+)-", locus.name).groups()
    start = int(start) + 57_344
    assert promoter.name == f"{chromosome}:{start}-{start + 16_384}"


def test_the_readme_of_the_data_names_every_file_that_travels():
    readme = (ROOT / "data/README.md").read_text("utf-8")
    for path in (ROOT / "data").iterdir():
        if path.is_file() and path.suffix not in (".py", ".md"):
            assert f"`{path.name}`" in readme
            assert datasets.shipped(path.name).read_bytes() == path.read_bytes()
