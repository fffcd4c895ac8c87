"""What metrics are computed from, and the words that stored results have for it."""

from __future__ import annotations

import pytest

from vfiscope.metrics import FIELDS, MAPS, METRICS
from vfiscope.types import Needs


@pytest.mark.parametrize(
    ("word", "needs"),
    [
        ("pixels", Needs.REF),
        ("features", Needs.REF | Needs.FEATURES),
        ("neighbours", Needs.NEIGHBOURS),
        ("neighbour features", Needs.NEIGHBOURS | Needs.FEATURES),
        ("pixels and neighbours", Needs.REF | Needs.NEIGHBOURS),
    ],
)
def test_the_words_of_older_files_mean_what_they_meant(word: str, needs: Needs) -> None:
    assert Needs.of_word(word) == needs
    assert needs.word == word


def test_every_combination_has_a_word_of_its_own() -> None:
    every = [Needs(value) for value in range(8)]
    assert [Needs.of_word(needs.word) for needs in every] == every


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="needs is 'pixel': choose from test, pixels, "):
        Needs.of_word("pixel")


def test_what_some_metrics_need() -> None:
    parts = {"metric": METRICS, "map": MAPS, "field": FIELDS}
    asked = {
        ("metric", "psnr"): Needs.REF,
        ("metric", "cosine"): Needs.REF | Needs.FEATURES,
        ("metric", "fault"): Needs.NEIGHBOURS,
        ("metric", "cosine_after"): Needs.NEIGHBOURS | Needs.FEATURES,
        ("metric", "psnr_div"): Needs.REF | Needs.NEIGHBOURS,
        ("map", "ghosting"): Needs.NEIGHBOURS,
        ("field", "motion"): Needs.REF | Needs.FEATURES,
    }
    assert {(kind, name): parts[kind][name].spec.needs for kind, name in asked} == asked
