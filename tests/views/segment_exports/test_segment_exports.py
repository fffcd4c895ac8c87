"""Segments in files for editors and players, read back by readers that are not vfiscope's."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from dataclasses import fields
from fractions import Fraction
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from helpers.cli import call
from helpers.segment_runs import found, ntsc, segment_run

from vfiscope.errors import MissingPackageError, OutputExistsError, UsageError
from vfiscope.store import Run
from vfiscope.types import Segment
from vfiscope.views.export import export_run
from vfiscope.views.segment_exports import SEGMENT_FORMATS

ODD_NAME = 'a "b"\n|<ü>%.mp4'
SHOWN_NAME = ODD_NAME.replace("\n", "\ufffd")
RULE = 'ssim < 0.9 | "變" --> <b>'
EVIDENCE = "frame 3 repeats frame 2 (difference 0.4 times the noise)" + ", and so on" * 70
SEGMENTS = [
    found(3, 9, evidence=EVIDENCE),
    found(5, 6, "duplicate", rule=RULE, confidence=1.0),
    found(1798, 1803, "flash"),
]
MS = Fraction(1, 1000)
VARYING: dict[str, Any] = {"ticks": [0, 40, 85, 120, 171, 200, 243], "time_base": MS}
CUE = re.compile(r"(\d\d):(\d\d):(\d\d)[.,](\d{3}) --> (\d\d):(\d\d):(\d\d)[.,](\d{3})")


def written(run: Run, ending: str) -> str:
    text = export_run(run, run.path.with_name(f"out{ending}"), overwrite=True)
    return text.read_bytes().decode()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    told = {"path": f"/v/{ODD_NAME}"}
    return segment_run(tmp_path_factory.mktemp("run"), SEGMENTS, **ntsc(1810), test=told)


def events(text: str) -> list[tuple[str, list[str]]]:
    """(track, timecodes) of every event of an EDL."""
    lines = [line.split() for line in text.splitlines() if line[:1].isdigit()]
    assert [line[0] for line in lines] == [f"{number:03}" for number in range(1, len(lines) + 1)]
    assert all((line[1], line[3], len(line)) == ("AX", "C", 8) for line in lines)
    return [(line[2], line[4:]) for line in lines]


def test_edl_with_drop_frame_timecode(run: Run) -> None:
    text = written(run, ".edl")
    assert text.startswith(f"TITLE: {SHOWN_NAME.replace('|', '/')}\nFCM: DROP FRAME\n")
    assert events(text) == [
        ("V", ["00:00:00;03", "00:00:00;09", "01:00:00;03", "01:00:00;09"]),
        ("V2", ["00:00:00;05", "00:00:00;06", "01:00:00;05", "01:00:00;06"]),
        ("V", ["00:00:59;28", "00:01:00;05", "01:00:59;28", "01:01:00;05"]),
    ]
    markers = re.findall(r"^(.+) \|C:ResolveColor(\w+) \|M:(\w+) \|D:(\d+)$", text, re.M)
    assert [each[1:] for each in markers] == [
        ("Red", "freeze", "6"),
        ("Yellow", "duplicate", "1"),
        ("Blue", "flash", "5"),
    ]
    notes = [each[0] for each in markers]
    assert notes[0] == f"frames [3, 9); {EVIDENCE}; confidence 0.88"
    assert notes[1] == f"frames [5, 6); worst at frame 5: ssim 0.25; rule {RULE.replace('|', '/')}"
    assert f"\n* LOC: 01:00:00;03 RED     freeze: {notes[0]}\n" in text
    assert text.count("\n* FROM CLIP NAME: ") == 3


def test_edl_with_non_drop_timecode(run: Run) -> None:
    text = written(run, ".ndf.edl")
    assert "FCM: NON-DROP FRAME\n" in text
    assert events(text)[2][1] == ["00:00:59:28", "00:01:00:03", "01:00:59:28", "01:01:00:03"]


def test_edl_of_times_that_no_timecode_counts(tmp_path: Path) -> None:
    with (
        segment_run(tmp_path, **VARYING) as varying,
        pytest.raises(UsageError, match=r"clip\.mp4: its frame rate varies: export \.otio, "),
    ):
        written(varying, ".edl")
    with (
        segment_run(tmp_path, ticks=[0, 1, 2], time_base=Fraction(1, 120)) as fast,
        pytest.raises(UsageError, match="120 frames a second have no timecode"),
    ):
        written(fast, ".ndf.edl")
    hours = [0, 1, 2, 23 * 3600 * 25]
    with (
        segment_run(tmp_path, ticks=hours, time_base=Fraction(1, 25)) as long,
        pytest.raises(UsageError, match="lasts for more than 23 hours"),
    ):
        written(long, ".edl")
    assert [each.name for each in tmp_path.iterdir()] == ["run.h5"]


def test_otio(run: Run) -> None:
    otio = pytest.importorskip("opentimelineio")
    timeline = otio.adapters.read_from_string(written(run, ".otio"), "otio_json")
    (clip,) = timeline.find_clips()
    assert clip.name == SHOWN_NAME
    assert clip.media_reference.target_url == "file:///v/a%20%22b%22%0A%7C%3C%C3%BC%3E%25.mp4"
    assert clip.source_range == clip.media_reference.available_range
    assert (clip.source_range.start_time.value, clip.source_range.duration.value) == (0, 1810)
    assert clip.source_range.duration.rate == 30000 / 1001
    spans = [
        (each.marked_range.start_time.value, each.marked_range.end_time_exclusive().value)
        for each in clip.markers
    ]
    assert spans == [(each.start, each.stop) for each in SEGMENTS]
    assert [each.name for each in clip.markers] == ["freeze", "duplicate", "flash"]
    assert [each.color for each in clip.markers] == ["RED", "YELLOW", "BLUE"]
    assert clip.markers[0].comment == f"frames [3, 9); {EVIDENCE}; confidence 0.88"
    assert clip.markers[1].comment == f"frames [5, 6); worst at frame 5: ssim 0.25; rule {RULE}"
    assert dict(clip.markers[0].metadata["vfiscope"]) == vars(SEGMENTS[0])


def test_otio_of_a_varying_rate_counts_ticks(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    with segment_run(tmp_path, [found(2, 4), found(6, 7)], **VARYING) as varying:
        timeline = otio.adapters.read_from_string(written(varying, ".otio"), "otio_json")
    (clip,) = timeline.find_clips()
    spans = [each.marked_range for each in clip.markers]
    assert [(each.start_time.value, each.duration.value) for each in spans] == [(85, 86), (243, 42)]
    assert {each.start_time.rate for each in spans} == {1000}
    assert "varies" in timeline.metadata["vfiscope"]["times"]


def test_otio_of_numbered_images(tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    images: dict[str, Any] = {"ticks": range(6), "time_base": Fraction(1, 12), "rows": [2, 4]}
    told = {"kind": "images", "path": "/v/shot 1"}
    names = ["a_0098.png", "a_0102.png"]
    with segment_run(tmp_path, [found(2, 5)], **images, names=names, test=told) as run:
        timeline = otio.adapters.read_from_string(written(run, ".otio"), "otio_json")
    (clip,) = timeline.find_clips()
    media = clip.media_reference
    assert media.target_url_for_image_number(2) == "file:///v/shot%201/a_0098.png"
    assert media.number_of_images_in_sequence() == 5
    (marker,) = clip.markers
    assert marker.marked_range.start_time == otio.opentime.RationalTime(2, 12)


def test_otio_without_its_library(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentimelineio", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'vfiscope\[otio\]'"):
        written(run, ".otio")


def seconds(text: str) -> Fraction:
    assert re.fullmatch(r"\d+(/\d+)?s", text)
    return Fraction(text.removesuffix("s"))


def test_fcpxml(run: Run) -> None:
    text = written(run, ".fcpxml")
    assert text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n<fcpxml ')
    root = ElementTree.fromstring(text)
    assert root.get("version") == "1.9"
    frame = Fraction(1001, 30000)
    (made,) = root.iter("format")
    assert seconds(made.get("frameDuration", "")) == frame
    assert (made.get("width"), made.get("height")) == ("64", "48")
    (media,) = root.iter("media-rep")
    assert media.get("src") == "file:///v/a%20%22b%22%0A%7C%3C%C3%BC%3E%25.mp4"
    (sequence,) = root.iter("sequence")
    assert sequence.get("tcFormat") == "DF"
    (clip,) = root.iter("asset-clip")
    assert clip.get("name") == SHOWN_NAME
    assert seconds(clip.get("duration", "")) == 1810 * frame
    spans = [
        (seconds(each.get("start", "")), seconds(each.get("duration", "")))
        for each in clip.findall("marker")
    ]
    assert spans == [(each.start * frame, (each.stop - each.start) * frame) for each in SEGMENTS]
    first, second, _ = clip.findall("marker")
    assert first.get("note") == f"frames [3, 9); {EVIDENCE}; confidence 0.88"
    assert second.get("value") == "duplicate"
    assert second.get("note") == f"frames [5, 6); worst at frame 5: ssim 0.25; rule {RULE}"


def test_fcpxml_of_a_varying_rate_has_presentation_times(tmp_path: Path) -> None:
    with segment_run(tmp_path, [found(2, 4)], **VARYING) as varying:
        root = ElementTree.fromstring(written(varying, ".fcpxml"))
    (marker,) = root.iter("marker")
    assert marker.attrib["start"] == "17/200s"  # 85 ms
    assert seconds(marker.attrib["duration"]) == Fraction(86, 1000)
    (made,) = root.iter("format")
    assert made.get("frameDuration") == "1001/24000s"  # next to 42 ms
    assert [each.get("format") for each in root.iter("asset")] == [None]
    assert "varies" in root.findtext(".//note", "")
    (clip,) = root.iter("asset-clip")
    assert seconds(clip.attrib["duration"]) == Fraction(7007, 24000)  # 285 ms in whole frames


def cues(text: str) -> list[tuple[int, int, str]]:
    """(start, stop) in milliseconds and the text of every cue."""
    found_cues = []
    for block in text.strip().split("\n\n"):
        for number, line in enumerate(block.split("\n")):
            if times := CUE.fullmatch(line):
                hours, minutes, whole, rest = (
                    list(map(int, times.groups()[n::4])) for n in range(4)
                )
                start, stop = (
                    ((hours[n] * 60 + minutes[n]) * 60 + whole[n]) * 1000 + rest[n] for n in (0, 1)
                )
                assert start < stop
                found_cues.append((start, stop, "\n".join(block.split("\n")[number + 1 :])))
    return found_cues


@pytest.mark.parametrize("ending", [".vtt", ".srt"])
def test_cues_are_active_with_exactly_their_frames(run: Run, ending: str) -> None:
    text = written(run, ending)
    made = cues(text)
    for segment, (start, stop, _) in zip(SEGMENTS, made, strict=True):
        active = [
            n
            for n in range(1810)
            if start <= n * Fraction(1001, 30) < stop  # milliseconds
        ]
        assert active == list(range(segment.start, segment.stop))
    words = f"duplicate\nframes [5, 6); worst at frame 5: ssim 0.25; rule {RULE}"
    assert made[0][2] == f"freeze\nframes [3, 9); {EVIDENCE}; confidence 0.88"
    if ending == ".srt":
        assert made[1][2] == words
        assert re.findall(r"^\d+$", text, re.M) == ["1", "2", "3"]
    else:
        assert unescape(made[1][2]) == words
        assert text.startswith("WEBVTT\n\nNOTE\n")
        assert text.count("-->") == 3  # and none in a text


def test_cues_of_a_varying_rate_and_of_short_frames(tmp_path: Path) -> None:
    with segment_run(tmp_path, [found(2, 4)], **VARYING) as varying:
        assert cues(written(varying, ".vtt"))[0][:2] == (85, 171)
    fast: dict[str, Any] = {"ticks": range(9), "time_base": Fraction(1, 4000)}
    with segment_run(tmp_path, [found(1, 2)], **fast) as short:
        assert cues(written(short, ".srt"))[0][:2] == (0, 1)


def test_rows_and_report(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(written(run, ".segments.csv"))))
    assert [(int(each["start"]), int(each["stop"])) for each in rows] == [
        (each.start, each.stop) for each in SEGMENTS
    ]
    assert (rows[0]["evidence"], rows[1]["rule"]) == (EVIDENCE, RULE)
    assert rows[2]["start_exact_s"] == str(1798 * Fraction(1001, 30000))
    assert rows[2]["stop_timecode"] == "00:01:00;05"
    report = json.loads(written(run, ".segments.json"))
    assert (report["format"], report["version"]) == ("vfiscope segments", 1)
    assert report["frames_per_second"] == {"exact": "30000/1001", "value": 30000 / 1001}
    assert report["timecode"] == "drop-frame"
    assert report["inputs"][0]["path"] == f"/v/{ODD_NAME}"
    assert report["inputs"][1]["role"] == "ref"
    entries = report["segments"]
    kept = [field.name for field in fields(Segment)]
    # Where no place is known, there is no box.
    assert [{key: each.get(key, 0) for key in kept} for each in entries] == [
        vars(each) for each in SEGMENTS
    ]
    nowhere = dict.fromkeys("xywh", "")
    assert {**nowhere, **{key: str(value) for key, value in entries[2].items()}} == rows[2]


def test_report_of_a_varying_rate(tmp_path: Path) -> None:
    with segment_run(tmp_path, [found(2, 4)], **VARYING) as varying:
        report = json.loads(written(varying, ".segments.json"))
    assert (report["frames_per_second"], report["timecode"]) == (None, None)
    (entry,) = report["segments"]
    assert (entry["start_exact_s"], entry["stop_exact_s"]) == ("17/200", "171/1000")
    assert entry["start_timecode"] is None


def test_images_are_counted_and_named(tmp_path: Path) -> None:
    hours: dict[str, Any] = {
        "ticks": [3_600_000_000 * n for n in (0, 1, 2, 14, 15)],
        "time_base": Fraction(1, 10**6),
        "first": 1_577_836_800_000_000,  # 2020
        "names": [f"{n}.jpg" for n in range(5)],
        "test": {"kind": "images", "path": "/v/garden", "times_from": "exif"},
    }
    with segment_run(tmp_path, [found(2, 4)], **hours) as images:
        assert events(written(images, ".edl"))[0][1][:2] == ["00:00:00:02", "00:00:00:04"]
        assert cues(written(images, ".vtt"))[0][:2] == (80, 160)
        assert "Images are counted at 25 frames a second, one frame each." in written(
            images, ".vtt"
        )
        root = ElementTree.fromstring(written(images, ".fcpxml"))
        (row,) = csv.DictReader(io.StringIO(written(images, ".segments.csv")))
    assert [each.get("duration") for each in root.iter("gap")] == ["1/5s"]
    assert "2.jpg..3.jpg, 2020-01-01 02:00" in root.find(".//marker").attrib["note"]
    assert (row["start_name"], row["stop_name"]) == ("2.jpg", "3.jpg")
    assert (row["start_timecode"], row["start_exact_s"]) == ("00:00:00:02", "7200")
    assert row["start_at"] == "2020-01-01T02:00:00+00:00"


@pytest.mark.parametrize("ending", SEGMENT_FORMATS)
def test_a_run_without_segments_is_a_valid_empty_file(tmp_path: Path, ending: str) -> None:
    if ending == ".otio":
        pytest.importorskip("opentimelineio")
    with segment_run(tmp_path, **ntsc(5)) as empty:
        text = written(empty, ending)
    counts = {
        ".segments.csv": lambda: len(list(csv.DictReader(io.StringIO(text)))),
        ".segments.json": lambda: len(json.loads(text)["segments"]),
        ".otio": lambda: text.count("Marker."),
        ".fcpxml": lambda: len(list(ElementTree.fromstring(text).iter("marker"))),
    }
    assert counts.get(ending, lambda: text.count("-->") + len(events(text)))() == 0
    assert (text == "") == (ending == ".srt")


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("/v/a b.mp4", "file:///v/a%20b.mp4"),
        ("C:\\v\\a#.mp4", "file:///C:/v/a%23.mp4"),
        ("/v/\udcff\ud800.mp4", "file:///v/%FF%EF%BF%BD.mp4"),
    ],
)
def test_addresses(tmp_path: Path, path: str, url: str) -> None:
    with segment_run(tmp_path, **ntsc(5), test={"path": path}) as odd:
        root = ElementTree.fromstring(written(odd, ".fcpxml"))
    assert [each.get("src") for each in root.iter("media-rep")] == [url]


def test_the_command(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "a.EDL"
    assert call("export", run.path, "-o", out) == 0
    assert out.read_text(encoding="utf-8") == written(run, ".edl")
    with pytest.raises(OutputExistsError):
        export_run(run, out)
