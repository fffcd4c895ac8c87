"""The claims of a container about its frames, held against what is in it."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from helpers.media import moving, pixels, write_video

import vfiscope as vs
from vfiscope.inspection.doctor import diagnose
from vfiscope.inspection.findings import DoctorCode
from vfiscope.sources import open_source
from vfiscope.sources.video.frame_claims import emptied_places
from vfiscope.types import Code, Note

FRAMES = 12
QUICK: dict[str, Any] = {"golden": 0, "metrics": "psnr", "maps": "none", "fields": "none"}


class Places(NamedTuple):
    """Where the frames of a file lie: first and last byte of each."""

    starts: list[int]
    ends: list[int]


def avi_places(data: bytes) -> Places:
    """Chunks "00dc" of the list "movi" (Microsoft, AVI RIFF File Reference)."""
    found, at = Places([], []), data.index(b"movi") + 4
    while data[at : at + 4] == b"00dc":
        length = struct.unpack("<L", data[at + 4 : at + 8])[0]
        found.starts.append(at)
        at += 8 + length + length % 2
        found.ends.append(at)
    return found


def ivf_places(data: bytes) -> Places:
    """Frames with 12 bytes before each, after 32 of the file."""
    found, at = Places([], []), 32
    while at < len(data):
        found.starts.append(at)
        at += 12 + struct.unpack("<L", data[at : at + 4])[0]
        found.ends.append(at)
    return found


def written(path: Path, codec: str, **more: Any) -> Path:
    return write_video(path, moving(FRAMES, 48, 64), codec=codec, pix_fmt="yuv420p", **more)


@pytest.mark.parametrize(
    ("suffix", "codec", "places"),
    [("avi", "mpeg4", avi_places), ("ivf", "libvpx-vp9", ivf_places)],
)
def test_a_piece_that_stands_twice_is_said(
    tmp_path: Path, suffix: str, codec: str, places: Callable[[bytes], Places]
) -> None:
    path = written(tmp_path / f"a.{suffix}", codec)
    data = path.read_bytes()
    starts, ends = places(data)
    assert len(starts) == FRAMES
    twice = tmp_path / f"twice.{suffix}"
    twice.write_bytes(data[: ends[7]] + data[starts[5] :])
    with vs.scan(str(twice), **QUICK) as run:
        assert (run.status, len(run)) == ("partial", FRAMES + 3)
        values = {"count": 3, "role": "test", "path": str(twice)}
        assert Note(Code.SURPLUS, values) in run.coded_notes
        words = f"3 frames more than claimed, as if a part were there twice, in test {twice}"
        assert words in run.notes
    (finding,) = [each for each in diagnose(str(twice)).findings if each.what == "frame count"]
    assert finding.note == Note(DoctorCode.SURPLUS_FRAMES, {"claimed": FRAMES, "there": FRAMES + 3})


@pytest.mark.parametrize(
    ("name", "codec", "more"),
    [
        ("a.avi", "mpeg4", {"options": {"bf": "2"}}),
        ("b.avi", "libx264", {"options": {"x264-params": "log-level=none:bframes=3"}}),
        ("held.avi", "mpeg4", {"pts": [2 * i for i in range(FRAMES)]}),
        ("a.ivf", "libvpx-vp9", {}),
        ("held.ivf", "libvpx-vp9", {"pts": [3 * i + i % 3 for i in range(FRAMES)]}),
        ("a.mp4", "mpeg4", {}),
        ("a.mkv", "mpeg4", {}),
    ],
)
def test_healthy_files_hold_no_more_than_they_claim(
    tmp_path: Path, name: str, codec: str, more: dict[str, Any]
) -> None:
    with open_source(written(tmp_path / name, codec, **more)) as source:
        assert (len(pixels(source)), source.counts.surplus) == (FRAMES, 0)


def test_fragments_that_the_header_does_not_count_are_no_surplus(tmp_path: Path) -> None:
    """The header of a fragmented MP4 is about its first fragment."""
    path = written(
        tmp_path / "a.mp4",
        "mpeg4",
        options={"g": "4"},
        container_options={"movflags": "frag_keyframe"},
    )
    with open_source(path) as source:
        assert (len(pixels(source)), source.counts.surplus) == (FRAMES, 0)
        assert source.info.frames_expected == 4


def test_an_avi_of_several_chunks_may_count_its_first(tmp_path: Path) -> None:
    path = written(tmp_path / "a.avi", "mpeg4")
    data = path.read_bytes()
    starts, ends = avi_places(data)
    body = b"movi" + data[starts[0] : ends[-1]]
    more = b"AVIXLIST" + struct.pack("<L", len(body)) + body
    path.write_bytes(data + b"RIFF" + struct.pack("<L", len(more)) + more)
    with open_source(path) as source:
        found = pixels(source)
        assert (len(found), source.info.frames_expected) == (2 * FRAMES, FRAMES)
        np.testing.assert_array_equal(found[:FRAMES], found[FRAMES:])
        assert source.counts.surplus == 0


def test_frames_after_a_stop_are_not_counted(tmp_path: Path) -> None:
    path = written(tmp_path / "a.avi", "mpeg4")
    data = path.read_bytes()
    path.write_bytes(data + data)
    for stop, surplus in ((FRAMES + 4, 0), (None, FRAMES)):
        with open_source(path, stop=stop) as source:
            assert len(pixels(source)) == (stop or 2 * FRAMES)
            assert source.counts.surplus == surplus


def test_real_files_with_an_exact_claim_meet_it(shared_data: Path) -> None:
    clips = [path for kind in ("avi", "ivf") for path in shared_data.glob(f"videos/*/*.{kind}")]
    assert clips
    for clip in clips:
        with open_source(clip) as source:
            assert (len(pixels(source)), source.counts.surplus) == (source.info.frames_expected, 0)


@pytest.mark.parametrize(
    ("pts", "discarded", "hidden"),
    [
        ([0, 512, 1024, 2048, 2560], 1, 1),  # the frame of 1536 lies elsewhere
        ([2560, 0, 2048, 512, 1024], 1, 1),
        ([0, 512, 1024, 1536, 2048], 1, 0),  # a beginning was cut off
        ([0, 512, 1024, 2048, 3072], 1, 0),  # two gaps and one discarded frame
        ([0, 500, 1024, 2048, 2560], 1, 0),  # no constant distance
        ([0, 512, 1024, 2048, 2560], 0, 0),
        ([0, 512], 1, 0),
        ([5, 5, 5, 5], 1, 0),
    ],
)
def test_frames_that_an_edit_list_hides_among_others(
    pts: list[int], discarded: int, hidden: int
) -> None:
    assert emptied_places(np.array(pts, np.int64), discarded) == hidden
