"""The data of the lessons: small files that are always here, large ones fetched when asked for.

    python -m course_utils.datasets list           what there is, and what is in the cache
    python -m course_utils.datasets fetch NAME     fetch one, with a progress bar
    python -m course_utils.datasets empty          free the space again

Large files come from the addresses of ``data/registry.toml``, each with a checksum, into a cache folder that
the environment variable COURSE_DATA can move. A file is written beside its place and renamed when it is whole
and right, so that no half file ever stands under a file's name. Explained in lesson 01.
"""

import argparse
import os
import sys
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

COMMAND = "python -m course_utils.datasets"


class DataUnavailable(OSError):
    """A file that is neither in the cache nor to be had; the message is one sentence with the remedy."""

    def _render_traceback_(self) -> list[str]:
        # In a notebook the sentence is all that helps; forty lines of traceback would hide it.
        return [f"DataUnavailable: {self}"]


@dataclass(frozen=True)
class RegisteredFile:
    """Where a file stands in the cache, where it comes from, and how to know it is the right one."""

    path: str
    url: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Dataset:
    """One entry of the registry: files that belong together, with their terms and assembly."""

    name: str
    about: str
    assembly: str
    licence: str
    citation: str
    files: tuple[RegisteredFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


def shipped(name: str) -> Path:
    """The path of a small file that travels with the package, such as ``"telomere.fa"``.

    Raises:
        FileNotFoundError: naming the files that do.
    """
    folder = Path(str(resources.files("course_utils.data")))
    path = folder / name
    if not path.is_file():
        there = sorted(path.name for path in folder.glob("*.fa"))
        raise FileNotFoundError(f"no file {name!r} travels with the package; there are {there}")
    return path


def read_registry(path: str | Path | None = None) -> dict[str, Dataset]:
    """Dataset name -> :class:`Dataset`, from ``data/registry.toml`` or another file of that form.

    Raises:
        ValueError: if the file is not such a registry; the message says which entry lacks what.
    """
    path = Path(path) if path else Path(str(resources.files("course_utils.data"))) / "registry.toml"
    registry = {}
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["dataset"]
        for entry in entries:
            source = entry.pop("source")
            files = tuple(
                RegisteredFile(**(file | {"url": source + file["url"]}))
                for file in entry.pop("files")
            )
            registry[entry["name"]] = Dataset(files=files, **entry)
    except (tomllib.TOMLDecodeError, UnicodeError, LookupError, TypeError, AttributeError) as error:
        problem = f"there is no {error}" if isinstance(error, KeyError) else error
        place = f"after the entry {list(registry)[-1]!r}" if registry else "in its first entry"
        raise ValueError(f"{path} is not a registry of data: {problem} ({place})") from None
    return registry


def cache_folder() -> Path:
    """Where fetched files are kept: COURSE_DATA if it is set, else the user's cache folder."""
    import pooch  # not needed by those who only read shipped files

    return Path(os.environ.get("COURSE_DATA") or pooch.os_cache("course-utils"))


def fetch(
    name: str, *, folder: Path | None = None, registry: dict[str, Dataset] | None = None
) -> list[Path]:
    """The paths of a dataset's files, fetched, checked and cached if they are not there yet.

    Args:
        name: as ``python -m course_utils.datasets list`` shows it.
        folder: another cache folder than :func:`cache_folder`.
        registry: another registry than the collection's own.

    Raises:
        ValueError: for a name that is not registered.
        DataUnavailable: if a file can be neither read from the cache nor fetched, if what came is not
            the registered file, or if the cache cannot be written; old files stay as they were.
    """
    registry = read_registry() if registry is None else registry
    if name not in registry:
        raise ValueError(f"no dataset {name!r}; registered are {', '.join(sorted(registry))}")
    folder = cache_folder() if folder is None else Path(folder)
    return [_fetch_file(file, name, folder) for file in registry[name].files]


def is_cached(dataset: Dataset, folder: Path | None = None) -> bool:
    """Whether every file of the dataset lies in the cache, whole and right."""
    folder = cache_folder() if folder is None else Path(folder)
    return all(_state(folder / file.path, file) == "right" for file in dataset.files)


def empty(folder: Path | None = None, registry: dict[str, Dataset] | None = None) -> int:
    """Delete the registered files from the cache, nothing else; return how many bytes that freed.

    Raises:
        DataUnavailable: if a file cannot be deleted.
    """
    registry = read_registry() if registry is None else registry
    folder = cache_folder() if folder is None else Path(folder)
    freed = 0
    for dataset in registry.values():
        for file in dataset.files:
            path = folder / file.path
            try:
                size = path.stat().st_size
                path.unlink()
            except FileNotFoundError:
                continue
            except OSError as error:
                raise DataUnavailable(f"{path} cannot be deleted: {error.strerror}") from None
            freed += size
            for parent in path.relative_to(folder).parents:
                if parent != Path(".") and not any((folder / parent).iterdir()):
                    (folder / parent).rmdir()
    return freed


def _state(path: Path, file: RegisteredFile) -> str:
    import pooch

    if not path.is_file():
        return "absent"
    if path.stat().st_size != file.bytes or pooch.file_hash(path, alg="sha256") != file.sha256:
        return "damaged"
    return "right"


def _fetch_file(file: RegisteredFile, name: str, folder: Path) -> Path:
    import pooch

    path = folder / file.path
    state = _state(path, file)
    if state == "right":
        return path
    missing = "is not in the cache" if state == "absent" else "is damaged in the cache"
    what = f"{file.path} ({_size(file.bytes)}, dataset {name!r}) {missing} {folder}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK):
            raise PermissionError(13, "the folder is read-only")
    except OSError as error:
        raise DataUnavailable(
            f"{what}, and nothing can be written there ({error.strerror}); set COURSE_DATA to a "
            "folder that you can write to, or that holds the file."
        ) from None
    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            file.url,
            known_hash=f"sha256:{file.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(progressbar=True, timeout=30),
        )
        # pooch makes it readable by its owner alone; a class may share the folder.
        path.chmod(path.parent.stat().st_mode & 0o666)
    except OSError as error:  # requests' errors are OSErrors, and some are ValueErrors too
        if error.strerror:  # this machine's own, such as a full disk
            raise DataUnavailable(
                f"{what}, and it could not be written there ({error.strerror}); make room, or set "
                "COURSE_DATA to another folder."
            ) from None
        raise DataUnavailable(
            f"{what}, and it could not be fetched whole from {file.url} ({type(error).__name__}); "
            f"connect to a network and run `{sys.executable} -m course_utils.datasets fetch {name}` "
            "once, or set COURSE_DATA to a folder that holds the file."
        ) from None
    except ValueError:  # pooch deletes what it fetched, and keeps what was there before
        raise DataUnavailable(
            f"{what}, and what {file.url} sent is another file (its SHA-256 is not the registered "
            "one); it was not kept. Try again later, and tell the authors if it stays so."
        ) from None
    return path


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} KB"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog=COMMAND, description="The data of the lessons.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="what there is, and what is in the cache")
    commands.add_parser("fetch", help="fetch a dataset").add_argument("name")
    commands.add_parser("empty", help="delete the fetched files")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "list":
            print(f"cache folder: {cache_folder()}")
            for dataset in read_registry().values():
                mark = "in the cache" if is_cached(dataset) else "not fetched"
                print(
                    f"{dataset.name:18}{_size(dataset.bytes):>9}  {mark:13} {dataset.about}; "
                    f"assembly {dataset.assembly}; {dataset.licence}; {dataset.citation}"
                )
        elif chosen.command == "fetch":
            print(*fetch(chosen.name), sep="\n")
        else:
            print(f"{_size(empty())} freed in {cache_folder()}")
    except (DataUnavailable, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
