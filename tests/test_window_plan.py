"""Windows are planned where they should be, and each that is left out is counted."""

import numpy as np
import pytest

from course_utils.genome_files import GenomeError
from course_utils.window_plan import REASONS, plan_windows
from course_utils.windows import Place, WindowError

SIZES = {"chr1": 1000, "chr2": 450, "chr3": 300, "tiny": 40}


def plan(**changes):
    return plan_windows(SIZES, **{"valid": "chr2", "test": ["chr3"], "length": 100} | changes)


def starts(made, split="train"):
    return [place.start for place in made.splits[split]]


def test_chromosomes_are_tiled_from_their_start_and_split():
    made = plan()
    assert starts(made) == list(range(0, 1000, 100))
    assert made.splits["valid"] == tuple(Place("chr2", start, start + 100) for start in (0, 100, 200, 300))
    assert made.splits["test"] == tuple(Place("chr3", start, start + 100) for start in (0, 100, 200))
    assert made.left_out == dict.fromkeys(REASONS, 0) | {"past the end": 1}  # tiny


def test_a_stride_makes_windows_overlap_or_leaves_gaps():
    assert starts(plan(stride=50)) == list(range(0, 901, 50))
    assert starts(plan(stride=300)) == [0, 300, 600, 900]


def test_only_the_chromosomes_asked_for_are_tiled():
    assert set(plan(chromosomes=["chr1", "chr2", "chr3"]).left_out.values()) == {0}
    with pytest.raises(WindowError, match="chr3 was asked for in the test set, and is not among the chr.* to use"):
        plan(chromosomes=["chr1", "chr2"])
    with pytest.raises(WindowError, match="chr3 was asked for in the test set, and is not among the regions to use"):
        plan(regions=[Place("chr1", 0, 100), Place("chr2", 0, 100)])


@pytest.mark.parametrize("name", ["chr2_GL000250v2_alt", "chr1_KN538360v1_fix", "chr1_KI270706v1_random",
                                  "chr6_apd_hap1", "chrUn_KI270302v1"])  # fmt: skip
def test_a_contig_that_repeats_its_chromosome_is_used_only_if_asked_for(name):
    sizes = SIZES | {name: 230, "chrUnder": 100}
    choices = {"valid": "chr2", "test": "chr3", "length": 100}
    made = plan_windows(sizes, **choices)
    assert {place.chromosome for place in made.splits["train"]} == {"chr1"}
    assert made.left_out["other contigs"] == 3 and made.left_out["past the end"] == 1
    regions = [Place(each, 0, sizes[each]) for each in ("chr1", "chr2", "chr3", name)]
    for asked in ({"chromosomes": [*SIZES, name]}, {"valid": name}, {"regions": regions}):
        made = plan_windows(sizes, **choices | asked)
        assert sum(place.chromosome == name for places in made.splits.values() for place in places) == 2


def test_regions_are_tiled_from_their_start_and_short_ones_are_centred():
    regions = [Place("chr1", 30, 260), Place("chr1", 500, 510), Place("chr2", 0, 100), Place("chr3", 101, 200)]
    made = plan(regions=regions)
    assert starts(made) == [30, 130, 455]
    assert (starts(made, "valid"), starts(made, "test")) == ([0], [101])  # the odd base goes behind
    made = plan(regions=[*regions, Place("chr1", 5, 45), Place("chr1", 990, 1000), Place("chr1", 30, 130)])
    assert starts(made) == [30, 130, 455]
    assert made.left_out["past the end"] == 2 and made.left_out["there already"] == 1


def test_the_blacklisted_share_is_counted_base_by_base():
    blacklist = [Place("chr1", 90, 130), Place("chr1", 120, 140), Place("chr1", 500, 501), Place("chr1", 640, 760),
                 Place("chr1", 100, 105)]  # fmt: skip
    black = np.zeros(1000, bool)
    for place in blacklist:
        black[place.start : place.end] = True
    for share in (0.0, 0.01, 0.1, 0.39, 0.4, 0.41, 1.0):
        kept = [start for start in range(0, 901, 10) if black[start : start + 100].sum() <= share * 100]
        made = plan(blacklist=blacklist, max_blacklisted=share, stride=10)
        assert starts(made) == kept and made.left_out["blacklisted"] == 91 - len(kept)


def test_a_blacklist_may_name_chromosomes_that_the_genome_lacks_but_not_only_such():
    assert starts(plan(blacklist=[Place("chrM", 0, 9), Place("chr1", 0, 9)])) == list(range(100, 1000, 100))
    with pytest.raises(GenomeError, match="no chromosome '1'; it has chr1"):
        plan(blacklist=[Place("1", 0, 9)])


def test_windows_of_unknown_letters_are_left_out():
    unknown = {100: 5, 200: 6, 300: 100}
    made = plan(unknown=lambda place: unknown.get(place.start, 0) if place.chromosome == "chr1" else 0)
    assert starts(made) == [0, 100, 400, 500, 600, 700, 800, 900] and made.left_out["unknown"] == 2
    assert len(starts(plan(unknown=lambda place: 1, max_unknown=0.01))) == 10


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"length": 0}, WindowError, "the length is 0; a whole number of bases"),
        ({"length": 100.0}, WindowError, "the length is 100.0"),
        ({"stride": 0}, WindowError, "the stride is 0"),
        ({"max_unknown": 1.1}, WindowError, "max_unknown is 1.1; a share from 0 to 1"),
        ({"max_blacklisted": float("nan")}, WindowError, "max_blacklisted is nan"),
        ({"valid": "chr8"}, GenomeError, "no chromosome 'chr8'"),
        ({"test": ["chr2"]}, WindowError, "chr2 cannot be in the validation set and in the test set"),
        ({"test": 3}, WindowError, "of the test set are 3; their names"),
        ({"test": []}, WindowError, "the test set is empty; the other sets have 17 windows, .* 1 past the end"),
        ({"valid": ["chr1", "chr2", "tiny"]}, WindowError, "tiny was asked for in the valid set, and has no window"),
        ({"valid": ["chr1", "chr2"]}, WindowError, "the train set is empty"),
        ({"chromosomes": ["chr1"], "regions": [Place("chr1", 0, 9)]}, WindowError, "one of them"),
        ({"regions": [Place("chr1", 900, 1001)]}, GenomeError, "chr1:900-1001 .* 1,000 bases .* another assembly"),
        ({"regions": [Place("1", 0, 100)]}, GenomeError, "'1'; it has chr1"),
        ({"blacklist": [Place("chr1", 900, 1001)]}, GenomeError, "another assembly"),
        ({"length": 2000}, WindowError, "chr2 was asked for in the valid set, and has no window; .* 4 past the end"),
    ],
)
def test_what_cannot_be_planned_is_told(changes, error, words):
    with pytest.raises(error, match=words):
        plan(**changes)
