"""Recordings that were joined byte by byte: the clock starts again, and frames keep their order."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
from helpers.media import column, moving, pixels, write_video

from vfiscope.inspection.doctor import diagnose
from vfiscope.sources import open_source
from vfiscope.sources.video.clock_parts import in_parts
from vfiscope.types import Code, Note

H264: dict[str, Any] = {
    "codec": "libx264",
    "options": {"x264-params": "log-level=none:bframes=3:b-adapt=0:keyint=6:scenecut=0"},
}
MPEG2: dict[str, Any] = {"codec": "mpeg2video", "options": {"bf": "2", "g": "6", "b": "2000000"}}


def parts(folder: Path, lengths: list[int], suffix: str = "ts", **more: Any) -> list[Path]:
    """Recordings of frames that follow each other, each with a clock of its own."""
    made = moving(sum(lengths), 48, 64)
    ends = np.cumsum(lengths).tolist()
    return [
        write_video(
            folder / f"{i}.{suffix}", made[end - n : end], pix_fmt="yuv420p", **{**H264, **more}
        )
        for i, (n, end) in enumerate(zip(lengths, ends, strict=True))
    ]


def joined(pieces: list[Path]) -> Path:
    whole = pieces[0].with_name(f"joined{pieces[0].suffix}")
    whole.write_bytes(b"".join(piece.read_bytes() for piece in pieces))
    return whole


@pytest.mark.parametrize(
    ("lengths", "suffix", "more"),
    [
        ([12, 12], "ts", {}),
        ([8, 5, 9], "ts", MPEG2),
        ([12, 1, 7], "ts", {}),
        ([7, 9], "mpg", MPEG2),
    ],
    ids=["two parts", "three of MPEG-2", "a part of one frame", "program streams"],
)
def test_parts_follow_each_other_each_in_order_of_presentation(
    tmp_path: Path, lengths: list[int], suffix: str, more: dict[str, Any]
) -> None:
    pieces = parts(tmp_path, lengths, suffix, **more)
    expected = np.concatenate([pixels(open_source(piece)) for piece in pieces])
    with open_source(joined(pieces), batch=5) as source:
        np.testing.assert_array_equal(pixels(source), expected)
        counts = source.counts
        assert (counts.decoded, counts.broken, counts.corrupt, counts.unreadable) == (
            sum(lengths),
            0,
            0,
            0,
        )
        assert np.round(column(source, "time_s"), 6).tolist() == [
            i / 25 for i in range(sum(lengths))
        ]
        assert Note(Code.CLOCK_RESTARTS, {"frame": lengths[0]}) in source.info.notes
        last = source.frames_at([sum(lengths) - 1, lengths[0], 3]).interleaved
        np.testing.assert_array_equal(last, expected[[sum(lengths) - 1, lengths[0], 3]])


def test_a_part_that_begins_between_keyframes_comes_after_the_one_before(tmp_path: Path) -> None:
    first, second = parts(tmp_path, [12, 18])
    data = second.read_bytes()
    second.write_bytes(data[188 * (len(data) // 188 // 3) :])
    alone = pixels(open_source(first))
    with open_source(joined([first, second])) as source:
        np.testing.assert_array_equal(pixels(source)[:12], alone)
        assert np.diff(column(source, "time_s")).min() > 0
        assert source.counts.broken == 1  # its first packets lie in the last one of the first part
        assert Note(Code.CLOCK_RESTARTS, {"frame": 12}) in source.info.notes


def test_a_clock_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    whole = write_video(tmp_path / "a.ts", moving(14, 48, 64), pix_fmt="yuv420p", **H264)
    with open_source(whole) as source:
        assert np.round(column(source, "time_s"), 6).tolist() == [i / 25 for i in range(14)]
        assert Code.CLOCK_RESTARTS not in [note.code for note in source.info.notes]


def test_the_doctor_says_where_the_clock_starts_again(tmp_path: Path) -> None:
    found = diagnose(str(joined(parts(tmp_path, [12, 12]))))
    assert not found.damaged
    assert Note(Code.CLOCK_RESTARTS, {"frame": 12}) in [each.note for each in found.findings]
    assert not {"times_backward", "times_repeated", "rate_claimed_wrong"} & {
        each.note.code for each in found.findings
    }


class Written(NamedTuple):
    """A packet as a container stores it."""

    dts: int | None
    is_keyframe: bool = False


def parts_of(times: list[int | None], keys: set[int]) -> list[int]:
    """The part of each packet of a transport stream with these decoding times."""
    written = [Written(dts, at in keys) for at, dts in enumerate(times)]
    container = SimpleNamespace(format=SimpleNamespace(flags=0x200))
    return [part for _, part in in_parts(cast(Any, written), cast(Any, container))]


@pytest.mark.parametrize("keys", [{0}, {0, 3}], ids=["between keyframes", "keyframe"])
@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ([100, 200, 300, 5, 400, 500], [0, 0, 0, 0, 0, 0]),
        ([100, 200, 300, 100, 400, 500], [0, 0, 0, 0, 0, 0]),
        ([100, 200, 300, 5, 105, 205], [0, 0, 0, 1, 1, 1]),
        ([100, 200, 300, 5, 305, 405], [0, 0, 0, 0, 0, 0]),
        ([100, 200, 300, 100, 200, 300], [0, 0, 0, 1, 1, 1]),
        ([200, 300, 400, 100, 100, 200], [0, 0, 0, 1, 2, 2]),  # a part of one frame
    ],
)
def test_a_part_begins_where_the_clock_goes_on_from_an_early_time(
    times: list[int | None], expected: list[int], keys: set[int]
) -> None:
    assert parts_of(times, keys) == expected


def test_without_a_following_time_a_part_begins_with_a_keyframe_only() -> None:
    assert parts_of([100, 200, 300, 5], {0, 3}) == [0, 0, 0, 1]
    assert parts_of([100, 200, 300, 5, None], {0}) == [0, 0, 0, 0, 0]
