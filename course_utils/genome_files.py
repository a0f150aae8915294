"""What a genome is on a disk: its letters in FASTA, and its tracks in BigWig.

* **FASTA**, plain or packed by ``bgzip``, is read at any place without reading the rest. The index that this takes
  is written beside the file (``.fai``, ``.gzi``), or to a temporary folder where that one is read-only.
* **BigWig** holds a number for each base. A base without one, or with NaN, counts 0: nothing was seen there.

pyfaidx and pybigtools do the reading; they are an extra of this package. The lists that go with them are read in
:mod:`course_utils.genome_tables`. Explained in lesson 10.
"""

import os
import struct
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from course_utils.sequences import SequenceError, one_hot
from course_utils.windows import Place

_GZIP, _BIGWIG, _BIGBED = b"\x1f\x8b", 0x888FFC26, 0x8789F2EB
_INDEXES = ("indexname", "gzi_indexname")  # as pyfaidx calls the files .fai and .gzi


class GenomeError(ValueError):
    """A file of a genome that is damaged, of another kind or of another assembly, or a place that it does not have."""


# --- FASTA ---------------------------------------------------------------------------------------


class Fasta:
    """The letters of a genome, read at any place; to be closed, or used with `with`.

    Attributes:
        path: of the file.
        sizes: chromosome -> its length in bases, in the order of the file.

    Raises:
        GenomeError: for a file that is no FASTA, was cut short or is packed by gzip; a line of another length
            inside a chromosome; a name that is there twice; or if pyfaidx is not installed.
        FileNotFoundError: if there is no such file (lesson 10).
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        _check_packing(self.path)
        self._aside = None  # the temporary folder of the index, where there is one
        try:
            self._file = self._opened()
        except BaseException:
            self.close()
            raise
        self.sizes = {name: len(record) for name, record in self._file.index.items()}

    def _opened(self):
        pyfaidx = _module("pyfaidx")
        names = [self.path.with_name(self.path.name + ending) for ending in (".fai", ".gzi")]
        if _packed(self.path) is None:
            del names[1]
        changed = self.path.stat().st_mtime
        try:
            if not all(name.exists() and name.stat().st_mtime >= changed for name in names):
                names = self._index(pyfaidx, names)
            return pyfaidx.Faidx(self.path, as_raw=True, rebuild=False, **dict(zip(_INDEXES, names)))
        except Exception as error:  # pyfaidx has no one exception for what it cannot read
            if isinstance(error, OSError) and error.errno:
                reason = f"the index could not be written: {error.strerror}"
                raise OSError(error.errno, reason, str(self.path)) from None
            raise GenomeError(f"{self.path} is no FASTA file that can be read at any place: {_reason(error)}") from None

    def _index(self, pyfaidx, names: list[Path]) -> list[Path]:
        """Make the index in a folder of its own, and move it beside the file if that is possible."""
        try:  # whole or not at all: half an index would lack chromosomes
            folder = tempfile.TemporaryDirectory(prefix=".index-", dir=self.path.parent)
        except OSError:
            folder = self._aside = tempfile.TemporaryDirectory(prefix="index-")
        made = [Path(folder.name, name.name) for name in names]
        try:
            pyfaidx.Faidx(self.path, **dict(zip(_INDEXES, made))).file.close()
            age = self.path.stat()
            for name in made:  # as old as the file, so that it is not taken for one of an older file
                os.utime(name, ns=(age.st_atime_ns, age.st_mtime_ns))
            if self._aside is not None:
                return made
            for here, there in zip(made, names):
                os.replace(here, there)
            return names
        finally:
            if self._aside is None:
                folder.cleanup()

    def letters(self, place: Place) -> str:
        """The letters of a place as they stand in the file, upper and lower case.

        Raises:
            GenomeError: for a place that the genome does not have, or a file that was cut short.
        """
        check_place(place, self.sizes, self.path)
        try:
            found = self._file.fetch(place.chromosome, place.start + 1, place.end)
        except Exception:
            found = ""
        if len(found) != place.end - place.start:
            raise GenomeError(
                f"{self.path} does not hold the bases of {place}: it was cut short or changed after its index was made"
            )
        return found

    def one_hot(self, place: Place) -> np.ndarray:
        """A place as ``(L, 4)``, bool; lower case as upper case, and four zeros for N and its like.

        Raises:
            GenomeError: as for :meth:`letters`, and for a letter outside IUPAC.
        """
        try:
            return one_hot(self.letters(place), ambiguous="zeros", dtype=bool)
        except SequenceError as error:
            raise GenomeError(f"{place} of {self.path}: {error}") from None

    def unknown(self, place: Place) -> int:
        """How many letters of a place are none of A, C, G, T."""
        return len(self.letters(place).encode("ascii", "replace").translate(None, b"ACGTacgt"))

    def close(self) -> None:
        """Close the file and drop a temporary index."""
        if hasattr(self, "_file"):
            self._file.file.close()
        if self._aside is not None:
            self._aside.cleanup()

    def __enter__(self) -> "Fasta":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _packed(path: Path) -> bool | None:
    """None for a plain file, True for one by bgzip, False for one by gzip."""
    with open(path, "rb") as file:
        head = file.read(18)
    if head[:2] != _GZIP:
        return None
    return len(head) == 18 and bool(head[3] & 4) and head[12:14] == b"BC"


def _check_packing(path: Path) -> None:
    packed, called = _packed(path), path.suffix.lower() in (".gz", ".bgz")
    if packed is False:
        raise GenomeError(
            f"{path} is packed by gzip, which cannot be read at any place: unpack it with gunzip, or pack it anew with "
            "bgzip"
        )
    if packed and not called:
        raise GenomeError(f"{path} is packed, and its name does not say so: a name that ends in .gz is expected")
    if packed is None and called:
        raise GenomeError(f"{path} is named {path.suffix} and is not packed: another name is expected")


def _reason(error: Exception) -> str:
    """In a few words what pyfaidx could not read, whose own words may be many or those of Python."""
    said = str(error)
    if "consistent" in said:
        return f"the lines of a chromosome differ in length ({said[said.find('>') :].rstrip('.')})"
    if said.startswith("Duplicate key"):
        return f"the chromosome {said.removeprefix('Duplicate key ')} is there twice"
    if "before the first" in said or "valid sequence" in said:
        return "a line that begins with > is expected first, and bases below it"
    if "Bad sequence name" in said:
        return "a line that begins with > has no name"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text"
    return "it was cut short or damaged"


# --- BigWig --------------------------------------------------------------------------------------


class BigWig:
    """The numbers of a track, one for each base, read at any place.

    Attributes:
        path: of the file.
        sizes: chromosome -> its length in bases.

    Raises:
        GenomeError: for a file that was cut short or is of another kind, or if pybigtools is not installed.
        FileNotFoundError: if there is no such file (lesson 10).
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        _check_bigwig(self.path)  # pybigtools would print a line of its own
        self._file = self._read(lambda: _module("pybigtools").open(str(self.path)))
        self.sizes = dict(self._read(self._file.chroms))

    def values(self, place: Place) -> np.ndarray:
        """The numbers of a place, ``(L,)`` float64; 0 where there is none.

        Raises:
            GenomeError: for a place that the file does not have, or damage.
        """
        check_place(place, self.sizes, self.path)
        return self._read(lambda: self._file.values(*place, fillna=0.0))

    def _read(self, action):
        try:
            return action()
        except GenomeError:
            raise
        except BaseException as error:  # pybigtools' own have no common kind, and those of Rust are no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            raise GenomeError(f"{self.path} is no whole BigWig file: it was cut short or damaged") from None


def _check_bigwig(path: Path) -> None:
    with open(path, "rb") as file:
        head = file.read(64)
    for order in "<>":
        kind = struct.unpack(f"{order}I", head[:4])[0] if len(head) > 3 else None
        if kind == _BIGWIG:
            # where the list of chromosomes, the numbers and their index begin
            parts = struct.unpack(f"{order}QQQ", head[8:32]) if len(head) == 64 else (1 << 64,)
            if max(parts) >= path.stat().st_size:
                raise GenomeError(f"{path} is no whole BigWig file: it was cut short")
            return
        if kind == _BIGBED:
            raise GenomeError(f"{path} is a BigBed file, which holds stretches; a BigWig file is expected")
    raise GenomeError(f"{path} is no BigWig file: its first bytes are {head[:4]!r}")


# --- assemblies ----------------------------------------------------------------------------------


def check_place(place: Place, sizes: Mapping[str, int], source: str | Path) -> None:
    """Check that a genome has a place.

    Raises:
        GenomeError: for a chromosome that the `source`, of these sizes, does not have, or an end beyond the
            chromosome's (lesson 10).
    """
    check_chromosomes([place.chromosome], sizes, source)
    size = sizes[place.chromosome]
    if not 0 <= place.start < place.end <= size:
        why = "; it may be of another assembly" if place.end > size else ""
        raise GenomeError(f"{place} is no place in {place.chromosome}, which has {size:,} bases in {source}{why}")


def check_chromosomes(names: Iterable[str], sizes: Mapping[str, int], source: str | Path) -> None:
    """Check that a genome has chromosomes of these names.

    Raises:
        GenomeError: for one that the `source`, of these sizes, does not have (lesson 10).
    """
    for name in names:
        if name not in sizes:
            other = name.removeprefix("chr") if name.startswith("chr") else f"chr{name}"
            there = ", ".join(list(sizes)[:5]) + (", ..." if len(sizes) > 5 else "") or "none"
            hint = f"; it has {other}, another way to name it" if other in sizes else ""
            raise GenomeError(f"{source} has no chromosome {name!r}{hint}; its chromosomes are {there}")


def check_assembly(fasta: Fasta, track: BigWig, names: Iterable[str] | None = None) -> None:
    """Check that a track belongs to a genome: where both name a chromosome, they agree on its length.

    Args:
        names: chromosomes to compare (None: all); chrM may be of another version if it is not used.

    Raises:
        GenomeError: for a chromosome of two lengths, or if no name is in both (lesson 10).
    """
    both = [name for name in track.sizes if name in fasta.sizes]
    if not both:
        check_chromosomes(list(track.sizes)[:1], fasta.sizes, fasta.path)
        raise GenomeError(f"{track.path} has no chromosome at all")
    compared = set(both if names is None else names)
    for name in filter(compared.__contains__, both):
        if track.sizes[name] != fasta.sizes[name]:
            raise GenomeError(
                f"{track.path} is of another assembly than {fasta.path}: {name} has {track.sizes[name]:,} bases in the "
                f"first and {fasta.sizes[name]:,} in the second"
            )


def _module(name: str):
    """pyfaidx or pybigtools; those who make no files need neither."""
    try:
        return __import__(name)
    except ImportError:
        raise GenomeError(
            f"{name} is not installed; `pip install pyfaidx pybigtools` brings what reads genomes, as does the extra "
            "course-utils[genome]"
        ) from None
