"""What people have in a notebook: one meaning is taken, anything else is refused with the line."""

from __future__ import annotations

import errno
import itertools
import re
import tempfile
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers.media import Array, noise, pixels
from PIL import Image

import vfiscope as vs
from vfiscope.errors import SourceError
from vfiscope.sources import digest, held, open_source
from vfiscope.types import Code, Note

MADE = noise(5, 9, 16)
GRAY = MADE[..., 0]
OPAQUE = np.concatenate([MADE, np.full((5, 9, 16, 1), 255, np.uint8)], -1)
PLANES = np.ascontiguousarray(MADE.transpose(0, 3, 1, 2))
TAKEN: dict[str, tuple[Callable[[], Any], Array]] = {
    "float64": (lambda: MADE / 255.0, MADE),
    "float32": (lambda: (MADE / 255.0).astype(np.float32), MADE),
    "float16": (lambda: (MADE / 255.0).astype(np.float16), MADE),
    "planes": (lambda: PLANES, MADE),
    "tensor of planes": (lambda: torch.from_numpy(PLANES), MADE),
    "float tensor of planes": (lambda: torch.from_numpy(PLANES).float() / 255, MADE),
    "tensor with gradients": (lambda: (torch.from_numpy(MADE) / 255).requires_grad_(), MADE),
    "list of arrays": (lambda: list(MADE), MADE),
    "tuple of tensors of planes": (lambda: tuple(torch.from_numpy(PLANES)), MADE),
    "list of images": (lambda: [Image.fromarray(frame) for frame in MADE], MADE),
    "gray images": (lambda: [Image.fromarray(frame) for frame in GRAY], GRAY[..., None]),
    "one image": (lambda: Image.fromarray(MADE[0]), MADE[:1]),
    "generator": (lambda: (frame for frame in MADE), MADE),
    "generator of planes": (lambda: iter(PLANES / 255.0), MADE),
    "gray": (lambda: GRAY, GRAY[..., None]),
    "gray with an axis": (lambda: GRAY[..., None], GRAY[..., None]),
    "gray planes": (lambda: GRAY[:, None], GRAY[..., None]),
    "one gray frame": (lambda: GRAY[0], GRAY[:1, ..., None]),
    "opaque": (lambda: OPAQUE, MADE),
    "opaque planes": (lambda: OPAQUE.transpose(0, 3, 1, 2) / 255.0, MADE),
    "opaque images": (lambda: [Image.fromarray(frame) for frame in OPAQUE], MADE),
}


@pytest.mark.parametrize("name", TAKEN)
def test_forms_with_one_meaning_are_taken_exactly(name: str) -> None:
    make, expected = TAKEN[name]
    expected = np.broadcast_to(expected, (*expected.shape[:3], 3))
    with open_source(make()) as source:
        assert (source.info.bit_depth, source.info.kind) == (8, "array")
        np.testing.assert_array_equal(pixels(source), expected)
        np.testing.assert_array_equal(source.frames_at([0]).interleaved, expected[:1])
        assert digest(source.info) == digest(open_source(np.array(expected)).info)


def test_floats_that_eight_bits_do_not_hold_become_sixteen() -> None:
    values = np.linspace(0, 1, 5 * 9 * 16 * 3).reshape(5, 9, 16, 3)
    with open_source(values) as source:
        assert source.info.bit_depth == 16
        np.testing.assert_array_equal(pixels(source), np.rint(values * 65535))
    deep = noise(2, 9, 16, dtype=np.uint16)
    np.testing.assert_array_equal(pixels(open_source(deep / 65535)), deep)
    half = torch.from_numpy(PLANES).bfloat16() / 256
    np.testing.assert_array_equal(
        pixels(open_source(half)),
        np.rint(half.float().permute(0, 2, 3, 1).numpy().astype(float) * 65535),
    )


def test_a_transparent_image_is_laid_on_black_and_said() -> None:
    clear = OPAQUE[0].copy()
    clear[:, :8, 3] = 51
    with open_source([Image.fromarray(clear)]) as source:
        got = pixels(source)[0]
        np.testing.assert_array_equal(got[:, :8], np.rint(MADE[0, :, :8] * 0.2))
        np.testing.assert_array_equal(got[:, 8:], MADE[0, :, 8:])
        assert source.info.notes == (Note(Code.ALPHA_ON_BLACK),)


HOLE = np.zeros(MADE.shape[1:])
HOLE[0, 0, 0] = np.nan

REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "alpha": (lambda: OPAQUE // 2, "x[..., :3]"),
    "alpha in front": (lambda: OPAQUE.transpose(0, 3, 1, 2) // 2, "x[:, :3]"),
    "three gray": (lambda: GRAY[:3], "x[..., None]"),
    "three planes": (lambda: PLANES[0], "x.transpose(1, 2, 0)"),
    "planes of time": (lambda: PLANES.transpose(1, 0, 2, 3), "x.transpose(1, 2, 3, 0)"),
    "batches": (lambda: MADE[None], "x.reshape(-1, *x.shape[2:])"),
    "minus one to one": (lambda: MADE / 127.5 - 1, "(x + 1) / 2"),
    "overshoot": (lambda: MADE / 255 * 1.1 - 0.05, "x.clip(0, 1)"),
    "codes as floats": (lambda: MADE.astype(float), "x.round().astype(np.uint8)"),
    "not a number": (lambda: np.where(MADE > 250, np.nan, MADE / 255), "np.nan_to_num(x)"),
    "one not a number": (lambda: [MADE[0] / 255, MADE[0] / 255 + HOLE], "np.nan_to_num(x)"),
    "integers": (lambda: MADE.astype(np.int64), "x.astype(np.uint8)"),
    "large integers": (lambda: MADE.astype(np.int32) * 9, "x.astype(np.uint16)"),
    "masks": (lambda: MADE > 9, "x.astype(np.uint8) * 255"),
    "tensor": (lambda: torch.from_numpy(PLANES).float(), "x.round().to(torch.uint8)"),
    "tensors": (lambda: [torch.from_numpy(PLANES[0]) / 64 - 1], "[(x - x.min()) /"),
    "loader": (lambda: iter([MADE, MADE]), "[frame for batch in frames for frame in batch]"),
}


def right_line(message: str) -> str:
    """The line of code that a refusal names."""
    line = message.split(": pass ", 1)[1]
    for end in (" to leave it out", " if these are", " if channels", " if the first"):
        line = line.split(end)[0]
    return line.removeprefix("its frames one by one: ")


@pytest.mark.parametrize("name", REFUSED)
def test_other_forms_are_refused_with_the_line_that_makes_them_right(name: str) -> None:
    make, expected = REFUSED[name]
    with pytest.raises(SourceError) as caught:
        open_source(make())
    line = right_line(str(caught.value))
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)
    frames = list(x) if isinstance(x := make(), Iterator) else x
    right = eval(line, {"x": x, "frames": frames, "np": np, "torch": torch})
    with open_source(right) as source:
        assert len(pixels(source)) == source.info.frames_expected


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ([], "is not a sequence of frames"),
        (np.zeros((0, 8, 8, 3), np.uint8), "is not a sequence of frames"),
        (np.zeros((2, 8, 8, 7), np.uint8), "is not a sequence of frames"),
        (np.full((2, 8, 8, 3), "a"), "is not a sequence of frames"),
        (iter([]), "a generator without a frame is not a source"),
        ([MADE[0], MADE[0, :4]], r"frame 1 is \(4, 16, 3\) uint8, frame 0 is \(9, 16, 3\) uint8"),
        (iter([MADE[0], MADE[0] / 255]), r"frame 1 is \(9, 16, 3\) float64, frame 0 is"),
        (["a.png", "b.png"], r"a list of names is not a source \('a.png'\): pass their folder"),
        ([{}], "a dict is not a frame"),
    ],
)
def test_what_no_line_makes_right_is_refused(target: Any, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        open_source(target)


class Loader:
    """Can be gone through, as a DataLoader can."""

    def __iter__(self) -> Iterator[Array]:
        return iter(MADE)


class Dataset:
    """Becomes an array, as a dataset of h5py does."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        return MADE


@pytest.mark.parametrize(
    ("x", "line"), [(Loader(), "iter(x)"), (Dataset(), "np.asarray(x)")], ids=["loader", "dataset"]
)
def test_other_objects_are_refused_with_the_line(x: Any, line: str) -> None:
    with pytest.raises(SourceError, match=rf"is not a source: pass {re.escape(line)}"):
        open_source(x)
    right = eval(line, {"x": x, "np": np})
    np.testing.assert_array_equal(pixels(open_source(right)), MADE)


def test_an_open_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    with (
        open(tmp_path / "a", "rb") as file,
        pytest.raises(SourceError, match="BufferedReader is not a source: pass the name of the"),
    ):
        open_source(file)


def counted(alive: list[weakref.ref[Any]], n: int | None) -> Iterator[Array]:
    """Frames whose first pixel is their number; ``alive`` tells how many are held."""
    for i in itertools.count() if n is None else range(n):
        frame = np.full((4, 6, 3), i, np.uint8)
        alive.append(weakref.ref(frame))
        yield frame
        del frame
        assert sum(each() is not None for each in alive) <= 1


def test_a_generator_is_never_held_whole_and_can_be_read_again() -> None:
    with open_source(counted([], 20), batch=3) as source:
        assert pixels(source)[:, 0, 0, 0].tolist() == list(range(20))
        assert pixels(source)[:, 0, 0, 0].tolist() == list(range(20))
        assert source.frames_at([19, 2]).interleaved[:, 0, 0, 0].tolist() == [19, 2]


@pytest.mark.parametrize(
    "shown", [GRAY[:3], GRAY[:4, :, :3], PLANES[:2]], ids=["gray", "narrow", "planes"]
)
def test_a_generator_is_several_frames_however_it_is_read(shown: Array) -> None:
    expected = pixels(open_source(list(shown)))
    assert len(expected) == len(shown)
    for options in ({}, {"crop": "bars"}):
        with open_source(iter(shown), **options) as source:
            np.testing.assert_array_equal(pixels(source), expected)
    with vs.scan(iter(shown), metrics="psnr") as run:
        assert len(run.scores["psnr"]) == len(shown)


def test_an_endless_generator_is_read_up_to_the_stop() -> None:
    with open_source(counted([], None), stop=4) as source:
        assert pixels(source)[:, 0, 0, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.slow
def test_generators_are_scored_as_the_arrays_that_they_yield() -> None:
    other = (MADE ^ 3).astype(np.uint8)
    options: dict[str, Any] = {"align": "auto", "resize": "area", "metrics": "psnr"}
    with (
        vs.score(iter(MADE), ref=(frame / 255 for frame in other), **options) as run,
        vs.score(MADE, ref=other, **options) as expected,
    ):
        np.testing.assert_array_equal(run.scores["psnr"], expected.scores["psnr"])
        assert run.sources[1]["digest"] == expected.sources[1]["digest"]
        assert run.config["test"] == run.config["ref"] == "array"
    with vs.scan(iter(MADE), golden=2, stop=4, metrics="psnr") as run:
        assert np.isposinf(run.scores["psnr"]).tolist() == [False, False, True, False]
    with vs.compare(Image.fromarray(MADE[0]), list(MADE[:1]), metrics="psnr") as run:
        assert np.isposinf(run.scores["psnr"]).all()
    with vs.score(tuple(MADE), ref=MADE, metrics="psnr") as run:
        assert run.config["test"] == "array"


def test_a_full_disk_under_a_generator_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, **_: Any) -> None: ...
        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None: ...
        def write(self, data: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", Full)
    with pytest.raises(SourceError, match=r"frame 0 of a generator .*No space left.*set TMPDIR"):
        held(iter(MADE))


@pytest.mark.parametrize(
    ("bits", "remedy"), [(8, "x.astype(np.uint8)"), (10, "x << 6"), (12, "x << 4")]
)
def test_values_of_fewer_bits_in_sixteen_are_said(
    bits: int, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    x = noise(2, 9, 16, dtype=np.uint16) >> (16 - bits)
    x[0, 0, 0, 0] = (1 << bits) - 1
    with vs.score(x, ref=x, metrics="psnr") as run:
        (said, _) = run.warnings
    expected = (
        f"test array: its values end at {(1 << bits) - 1} of 65535, as if they had {bits} bits"
    )
    assert said.startswith(expected)
    assert said.endswith(f"pass {remedy}")
    assert f"warning: {said}" in caplog.messages
    right = eval(remedy, {"x": x, "np": np})
    assert open_source(right).info.notes == ()


def test_dark_but_deep_values_and_black_are_not_suspected() -> None:
    dark = np.full((1, 9, 16, 3), 4096, np.uint16)
    assert open_source(dark).info.notes == ()
    assert open_source(dark * 0).info.notes == ()
