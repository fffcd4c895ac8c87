"""Regions of somebody who means harm: words and exports hold no escape codes, and stay readable by
others."""

from __future__ import annotations

import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from helpers.cli import call
from helpers.hostile import ESCAPES
from helpers.region_runs import answer, region, region_run

from vfiscope.types import Track

UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
ENDINGS = (".coco.json", ".regions.json", ".cvat.xml", ".cvat-video.xml", ".regions.csv")


def test_texts_and_numbers_of_anybody(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    regions = [
        region(n % 3, kind=ESCAPES, caption=ESCAPES, change=ESCAPES, severity=n - 9, track=n % 2)
        for n in range(6)
    ] + [region(99, x=-1e12, w=1e12, score=float("inf"), kind="=1+1", caption="c" * 5000)]
    answers = [answer(n, 2, caption=ESCAPES, unit=ESCAPES, level=-1e308) for n in range(3)]
    tracks = [Track(0, -5, 2**40, 3, ESCAPES)]
    names = [f"{n}{ESCAPES}<&" for n in range(6)]
    run = str(region_run(tmp_path / "a.h5", regions, answers, tracks, names=names))
    outs = [tmp_path / f"a{ending}" for ending in ENDINGS]
    for out in outs:
        assert call("export", run, "-o", str(out)) == 0
    assert call("regions", run) == 0
    printed, errors = capfd.readouterr()
    assert not UNSAFE.search(printed + errors)
    assert "track 1, " in printed
    assert max(map(len, printed.splitlines())) < 3200
    for out in outs:
        text = out.read_text("utf-8")
        assert not UNSAFE.search(text)
        if out.suffix == ".json":
            json.loads(text)
        elif out.suffix == ".xml":
            assert ElementTree.fromstring(text).tag == "annotations"
        else:
            rows = list(csv.DictReader(text.split("\n")))
            assert [len(rows), rows[6]["kind"]] == [7, "'=1+1"]
