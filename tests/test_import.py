"""What importing the package does, which is nothing, and which room may use which."""

import ast
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import course_utils

PACKAGE = Path(course_utils.__file__).parent
MODULES = sorted(m.name for m in pkgutil.walk_packages(course_utils.__path__, "course_utils."))

#: A room may use the rooms on lower floors. Rooms that later lessons add have their floor already.
FLOORS = (
    {"checks", "files"},
    {
        "sequences", "progress", "checkpoints", "receptive_fields", "schedules", "losses", "batches", "processes",
        "graphs", "expression",
    },
    {"data", "motif_formats", "augmentation"},
    {"motifs", "shuffles", "datasets", "windows", "kmers"},
    {
        "scanning", "backgrounds", "tfrecords", "hdf5_windows", "shared_words", "regions", "motif_matching",
        "genome_files", "window_layout",
    },
    {"simulation", "negatives", "packed_windows", "hdf5_making", "genome_tables", "window_plan"},
    {"likelihoods", "genomes", "window_making"},
    {"ceilings"},
    {"models", "family_tasks"},
    {"training_checks"},
    {"training_state"},
    {"training", "training_log"},
    {"evaluation", "interpretation", "filter_motifs"},
    {"attribution", "intervals", "tracks"},
    {"plotting", "synthetic_windows"},
    {"attribution_logos", "full_size"},
    {"explorers", "exercises", "notebook", "server"},
)  # fmt: skip
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
TORCH_ROOMS = {
    "attribution", "augmentation", "batches", "checkpoints", "filter_motifs", "full_size", "interpretation", "losses",
    "models", "packed_windows", "processes", "training", "training_checks", "training_log",
    "training_state",
}  # fmt: skip

# Runs in a fresh interpreter: imports the modules named in its arguments, one by one, and says what
# each of them changed. Bytecode files are switched off, so that no write is legitimate.
PROBE = """
import contextlib, importlib, io, json, os, random, sys

CHANGES = ("os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.chmod", "os.chdir", "os.symlink",
           "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system", "os.putenv")
deeds = []

def watch(event, arguments):
    if event in CHANGES:
        deeds.append(f"{event} {arguments!r}")
    elif event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        deeds.append(f"writes {arguments[0]!r}")

def state():
    numpy = sys.modules.get("numpy")
    return (random.getstate(), numpy and numpy.random.get_state()[1].tolist(), os.getcwd())

first, *others = sys.argv[1:]
if first == "numpy":
    import numpy
sys.addaudithook(watch)
report = {}
for name in [first, *others]:
    before, known, said = state(), set(sys.modules), io.StringIO()
    deeds.clear()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        importlib.import_module(name)
    report[name] = {
        "deeds": list(deeds),
        "printed": said.getvalue(),
        "changed": state() != before,
        "loaded": sorted({module.split(".")[0] for module in set(sys.modules) - known}),
    }
print(json.dumps(report))
"""


def probe(*modules: str) -> dict[str, dict]:
    run = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, *modules],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MPLBACKEND": "agg"},
    )
    assert run.stderr == ""
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def imported() -> dict[str, dict]:
    """What each module of the package did on import, numpy being there already."""
    return probe("numpy", "course_utils", *MODULES)


# --- importing -----------------------------------------------------------------------------------


def test_importing_the_package_loads_no_numpy_no_matplotlib_and_no_torch():
    loaded = probe("course_utils")["course_utils"]["loaded"]
    assert "course_utils" in loaded
    assert not {"numpy", "matplotlib", "torch", "ipywidgets", "sklearn", "Bio"} & set(loaded)


def test_importing_the_package_names_the_version():
    assert course_utils.__version__.count(".") == 2


@pytest.mark.parametrize("module", ["course_utils", *MODULES])
def test_importing_prints_nothing_writes_nothing_and_sets_no_seed(imported, module):
    done = imported[module]
    assert done["printed"] == ""
    assert done["deeds"] == []
    assert not done["changed"], "random numbers or the working folder changed"


@pytest.mark.parametrize("module", ["course_utils", *MODULES])
def test_torch_is_loaded_by_the_rooms_that_need_it_alone_and_pyplot_by_none(imported, module):
    room = module.removeprefix("course_utils").lstrip(".").split(".")[0]
    loaded = set(imported[module]["loaded"])
    assert "matplotlib" not in loaded
    assert room in TORCH_ROOMS or "torch" not in loaded


def test_the_probe_sees_what_a_module_does(tmp_path):
    (tmp_path / "rude.py").write_text(
        "import random, os\n"
        "print('hello')\n"
        "random.seed(1)\n"
        f"open({str(tmp_path / 'left')!r}, 'w').close()\n"
        f"os.mkdir({str(tmp_path / 'folder')!r})\n"
    )
    run = subprocess.run(
        [sys.executable, "-B", "-c", PROBE, "rude"],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    done = json.loads(run.stdout)["rude"]
    assert done["printed"] == "hello\n" and done["changed"]
    assert [deed.split()[0] for deed in done["deeds"]] == ["writes", "os.mkdir"]


# --- arrows point one way ------------------------------------------------------------------------


def rooms_used(source: str, package: str) -> set[str]:
    """The rooms that a module of `package` imports, wherever it does; "" is the package itself."""
    used = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parts, *filter(None, [node.module])])
            names = [base] + [f"{base}.{alias.name}" for alias in node.names]
            if base == "course_utils":
                names = [name for name in names[1:] if is_room(name)] or [base]
        else:
            continue
        for name in names:
            if name.split(".")[0] == "course_utils":
                used.add((name.split(".") + [""])[1])
    return used


def is_room(name: str) -> bool:
    room = name.split(".")[1]
    return room in FLOOR_OF or (PACKAGE / room).exists() or (PACKAGE / f"{room}.py").exists()


@pytest.mark.parametrize(
    "line, rooms",
    [
        ("import course_utils", {""}),
        ("import course_utils.plotting as p", {"plotting"}),
        ("from course_utils import plotting, __version__", {"plotting"}),
        ("from course_utils import __version__", {""}),
        ("from course_utils.sequences import one_hot", {"sequences"}),
        ("from . import table", {"explorers"}),
        ("from ..plotting import svg", {"plotting"}),
        ("from .. import plotting", {"plotting"}),
        ("def f():\n    from course_utils import datasets", {"datasets"}),
        ("import numpy\nfrom Bio import SeqIO", set()),
    ],
)
def test_every_way_to_import_a_room_is_seen(line, rooms):
    assert rooms_used(line, "course_utils.explorers") == rooms


SOURCES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_room_uses_only_rooms_on_lower_floors(path):
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    room = parts[0].removeprefix("__init__")
    package = ".".join(["course_utils", *parts[:-1]])
    used = rooms_used(path.read_text("utf-8"), package)
    if not room:
        assert used == set(), "the package itself uses none of its rooms"
        return
    assert room in FLOOR_OF, f"give {room} a floor in FLOORS"
    for other in used - {"", room}:
        assert FLOOR_OF[other] < FLOOR_OF[room], f"{room} must not use {other}"
