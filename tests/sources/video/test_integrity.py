"""What a file gives away of its missing end, and that a whole one gives away nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from helpers.media import moving, write_clip, write_video

import vfiscope as vs
from vfiscope.inspection.doctor import diagnose
from vfiscope.sources import open_source
from vfiscope.sources.video.integrity import failed_checksums, why_cut_short
from vfiscope.sources.video.packet_list import packets
from vfiscope.types import Code, Note

MADE = [
    ("mkv", "ffv1", "bgr0"),
    ("webm", "libvpx-vp9", "yuv420p"),
    ("mp4", "libx264", "yuv420p"),
    ("mov", "mjpeg", "yuvj420p"),
    ("avi", "mjpeg", "yuvj420p"),
    ("gif", "gif", "rgb8"),
    ("ts", "mpeg2video", "yuv420p"),
]


@pytest.mark.parametrize(("suffix", "codec", "pix_fmt"), MADE)
def test_every_cut_is_noticed_and_a_whole_file_is_whole(
    tmp_path: Path, suffix: str, codec: str, pix_fmt: str
) -> None:
    path = write_video(tmp_path / f"a.{suffix}", moving(8, 48, 64), codec=codec, pix_fmt=pix_fmt)
    assert why_cut_short(str(path)) is None
    data = path.read_bytes()
    cut = tmp_path / f"b.{suffix}"
    for missing in (1, 7, 100, len(data) // 3 | 1):
        cut.write_bytes(data[:-missing])
        assert "cut short" in str(why_cut_short(str(cut))), missing


def test_damaged_blocks_of_a_gif_are_noticed(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.gif", moving(4, 16, 16), codec="gif", pix_fmt="rgb8")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\x21\xf9\x04", b"\x99\xf9\x04"))
    assert why_cut_short(str(path)) == Note(Code.GIF_BAD_BLOCK, {"byte": 0x99})
    path.write_bytes(data + b"junk")
    assert why_cut_short(str(path)) == Note(Code.GIF_ENDS_EARLY)


def test_a_track_without_a_time_scale_is_noticed(tmp_path: Path) -> None:
    """One flipped bit in the name of its box, and FFmpeg takes times for milliseconds: the edit
    list then hides most frames."""
    path = write_video(
        tmp_path / "a.mp4",
        moving(20, 48, 64),
        codec="libx264",
        pix_fmt="yuv420p",
        options={"x264-params": "log-level=none:bframes=3"},
    )
    assert why_cut_short(str(path)) is None
    path.write_bytes(path.read_bytes().replace(b"mdhd", b"mdhl"))
    assert why_cut_short(str(path)) == Note(Code.TIME_SCALE_MISSING)
    with vs.scan(str(path), golden=0, metrics="psnr", maps="none", fields="none") as run:
        assert run.status == "partial"
        assert f"test {path}: a track has no time scale (box mdhd): it is damaged" in run.notes


def test_the_damage_is_in_what_a_source_says(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4")
    assert open_source(path).info.damage == ()
    path.write_bytes(path.read_bytes()[:-5])
    (damage,) = open_source(path).info.damage
    assert damage.code == Code.FILE_CUT_SHORT
    assert str(damage).endswith("it is cut short by 5 bytes")


def test_a_matroska_file_that_ends_before_its_duration_is_short(tmp_path: Path) -> None:
    """Zeros in its second half end the demuxing early, without an error and at the right size."""
    path = write_video(
        tmp_path / "a.webm", moving(20, 48, 64), codec="libvpx-vp9", pix_fmt="yuv420p"
    )
    with open_source(path) as source:
        list(source)
        assert source.counts.short == 0
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] + bytes(len(data) - len(data) // 2))
    with vs.scan(str(path), golden=0, metrics="psnr", maps="none", fields="none") as run:
        assert run.status == "partial"
        missing = 20 - len(run)
        assert missing > 1
        assert (
            f"{missing} missing frames at the end, by the claimed duration, in test {path}"
            in run.notes
        )


def test_real_clips_are_whole(shared_data: Path) -> None:
    for path in sorted((shared_data / "videos").glob("*/*.*")):
        if path.suffix in (".mp4", ".mkv", ".avi", ".gif", ".webm", ".mov"):
            assert why_cut_short(str(path)) is None, path


def test_flipped_bits_in_matroska_fail_their_checksum(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", moving(8, 48, 64), codec="libx264", pix_fmt="yuv420p")
    assert failed_checksums(str(path)) is None
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    reason = failed_checksums(str(path))
    assert reason is not None
    assert str(reason).startswith("1 of its parts, the first at byte ")
    with vs.scan(str(path), golden=0, metrics="psnr", maps="none", fields="none") as run:
        assert run.status == "partial"
        assert run.notes == [f"test {path}: {reason}"]
        values = {"role": "test", "path": str(path), "note": reason}
        assert run.coded_notes == [Note(Code.SOURCE_DAMAGED, values)]
    assert diagnose(str(path)).media["test"].info.damage == (reason,)


def test_files_without_checksums_and_cut_ones_say_nothing_of_checksums(tmp_path: Path) -> None:
    mp4 = write_clip(tmp_path / "a.mp4")
    assert failed_checksums(str(mp4)) is None
    mkv = write_video(tmp_path / "a.mkv", moving(8, 48, 64))
    cut = tmp_path / "cut.mkv"
    for size in (5, 40, 100, mkv.stat().st_size - 50):
        cut.write_bytes(mkv.read_bytes()[:size])
        assert failed_checksums(str(cut)) is None


def test_real_matroska_files_meet_their_checksums(shared_data: Path) -> None:
    clips = [
        path for kind in ("mkv", "webm") for path in (shared_data / "videos").glob(f"*/*.{kind}")
    ]
    assert len(clips) == 5
    assert [failed_checksums(str(path)) for path in clips] == [None] * 5


@pytest.mark.parametrize(
    ("byte", "bit", "told"),
    [(0, 0x20, 0), (1, 0x40, 0), (2, 0x40, 0), (-9, 0x01, None)],
    ids=["name", "length", "track", "length of the cluster"],
)
def test_a_block_that_a_flip_hides_is_told(
    tmp_path: Path, byte: int, bit: int, told: int | None
) -> None:
    """FFmpeg skips it without a word, and of one frame at the end the duration says nothing."""
    path = write_video(
        tmp_path / "a.webm", moving(12, 48, 64), codec="libvpx-vp9", pix_fmt="yuv420p"
    )
    assert failed_checksums(str(path)) is None
    data = bytearray(path.read_bytes())
    if told is None:
        at = cluster = data.index(b"\x1f\x43\xb6\x75")
        data[cluster + 5] ^= bit
    else:  # SimpleBlock, length of one byte, track 1 (RFC 9559, 5.1.3.4)
        at = max(i for i in range(len(data) - 3) if data[i] == 0xA3 and data[i + 2] == 0x81)
        data[at + byte] ^= bit
    path.write_bytes(data)
    fault = failed_checksums(str(path))
    assert fault is not None
    assert fault.code == Code.STRUCTURE_BROKEN
    assert told is None or fault.values == {"at": at}
    with vs.scan(str(path), golden=0, metrics="psnr", maps="none", fields="none") as run:
        assert run.status == "partial"
        assert f"test {path}: {fault}" in run.notes


def test_a_live_recording_that_was_stopped_has_no_fault(tmp_path: Path) -> None:
    """Segment and clusters of unknown length, a last block that is not whole."""
    path = write_video(
        tmp_path / "a.webm",
        moving(12, 48, 64),
        codec="libvpx-vp9",
        pix_fmt="yuv420p",
        container_options={"live": "1"},
    )
    data = path.read_bytes()
    for cut in (0, 3, 20):
        path.write_bytes(data[: len(data) - cut])
        assert failed_checksums(str(path)) is None


@pytest.mark.parametrize("what", [b"\x47", b"\0\0\1\xe0"])
def test_a_frame_of_a_transport_stream_whose_beginning_is_gone_is_lost(
    tmp_path: Path, what: bytes
) -> None:
    """The first byte of its packet, or the start code of its stream packet: FFmpeg says nothing."""
    path = write_video(tmp_path / "a.ts", moving(8, 48, 64), codec="mpeg2video", pix_fmt="yuv420p")
    with open_source(path) as source:
        list(source)
        assert (source.counts.decoded, source.counts.lost) == (8, 0)
    data = bytearray(path.read_bytes())
    assert data[-188:-185] == b"\x47\x41\x00"  # PID 256, the start of a stream packet
    data[data.index(what, len(data) - 188)] ^= 0x20
    path.write_bytes(data)
    with open_source(path) as source:
        list(source)
        assert (source.counts.decoded, source.counts.lost) == (7, 1)
    found = diagnose(str(path)).media["test"]
    assert found.lost == 1


def test_a_stream_that_begins_late_is_passed_over() -> None:
    """PyAV raises IndexError for a packet of a stream that it did not know when the file was
    opened, as where the identifier of a transport packet was damaged; the file goes on."""

    class Plain(str):
        def has_sidedata(self, name: str) -> bool:
            return False

    class Container:
        def __init__(self) -> None:
            failing = IndexError("list index out of range")
            self.left = [Plain("first"), failing, Plain("second"), Plain("third")]

        def demux(self, stream: object) -> Iterator[object]:
            while self.left:
                packet = self.left.pop(0)
                if isinstance(packet, Exception):
                    raise packet
                yield packet

    found: Any = packets("a.ts", cast(Any, Container()), cast(Any, None))
    assert list(found) == ["first", "second", "third"]
