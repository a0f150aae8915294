"""Windows with their tracks, cut from a genome: FASTA and BigWig in, an HDF5 file of windows out.

    python -m course_utils.window_making genome.fa targets.txt seq.h5 --valid chr8 --test chr9

1. Chromosomes, or regions of them, are tiled with windows (:mod:`course_utils.window_plan`).
2. The bases of a window become one-hot; N and its like become four zeros.
3. Each track has a number for each base. Those of a bin are added up (or averaged, if the table says so), then
   multiplied by the `scale` of the track, then cut off at its `clip`. So is the order of Baskerville, in which the clip
   is in the units of the file. (Basenji, and Baskerville's ``--transform_old``, clip first: for the same numbers
   multiply their clip by the scale.) Nothing else is done to the numbers: they are counts, if the files hold counts.
4. Bins become float16, which holds three digits, up to 65,504; a larger number is refused.

The file also holds a `manifest`: sources with their checksums, settings, and what was left out. Names that end in
_alt, _fix or _random, and their like, are left out unless they are asked for. Explained in lesson 10.
"""

import argparse
import errno
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np

from course_utils import __version__
from course_utils.checks import said, whole
from course_utils.genome_files import BigWig, Fasta, GenomeError, check_assembly, check_chromosomes
from course_utils.genome_tables import Track, read_bed, read_track_table
from course_utils.hdf5_making import check_out, make_file
from course_utils.window_layout import Layout
from course_utils.window_plan import plan_windows
from course_utils.windows import Place, WindowError


def make_windows(
    fasta: str | Path,
    targets: str | Path,
    out: str | Path,
    *,
    valid: str | Iterable[str],
    test: str | Iterable[str],
    chromosomes: Iterable[str] | None = None,
    regions: str | Path | None = None,
    length: int = 131_072,
    bin_size: int = 128,
    stride: int | None = None,
    blacklist: str | Path | None = None,
    max_blacklisted: float = 0.0,
    max_unknown: float = 0.05,
    progress: bool = True,
) -> dict:
    """Make an HDF5 file of windows from a genome and its tracks; after a break, call it again to go on.

    It needs the memory of 64 windows, or less. What it writes to and how it goes on is told in
    :func:`course_utils.hdf5_making.make_file`. A file that is there already, made of the same, stays as it is.

    Args:
        fasta: the genome, plain or packed by bgzip.
        targets: the table of the tracks (:func:`course_utils.genome_tables.read_track_table`).
        out: the HDF5 file; none of the sources.
        valid, test, chromosomes, length, stride, max_blacklisted, max_unknown: as for
            :func:`course_utils.window_plan.plan_windows`.
        regions, blacklist: BED files.
        bin_size: bases of a bin; they divide the length.
        progress: whether to show a progress bar.

    Returns:
        The manifest of the file.

    Raises:
        GenomeError: for a file that is damaged, of another kind or of another assembly; a chromosome that is
            missing; a number below 0; or if pyfaidx or pybigtools are not installed.
        WindowError: for settings that cannot be; a number that float16 cannot hold, with its place; or a file that
            was begun or made with other settings or sources.
        FileNotFoundError: if a file is missing.
        OSError: if the file cannot be written, or for more BigWig files than may be open (lesson 10).
    """
    sources = {"fasta": fasta, "targets": targets, "regions": regions, "blacklist": blacklist}
    sources = {name: Path(path) for name, path in sources.items() if path}
    check_out(out, sources.values())
    if whole(bin_size) is None or bin_size < 1 or (whole(length) and length % bin_size):
        raise WindowError(f"the bin size is {said(bin_size)}; a whole number that divides the length {said(length)} is "
                          "expected")  # fmt: skip
    tracks, swap = read_track_table(targets)
    check_out(out, (track.path for track in tracks))
    stretches = {name: read_bed(sources[name]) for name in ("regions", "blacklist") if name in sources}
    with Fasta(fasta) as genome:
        readers = _readers(tracks, genome)
        plan = plan_windows(
            genome.sizes,
            valid=valid,
            test=test,
            chromosomes=chromosomes,
            regions=stretches.get("regions"),
            length=length,
            stride=stride,
            blacklist=stretches.get("blacklist", ()),
            max_blacklisted=max_blacklisted,
            unknown=genome.unknown,
            max_unknown=max_unknown,
        )
        names = [name for places in plan.splits.values() for name in _chromosomes(places)]
        for reader in readers.values():
            check_assembly(genome, reader, names)
            _check_there(names, reader)
        layout = Layout(
            counts={split: len(places) for split, places in plan.splits.items()},
            length=length,
            bins=length // bin_size,
            labels=tuple(track.label for track in tracks),
            swap=swap,
            places=plan.splits,
        )
        manifest = {
            "made_by": f"course_utils {__version__}",
            "sources": sources,
            "tracks": [{name: part for name, part in track._asdict().items() if name != "path"} for track in tracks],
            "files": {track.file: track.path for track in tracks},
            "settings": {"length": length, "stride": length if stride is None else stride, "bin_size": bin_size}
            | {"max_blacklisted": max_blacklisted, "max_unknown": max_unknown},
            "chromosomes": {split: _chromosomes(places) for split, places in plan.splits.items()},
            "windows": layout.counts,
            "left_out": plan.left_out,
        }

        def batches(split: str, start: int, stop: int) -> dict[str, np.ndarray]:
            places = plan.splits[split][start:stop]
            return {
                "in": np.stack([genome.one_hot(place) for place in places]),
                "out": np.stack([_bins(tracks, readers, place, bin_size) for place in places]),
            }

        return make_file(out, layout, batches, manifest=manifest, progress=progress)


def _chromosomes(places: Iterable[Place]) -> list[str]:
    return list(dict.fromkeys(place.chromosome for place in places))


def _readers(tracks: Iterable[Track], genome: Fasta) -> dict[Path, BigWig]:
    paths = list(dict.fromkeys(track.path for track in tracks))
    _allow_open(len(paths) + 100)  # and what else is open
    readers = {}
    for path in paths:
        try:
            readers[path] = BigWig(path)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            raise OSError(
                f"{len(readers)} of {len(paths)} BigWig files are open, and the system allows no more: raise its limit "
                "(`ulimit -n`), or make two files of half the tracks each"
            ) from None
        check_assembly(genome, readers[path], ())  # how long they are is asked of the chromosomes that are used
    return readers


def _allow_open(files: int) -> None:
    """Let this process have so many files open, or as many as the system grants."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = files if most == endless else min(files, most)
    if now != endless and now < wanted:
        with suppress(OSError, ValueError):  # macOS grants less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def _check_there(names: Iterable[str], reader: BigWig) -> None:
    try:
        check_chromosomes(names, reader.sizes, reader.path)
    except GenomeError as error:
        hint = "a file without any number on it lacks it, too: choose chromosomes that all files have"
        raise GenomeError(f"{error}; {hint}") from None


def _bins(tracks: tuple[Track, ...], readers: dict[Path, BigWig], place: Place, bin_size: int) -> np.ndarray:
    """The tracks of a window, ``(bins, T)`` float64."""
    columns = []
    for track in tracks:
        values = readers[track.path].values(place)  # (L,)
        if (values * np.sign(track.scale)).min() < 0:
            base = int(np.argmax(values * np.sign(track.scale) < 0))
            hint = "; where the numbers of a minus strand are negative, give it the scale -1" if track.scale > 0 else ""
            raise GenomeError(
                f"{track.path} has {values[base]:g} at {place.chromosome}:{place.start + base} and the scale "
                f"{track.scale:g}; counts from 0 up are expected{hint}"
            )
        bins = values.reshape(-1, bin_size)
        column = (bins.mean(axis=1) if track.mean else bins.sum(axis=1)) * track.scale
        columns.append(column if track.clip is None else np.minimum(column, track.clip))
    return np.stack(columns, axis=1)


# --- the command ---------------------------------------------------------------------------------


def command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m course_utils.window_making",
        description="Cut windows with their tracks from a genome, into an HDF5 file to train on. Broken off, the same "
        "command goes on where it was.",
        epilog="The table of tracks has a head and columns separated by tabs: identifier, file (BigWig, relative to "
        "the table), and where wanted clip, scale, sum_stat (sum or mean), strand_pair and description.",
    )
    parser.add_argument("fasta", type=Path, help="the genome: FASTA, plain or packed by bgzip")
    parser.add_argument("targets", type=Path, help="the table of the tracks")
    parser.add_argument("out", type=Path, help="the HDF5 file to make")
    parser.add_argument("--valid", nargs="+", required=True, metavar="CHR", help="chromosomes of the validation set")
    parser.add_argument("--test", nargs="+", required=True, metavar="CHR", help="chromosomes of the test set")
    parser.add_argument(
        "--chromosomes", nargs="+", metavar="CHR",
        help="chromosomes to use at all (default: all but chrUn..., ..._alt, ..._fix, ..._random and ..._hap1, which "
        "repeat others)",
    )  # fmt: skip
    parser.add_argument("--regions", type=Path, metavar="BED", help="regions to use, in place of whole chromosomes")
    parser.add_argument("--length", type=int, default=131_072, help="bases of a window (default: %(default)s)")
    parser.add_argument("--bin-size", type=int, default=128, help="bases of a bin (default: %(default)s)")
    parser.add_argument("--stride", type=int, help="bases from window to window (default: the length)")
    parser.add_argument("--blacklist", type=Path, metavar="BED", help="places to avoid")
    parser.add_argument(
        "--max-blacklisted", type=float, default=0.0, metavar="SHARE",
        help="of a window, from 0 to 1: with more it is left out (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--max-unknown", type=float, default=0.05, metavar="SHARE", help="of N, likewise (default: %(default)s)"
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    chosen = vars(command_line().parse_args(arguments))
    out = chosen.pop("out")
    there = " is there already" if out.exists() else ""
    try:
        made = make_windows(chosen.pop("fasta"), chosen.pop("targets"), out, **chosen)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("broken off; the same command goes on from here", file=sys.stderr)
        return 130
    counts = ", ".join(f"{count:,} {split}" for split, count in made["windows"].items())
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in made["left_out"].items() if count) or "none"
    length, tracks = chosen["length"], len(made["tracks"])
    print(f"{out}{there}: {counts} windows of {length:,} bases with {tracks} tracks; left out: {left_out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
