"""Files that are no result, or a damaged one, are refused in one line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.edits import drop, spoil
from helpers.results import (
    GRID,
)

from vfiscope.errors import StoreError
from vfiscope.store import Run

ROWS = 100
WRITTEN = 10_000
"""Values of a dataset that is written."""


def external(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps/mismatch"] = h5py.ExternalLink("/etc/passwd", "/x")


def soft(h5: Any) -> None:
    del h5["scores"]
    h5["scores"] = h5py.SoftLink("/frames")


def foreign_storage(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps"].create_dataset("mismatch", (100,), "u1", external=[("/etc/passwd", 0, 100)])


def absurd_rows(h5: Any) -> None:
    del h5["frames/pts"]
    h5["frames"].create_dataset("pts", (2**45,), "<i8", chunks=(64,), compression="gzip")


def absurd_cells(h5: Any) -> None:
    del h5["maps/mismatch"]
    h5["maps"].create_dataset(
        "mismatch", (3, 2**20, 2**20), "<f2", chunks=(1, 64, 64), compression="gzip"
    )


def virtual(h5: Any) -> None:
    layout = h5py.VirtualLayout((100,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "x", (100,))
    del h5["scores/psnr"]
    h5["scores"].create_virtual_dataset("psnr", layout)


def foreign_filter(h5: Any) -> None:
    del h5["scores/psnr"]
    h5["scores"].create_dataset("psnr", (100,), "f4", chunks=(100,), compression="lzf")


def short(h5: Any) -> None:
    attrs = dict(h5["scores/psnr"].attrs)
    del h5["scores/psnr"]
    h5["scores/psnr"] = np.zeros(99, "f4")
    h5["scores/psnr"].attrs.update(attrs)


def long_double(h5: Any) -> None:
    attrs = dict(h5["scores/psnr"].attrs)
    del h5["scores/psnr"]
    h5["scores/psnr"] = np.zeros(100, np.longdouble)
    h5["scores/psnr"].attrs.update(attrs)


def claims(
    name: str, shape: tuple[int, ...], dtype: Any = None, **options: Any
) -> Callable[[Any], None]:
    """Another dataset of that name, of zeros, which are not even written where they are many."""

    def edit(h5: Any) -> None:
        attrs, kind = dict(h5[name].attrs), h5[name].dtype if dtype is None else dtype
        del h5[name]
        made = h5.create_dataset(
            name, shape, kind, **{"chunks": (1,) * len(shape), "compression": "gzip", **options}
        )
        made.attrs.update(attrs)
        if made.size < WRITTEN and dtype is None:
            made[()] = 0

    return edit


def put(name: str, value: Any) -> Callable[[Any], None]:
    return lambda h5: h5[name].__setitem__(3, value)


def no_rows(h5: Any) -> None:
    del h5["frames/index"]
    h5["frames"].create_dataset("index", (0,), np.int64, chunks=(64,), maxshape=(None,))


GROWING = {"chunks": (2**27,), "maxshape": (None,)}


REFUSED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (lambda path: path.unlink(), "is missing: name a result file"),
    "folder": (lambda path: (path.unlink(), path.mkdir()), "is a folder: name a result file"),
    "empty": (lambda path: path.write_bytes(b""), "is not an HDF5 file"),
    "text": (lambda path: path.write_text("hello"), "is not an HDF5 file"),
    "cut off": (
        lambda path: os.truncate(path, path.stat().st_size // 2),
        "is damaged or cut short: copy it again, or make it again",
    ),
    "no rows": (spoil(no_rows), "holds no frames: make it again"),
    "other HDF5": (lambda path: h5py.File(path, "w").close(), "not from vfiscope"),
    "other format": (spoil(lambda h5: h5.attrs.create("format", "colmap")), "not from vfiscope"),
    "format is no text": (spoil(lambda h5: h5.attrs.create("format", [1, 2])), "not from vfiscope"),
    "newer": (
        spoil(lambda h5: h5.attrs.create("format_version", 2)),
        "format version 2 .* upgrade vfiscope",
    ),
    "version is no number": (
        spoil(lambda h5: h5.attrs.create("format_version", "x")),
        "the head of .* cannot be read",
    ),
    "unfinished": (spoil(lambda h5: h5.attrs.create("complete", False)), "is unfinished"),
    "never finished": (spoil(lambda h5: h5.attrs.__delitem__("complete")), "is unfinished"),
    "no config": (spoil(lambda h5: h5.attrs.__delitem__("config")), "the file is damaged"),
    "config is no JSON": (spoil(lambda h5: h5.attrs.create("config", "{")), "the file is damaged"),
    "no scores": (spoil(drop("scores")), "/scores is missing"),
    "no column": (spoil(drop("frames/pts")), "the file is damaged"),
    "no segments": (spoil(drop("segments/peak")), "the file is damaged"),
    "column too short": (spoil(short), "holds 100 frames, but /scores/psnr has 99 rows"),
    "column of another type": (spoil(long_double), r"/scores/psnr is float\d+, not float32"),
    "group for a score": (
        spoil(lambda h5: h5["scores"].create_group("x")),
        "/scores/x is not stored in the file",
    ),
    "absurd number of rows": (
        spoil(absurd_rows),
        r"/frames/pts claims the shape \(35184372088832,\)",
    ),
    "wide column": (
        spoil(claims("frames/pts", (100, 2**20))),
        r"/frames/pts claims the shape \(100, 1048576\)",
    ),
    "wide score": (
        spoil(claims("scores/psnr", (100, 2**20))),
        r"/scores/psnr claims the shape \(100, 1048576\)",
    ),
    "flat map": (
        spoil(claims("maps/mismatch", (100, 9))),
        r"/maps/mismatch claims the shape \(100, 9\)",
    ),
    "three to a field": (
        spoil(claims("fields/motion", (100, 3, 2, 2))),
        r"/fields/motion claims .* \(100, 3, 2, 2\)",
    ),
    "wide segments": (
        spoil(claims("segments/peak", (1, 2**20))),
        r"/segments/peak claims the shape",
    ),
    "map too long": (
        spoil(claims("maps/mismatch", (101, 3, 4))),
        "100 frames, but /maps/mismatch has 101 rows",
    ),
    "large chunk": (
        spoil(claims("frames/pts", (100,), **GROWING)),
        r"/frames/pts claims chunks \(134217728,\)",
    ),
    "large value": (
        spoil(claims("frames/pts", (100,), "V10000000")),
        r"/frames/pts is \|V10000000, not int64",
    ),
    "text for a number": (
        spoil(claims("segments/peak", (1,), "S9")),
        r"/segments/peak is \|S9, not float64",
    ),
    "unknown role": (spoil(put("frames/role", 9)), r"/frames/role\[3\] is 9, which means nothing"),
    "unknown status": (
        spoil(put("frames/status", 9)),
        r"/frames/status\[3\] is 9, which means nothing",
    ),
    "register alone": (
        spoil(lambda h5: h5.attrs.create("register", '{"method": "sift"}')),
        "no /registration",
    ),
    "absurd map": (spoil(absurd_cells), r"/maps/mismatch claims the shape \(3, 1048576, 1048576\)"),
    "external link": (spoil(external), "/maps/mismatch is not stored in the file itself"),
    "soft link": (spoil(soft), "/scores is missing or a link"),
    "external storage": (spoil(foreign_storage), "/maps/mismatch is not stored in the file itself"),
    "virtual": (spoil(virtual), "/scores/psnr is not stored in the file itself"),
    "other filter": (spoil(foreign_filter), "/scores/psnr is not stored in the file itself"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_result_is_refused_in_one_line(result: Path, case: str) -> None:
    damage, message = REFUSED[case]
    damage(result)
    with pytest.raises(StoreError, match=message) as caught:
        Run(result)
    assert str(result) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_flipped_bit_in_a_map_is_noticed(result: Path) -> None:
    with h5py.File(result, "r") as h5:
        chunk = h5["maps/mismatch"].id.get_chunk_info(1)
    data = bytearray(result.read_bytes())
    data[chunk.byte_offset + chunk.size // 2] ^= 1
    result.write_bytes(data)
    with Run(result) as run:
        assert run.maps["mismatch"][0].shape == GRID
        with pytest.raises(StoreError, match=r"mismatch\[70\] of .* cannot be read"):
            run.maps["mismatch"][70]
