from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import weakref
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from helpers.media import (
    column,
    from_planes,
    moving,
    noise,
    pixels,
    write_audio,
    write_clip,
    write_video,
)
from hypothesis import given
from hypothesis import strategies as st

from vfiscope.errors import SourceError, UsageError, VfiscopeError
from vfiscope.sources import digest, open_source, parse_position
from vfiscope.types import Code, Frames, Note

# ------------------------------------------------------------------------------ exactness and shape


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"), [("a.avi", "utvideo", "gbrp"), ("a.mkv", "ffv1", "bgr0")]
)
@pytest.mark.parametrize(("height", "width"), [(16, 24), (33, 47), (1, 1)])
def test_lossless_rgb_video_comes_back_exactly(
    tmp_path: Path, name: str, codec: str, pix_fmt: str, height: int, width: int
) -> None:
    made = noise(5, height, width)
    path = write_video(tmp_path / name, made, codec=codec, pix_fmt=pix_fmt)
    with open_source(path, batch=2) as source:
        assert (source.info.height, source.info.width, source.info.bit_depth) == (height, width, 8)
        assert source.info.color["matrix"] == "rgb"
        np.testing.assert_array_equal(pixels(source), made)
        assert [len(frames) for frames in source] == [2, 2, 1]
        assert source.counts.decoded == source.counts.delivered == 5
        assert source.counts.ended


def test_lossless_deep_rgb_video_comes_back_exactly(tmp_path: Path) -> None:
    made = noise(2, 18, 20, dtype=np.uint16)
    with open_source(write_video(tmp_path / "a.mkv", made, pix_fmt="gbrp16le")) as source:
        assert source.info.bit_depth == 16
        np.testing.assert_array_equal(pixels(source), made)


def test_ten_bit_rgb_spans_the_sixteen_bit_range(tmp_path: Path) -> None:
    levels = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    frame = from_planes([levels, levels[::-1], levels.T], "gbrp10le")
    with open_source(write_video(tmp_path / "a.mkv", [frame], pix_fmt="gbrp10le")) as source:
        expected = np.rint(np.stack([levels.T, levels, levels[::-1]], -1)[None] * (65535 / 1023))
        assert np.abs(pixels(source) - expected).max() <= 1


def test_tensors_are_channels_first_views_of_contiguous_rows() -> None:
    for frames in open_source(noise(5, 6, 8), batch=2):
        assert tuple(frames.data.shape[1:]) == (3, 6, 8)
        assert frames.data.transpose(0, 2, 3, 1).flags.c_contiguous


def test_batches_share_no_memory_with_each_other_or_the_input(tmp_path: Path) -> None:
    made = noise(6, 8, 8)
    for target in (made, write_video(tmp_path / "a.mkv", made)):
        batches = list(open_source(target, batch=2))
        np.testing.assert_array_equal(np.concatenate([f.interleaved for f in batches]), made)
        batches[0].data[:] = 0
        np.testing.assert_array_equal(batches[1].interleaved, made[2:4])
    assert made.any()


def test_a_batch_dies_when_its_consumer_lets_go(tmp_path: Path) -> None:
    source = open_source(write_video(tmp_path / "a.mkv", noise(8, 8, 8)), batch=2)
    alive: list[weakref.ref[Any]] = []
    for frames in source:
        alive.append(weakref.ref(frames))
        del frames
        assert sum(reference() is not None for reference in alive[:-1]) == 0


# --------------------------------------------------------------------------------------------- time


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    pts = [70, 73, 100, 101, 3000]
    path = write_video(tmp_path / "a.mkv", noise(5, 8, 8), pts=pts, time_base=Fraction(1, 1000))
    with open_source(path, batch=3) as source:
        assert source.info.time_base == Fraction(1, 1000)
        assert column(source, "pts") == pts
        assert column(source, "time_s") == [0.0, 0.003, 0.03, 0.031, 2.93]
        assert column(source, "index") == [0, 1, 2, 3, 4]


def test_ntsc_times_are_exact(tmp_path: Path) -> None:
    rate = Fraction(30000, 1001)
    path = write_video(
        tmp_path / "a.mp4", moving(9, 16, 16), codec="libx264", pix_fmt="yuv420p", rate=rate
    )
    with open_source(path) as source:
        assert source.info.rate == rate
        assert column(source, "time_s") == [float(Fraction(1001, 30000) * i) for i in range(9)]


def test_a_stream_without_times_gets_them_from_its_rate(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "a.h264", moving(6, 16, 16), codec="libx264", pix_fmt="yuv420p", rate=25
    )
    with av.open(str(path)) as container:
        assert next(container.decode(video=0)).pts is None
    with open_source(path) as source:
        assert source.info.frames_expected is None
        assert source.info.time_base == Fraction(1, 25)
        assert column(source, "pts") == [0, 1, 2, 3, 4, 5]
        assert Note(Code.NO_TIMES) in source.info.notes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (7, 7),
        ("120", 120),
        (2.5, Fraction(5, 2)),
        (0.1, Fraction(1, 10)),
        ("2.5s", Fraction(5, 2)),
        (".5s", Fraction(1, 2)),
        ("0:01:02.5", Fraction(125, 2)),
        ("1:02", Fraction(62)),
        ("1:00:00", Fraction(3600)),
    ],
)
def test_positions_are_ordinals_or_seconds(value: Any, expected: Any) -> None:
    parsed = parse_position(value)
    assert parsed == expected
    assert type(parsed) is type(expected)


@pytest.mark.parametrize(
    "value", [-1, -0.5, "2.5", "", "x", "1:2:3:4", True, float("nan"), float("inf"), "-3", "1e3s"]
)
def test_impossible_positions_are_refused(value: Any) -> None:
    with pytest.raises(UsageError, match="is not a position: pass a frame number"):
        parse_position(value)


@pytest.mark.parametrize("name", ["start", "stop"])
def test_a_position_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(UsageError, match=f"^{name}: '-3' is not a position"):
        open_source(noise(1, 4, 4), **{name: "-3"})


@given(
    n=st.integers(1, 12),
    start=st.none() | st.integers(0, 11),
    stop=st.none() | st.integers(1, 14),
    step=st.integers(1, 5),
    batch=st.integers(1, 4),
)
def test_selection_by_ordinal_is_slicing(
    n: int, start: int | None, stop: int | None, step: int, batch: int
) -> None:
    made = np.arange(n, dtype=np.uint8).repeat(12).reshape(n, 2, 2, 3)
    wanted = list(range(n))[start:stop:step]
    if start is not None and stop is not None and start >= stop:
        with pytest.raises(UsageError, match="is not before stop"):
            open_source(made, start=start, stop=stop, step=step)
        return
    source = open_source(made, start=start, stop=stop, step=step, batch=batch)
    if not wanted:
        with pytest.raises(UsageError, match=r"nothing of .* is selected by (start|stop)"):
            list(source)
        return
    assert column(source, "index") == wanted
    assert pixels(source)[:, 0, 0, 0].tolist() == wanted
    assert source.counts.delivered == len(wanted)


def test_selection_by_time_uses_presentation_times(tmp_path: Path) -> None:
    pts = [1000, 1100, 1200, 1300, 2000, 2100]
    path = write_video(tmp_path / "a.mkv", noise(6, 8, 8), pts=pts, time_base=Fraction(1, 1000))
    assert column(open_source(path, start=0.1, stop="1s"), "index") == [1, 2, 3]
    assert column(open_source(path, start="0:00:01", step=2), "time_s") == [1.0]
    assert column(open_source(path, start=2, stop="1.05s"), "index") == [2, 3, 4]


# -------------------------------------------------------------------------------- what is no source


def bad_file(folder: Path, kind: str) -> str:
    path = folder / "bad.mp4"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("not a video\n" * 50)
    elif kind == "ffconcat":
        write_video(folder / "good.mkv", noise(2, 8, 8))
        path.write_text("ffconcat version 1.0\nfile good.mkv\n")
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\ngood.ts\n#EXT-X-ENDLIST\n")
    elif kind == "no index":
        write_video(path, moving(9, 16, 16), codec="libx264", pix_fmt="yuv420p")
        path.write_bytes(path.read_bytes()[:-400])
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        return "/dev/zero"
    elif kind == "dangling":
        path.symlink_to(folder / "gone.mp4")
    elif kind == "audio":
        write_audio(path)
    elif kind == "cover":
        write_audio(path, picture=noise(1, 16, 16)[0])
    elif kind == "folder":
        path.mkdir()
        (path / "notes.txt").write_text("x")
    return str(path)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "does not exist"),
        ("empty", r"is empty \(0 bytes\)"),
        ("text", "is not a readable video"),
        ("ffconcat", "is not a readable video"),
        ("playlist", "is not a readable video"),
        ("no index", "is not a readable video .* incomplete"),
        ("pipe", "is not a regular file"),
        ("device", "is not a regular file"),
        ("dangling", "is a link to .* does not exist"),
        ("audio", "has no video stream"),
        ("cover", "has no video stream"),
        ("folder", "holds no image"),
    ],
)
def test_what_is_no_source_is_refused_in_one_line(tmp_path: Path, kind: str, reason: str) -> None:
    path = bad_file(tmp_path, kind)
    with pytest.raises(SourceError, match=reason) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    assert os.path.basename(path) in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["concat:a.mkv|b.mkv", "http://localhost/a.mp4", "file:a.mkv", "-i", "subfile:,,:a.mkv", ""],
)
def test_names_are_never_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for good in ("a.mkv", "b.mkv"):
        write_video(tmp_path / good, noise(2, 8, 8))
    with pytest.raises(
        SourceError, match=r"does not exist|is an address, and only local files are read"
    ):
        open_source(name)


def test_odd_names_are_just_names(tmp_path: Path) -> None:
    made = noise(2, 8, 8)
    for name in ("concat:a|b.mkv", "a [1]*?.mkv", "ü 漢\n.mkv", "f_%04d.mkv"):
        written = write_video(tmp_path / "plain.mkv", made).rename(tmp_path / name)
        np.testing.assert_array_equal(pixels(open_source(written)), made)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 8, 8), np.uint8),
        np.zeros((2, 8, 8, 5), np.uint8),
        np.zeros((2, 8, 8, 3), np.complex64),
        np.zeros((0, 8, 8, 3), "u1"),
    ],
)
def test_other_arrays_are_refused_by_shape_and_dtype(array: np.ndarray[Any, Any]) -> None:
    with pytest.raises(SourceError, match="is not a sequence of frames: pass") as caught:
        open_source(array)
    assert str(array.shape) in str(caught.value)
    assert str(array.dtype) in str(caught.value)


def test_numpy_and_torch_arrays_are_sources() -> None:
    import torch

    for dtype in (np.uint8, np.uint16):
        made = noise(3, 5, 7, dtype=dtype)
        for target in (made, torch.from_numpy(made), made[:, ::-1]):
            with open_source(target, fps=10) as source:
                np.testing.assert_array_equal(pixels(source), np.asarray(target))
                assert source.info.time_base == Fraction(1, 10)
                assert source.info.kind == "array"
    assert len(pixels(open_source(noise(1, 5, 7)[0]))) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"step": 0},
        {"batch": 0},
        {"fps": 0},
        {"fps": float("nan")},
        {"resize": (0, 4, "area")},
        {"resize": (4, 4, "magic")},
    ],
)
def test_impossible_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        open_source(noise(1, 4, 4), **options)


def test_other_objects_are_no_source() -> None:
    with pytest.raises(SourceError, match="a dict is not a source"):
        open_source({})


def test_a_source_is_refused_with_what_to_pass(clip: Path) -> None:
    for target, what in ((noise(1, 4, 4), "the array itself"), (clip, repr(str(clip)))):
        with open_source(target) as source:
            said = f"was opened before: pass what it was opened from, {what}"
            with pytest.raises(SourceError, match=re.escape(said)):
                open_source(source)


# --------------------------------------------------------------------------------- life of a source


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


def test_iteration_can_be_repeated_and_ends_with_closing(tmp_path: Path) -> None:
    for target in (noise(3, 8, 8), write_video(tmp_path / "a.mkv", noise(3, 8, 8))):
        with open_source(target, batch=2) as source:
            np.testing.assert_array_equal(pixels(source), pixels(source))
            running = iter(source)
            assert isinstance(next(running), Frames)
        with pytest.raises(SourceError, match="was closed: open it again"):
            next(running)
        with pytest.raises(SourceError, match="was closed: open it again"):
            iter(source)
        source.close()


def test_two_iterations_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    source = open_source(write_video(tmp_path / "a.mkv", noise(6, 8, 8)), batch=2)
    for one, other in zip(source, source, strict=True):
        np.testing.assert_array_equal(one.index, other.index)
        assert bool((one.data == other.data).all())


def test_leaving_early_closes_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(6, 8, 8))
    iterator = iter(open_source(path, batch=1))
    next(iterator)
    assert str(path) in open_paths()
    iterator.close()  # type: ignore[attr-defined]
    assert str(path) not in open_paths()


def open_paths() -> list[str]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be listed on this system")
    return [os.readlink(entry) for entry in folder.iterdir() if entry.exists()]


def run_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_decoding_imports_no_torch(clip: Path) -> None:
    code = (
        "import sys; from vfiscope.sources import open_source, digest\nsource ="
        " open_source(sys.argv[1]); digest(source.info)\n"
        "print(type(next(iter(source)).data).__name__, 'torch' in sys.modules)"
    )
    assert run_python(code, str(clip)) == "ndarray False\n"


@pytest.mark.slow
def test_a_program_that_stops_in_the_middle_ends(clip: Path) -> None:
    code = (
        "import sys, torch; from vfiscope.sources import open_source, prefetch\n"
        "direct = iter(open_source(sys.argv[1], batch=1)); next(direct)\n"
        "ahead = prefetch(open_source(sys.argv[1], batch=1), 2); next(ahead); print('left')"
    )
    assert run_python(code, str(clip)) == "left\n"


def test_digests_follow_the_content(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(2, 8, 8))
    assert (
        digest(open_source(path).info) == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    )
    one, other = noise(2, 8, 8), noise(2, 8, 8)
    assert digest(open_source(one).info) == digest(open_source(other).info)
    other[1, 7, 7, 2] ^= 1
    assert digest(open_source(one).info) != digest(open_source(other).info)
    assert digest(open_source(one).info) != digest(open_source(one.reshape(2, 4, 16, 3)).info)


def test_a_vanished_file_has_no_digest(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(2, 8, 8))
    info = open_source(path).info
    path.unlink()
    with pytest.raises(VfiscopeError, match="cannot be read: No such file"):
        digest(info)
