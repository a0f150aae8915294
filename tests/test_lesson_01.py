"""Lesson 01: its figures, and the mistakes of the source lectures that it corrects."""

import numpy as np
from reading import said

from course_utils.sequences import decode, one_hot, read_fasta
from course_utils.datasets import shipped

NAME = "01_one_hot_encoding"


def test_the_matrix_of_ATACAA_is_the_one_of_the_source_lectures():
    printed = "[[1 0 0 0]\n [0 0 0 1]\n [1 0 0 0]\n [0 1 0 0]\n [1 0 0 0]\n [1 0 0 0]]\n(6, 4)"
    assert printed in said(NAME, "seed:000-one-hot-matrix")
    assert str(one_hot("ATACAA", dtype=int)) + "\n(6, 4)" == printed


def test_M03_the_first_row_of_ATGCTA_is_that_of_A():
    printed = np.eye(4)[[3, 3, 2, 1, 3, 0]]  # as the article prints it
    assert decode(printed) == "TTGCTA"
    assert one_hot("ATGCTA")[0].tolist() == [1, 0, 0, 0]
    words = said(NAME, "M03")
    assert "the printed matrix reads TTGCTA" in words
    assert "ATGCTA is encoded as\n[[1 0 0 0]" in words


def test_M05_an_array_in_the_order_ATCG_reads_as_other_bases():
    theirs = np.eye(4)[["ATCG".index(base) for base in "ATACAA"]]
    assert decode(theirs) == "ACAGAA" and "ACAGAA" in said(NAME, "M05")
    assert "A would become G" in said(NAME, "M05")


def test_M24_a_label_encoder_fitted_to_each_sequence_shifts_the_columns():
    words = said(NAME, "M24")
    assert "['A', 'C', 'T']  numbers: [0 2 0 1 0 0]" in words  # T is 2
    assert "['A', 'T']  numbers: [1 1 0 1 1 0]" in words  # T is 1
    assert "agrees with ours: True" in words


def test_reshape_scrambles_what_permute_keeps():
    words = said(NAME, "permute-not-reshape")
    assert "permuted: [1, 1, 1, 1, 1, 1]" in words
    assert "reshaped: [1, 2, 2, 0, 1, 0]" in words
    scrambled = one_hot("ATACAA").reshape(4, 6)
    assert scrambled.sum(axis=0).tolist() == [1, 2, 2, 0, 1, 0]


def test_shares_add_the_mean_weight_and_zeros_add_nothing():
    words = said(NAME, "unknown-bases-in-a-convolution")
    assert "weights [2, 1, 1, 0]: N adds 0 as zeros, 1 as shares" in words


def test_more_than_a_quarter_of_the_peaks_have_lower_case_letters():
    words = said(NAME, "needs-data:ctcf-peaks")
    assert "39,184 peaks, 10,444 of them" in words
    assert 10_444 / 39_184 > 1 / 4


def test_the_first_sequence_of_the_primer_is_the_one_the_overview_prints():
    words = said(NAME, "seed:004-dna-as-picture")
    assert "CCGAGGGCTA ... CGCGGACACC" in words
    rows = ["0.0 0.0 0.0 ... 1.0 0.0 0.0", "1.0 1.0 0.0 ... 0.0 1.0 1.0", "0.0 0.0 1.0 ... 0.0 0.0 0.0"]
    assert "\n".join(rows) in words  # as the overview prints them


def test_the_peak_of_the_lesson_is_soft_masked_and_the_telomere_has_forty_N():
    assert read_fasta(shipped("ctcf_peaks_200.fa"))[1].sequence.startswith("aggcGCAG")
    telomere = read_fasta(shipped("telomere.fa"))[0].sequence
    assert len(telomere) == 100 and telomere.count("N") == 40
