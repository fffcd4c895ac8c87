"""The frames that a run scored, read again from its inputs in the same way, without torch."""

from __future__ import annotations

import glob
import logging
import os
from collections import deque
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vfiscope.comparisons import FrameRequest, comparison_of
from vfiscope.config import MAX_BATCH_BYTES
from vfiscope.errors import SourceError, UsageError
from vfiscope.options import RunConfig, declared
from vfiscope.scoring.frames_in_turn import frames_in_turn
from vfiscope.scoring.inputs import golden_index, open_inputs
from vfiscope.sources import Source, digest, has_pattern, matching, total_size
from vfiscope.store import Run
from vfiscope.types import ComparedFrames, FetchedFrame, Frames, SourceInfo, Status

__all__ = ["fetch", "frames_of", "opened_inputs", "streamed"]

log = logging.getLogger("vfiscope")

READING = (
    "lag",
    "align",
    "start",
    "stop",
    "step",
    "fps",
    "resize",
    "tonemap",
    "time_from",
    "stream",
    "deinterlace",
    "raw_size",
    "raw_format",
    "max_width",
    "crop",
    "crop_ref",
    "regions",
    "normal",
)
"""Options that decide which frames are read, and how."""
LONG = 2000
"""Decoding a video up to a frame beyond this ordinal takes a while."""
HELD_BYTES = 2**29
"""Pixels that are held while rows are read again."""
LARGE = 2**28
"""Size in bytes from which an apparently unchanged video is not digested again."""


def fetch(
    run: Run, rows: Sequence[int], root: str | os.PathLike[str] | None = None
) -> list[ComparedFrames]:
    """Fetch the test frames of some rows of a run, and what they were compared with.

    Only these frames are held in memory. In videos they are found through the keyframes that the
    run stored, and checked against its notes about them; where that fails, and in results of older
    versions, videos are decoded from their start.

    Args:
        run: a finished run.
        rows: places in ``run.frames``.
        root: a folder that the inputs lie in now, for inputs that were moved.

    Raises:
        SourceError: an input is not there any more, is another one than the run was made from, was
            an array in memory, or does not hold a frame that the run scored.
        UsageError: the frames do not fit in 2 GiB.
    """
    with opened_inputs(run, root) as sources:
        return list(streamed(run, sources, rows, most=_most_fetched(run, sources, rows)))


@contextmanager
def opened_inputs(
    run: Run, root: str | os.PathLike[str] | None = None
) -> Iterator[Mapping[str, Source]]:
    """The inputs of a run, opened again as they were read, by role.

    Raises:
        SourceError: as :func:`fetch`.
    """
    with ExitStack() as stack:
        sources = open_inputs(_reading(run, root), stack)
        for role, source in sources.items():
            _check_same(run, role, source)
            source.seek_table = run.seek_tables.get(role)
        yield sources


def streamed(
    run: Run, sources: Mapping[str, Source], rows: Sequence[int], most: int | None = None
) -> Iterator[ComparedFrames]:
    """As :func:`fetch`, for any number of rows, from inputs that are open.

    Every input is read once, from front to back, unless the partners lie so far from the test
    frames that more than ``most`` frames would be held at a time.

    Args:
        run: a finished run.
        sources: its inputs, by role.
        rows: places in ``run.frames``; one without a test frame is left out.
        most: frames held at a time; by default as many as take 512 MiB.
    """
    frame = 3 * max(source.size[0] * source.size[1] for source in sources.values())
    wanted = {row: _wanted(run, row) for row in rows}
    needed = [[one for one in each if one is not None] for each in wanted.values()]
    pictures = frames_in_turn(needed, partial(_read, run, sources), most or HELD_BYTES // frame)
    for (row, each), found in zip(wanted.items(), pictures, strict=True):
        test, *others = (None if one is None else found[one] for one in each)
        if test is not None:
            partner, before, after = others
            phase = float(run.frames.phase[row])
            compared = ComparedFrames(row, test, partner, before, after, phase=phase)
            yield _registered(run, compared)


def frames_of(
    run: Run,
    rows: Sequence[int],
    role: str = "test",
    root: str | os.PathLike[str] | None = None,
) -> Frames:
    """The decoded frames of some rows of a run: in full bit depth, resized to the size that was
    scored, not registered.

    Args:
        run: a finished run.
        rows: places in ``run.frames``, in any order, repeated as often as wanted.
        role: of the input: "test" for the frames that were scored, "ref", "golden" or "source" for
            those they were compared with; of a source, the frame before.
        root: a folder that the inputs lie in now, for inputs that were moved.

    Returns:
        One frame for each row, in this order.

    Raises:
        SourceError: an input is not there any more, is another one than the run was made from, was
            an array in memory, or does not hold a frame that the run scored.
        UsageError: the run has no such role or row, the row has no partner, or the frames do not
            fit in 2 GiB.
    """
    roles = [str(source["role"]) for source in run.sources]
    if role not in roles:
        raise UsageError(f"{run.path} has no input {role!r}: choose from {', '.join(roles)}")
    if wrong := [row for row in rows if not 0 <= row < len(run)]:
        raise UsageError(f"{run.path} has no row {wrong[0]}: it has {len(run)}, counted from 0")
    column = run.frames.index if role == "test" else run.frames.ref_index
    ordinals = [int(column[row]) for row in rows]
    if -1 in ordinals:
        raise UsageError(
            f"row {rows[ordinals.index(-1)]} of {run.path} has no partner: leave it out"
        )
    with ExitStack() as stack:
        source = open_inputs(_reading(run, root), stack)[role]
        _check_same(run, role, source)
        source.seek_table = run.seek_tables.get(role)
        return source.frames_at(ordinals)


def _wanted(run: Run, row: int) -> tuple[FrameRequest | None, ...]:
    """The test frame of a row, its partner, and the real frames before and after it."""
    test = FrameRequest("test", int(run.frames.index[row]))
    return test, *comparison_of(run).compared_with(run, row)


# ---------------------------------------------------------------------------------- the same inputs


def _reading(run: Run, root: str | os.PathLike[str] | None) -> RunConfig:
    """The options with which the run read its inputs, with their current paths."""
    paths = {str(source["role"]): _found(run, source, root) for source in run.sources}
    if golden_index(run.config.get("golden")) is not None:
        paths["golden"] = run.config["golden"]
    known = declared()
    options = {name: run.config[name] for name in READING if name in run.config and name in known}
    return RunConfig(run.mode, **{**options, **_crops(run), **paths, "batch": 1})


def _crops(run: Run) -> dict[str, str]:
    """The boxes that were scored, wherever bars were left out."""
    boxes = [
        source.get("crop") or [0, 0, source["width"], source["height"]] for source in run.sources
    ]
    if not any(source.get("crop") for source in run.sources):
        return {}
    texts = [",".join(str(value) for value in box) for box in boxes]
    if golden_index(run.config.get("golden")) is not None:
        return {"crop": texts[0]}
    return dict(zip(("crop", "crop_ref"), texts, strict=False))


def _found(run: Run, source: Mapping[str, Any], root: str | os.PathLike[str] | None) -> str:
    """The path of an input: as stored, or, with a root, the longest tail of its path that exists
    there."""
    role, path = source["role"], str(source["path"])
    if source.get("kind") == "array":
        raise SourceError(
            f"the {role} of {run.path} was an array in memory, which was not kept: score files to"
            " see frames"
        )
    if root is not None:
        parts = Path(path).parts
        ends = [str(Path(root, *parts[start:])) for start in range(1, len(parts))]
        if source.get("kind") == "images" and len({each["path"] for each in run.sources}) == 1:
            ends.append(str(root))  # of a single folder of images, that folder itself
        path = next((end for end in ends if _exists(end)), "")
        if not path:
            raise SourceError(
                f"no {parts[-1]}, the {role} of {run.path}, is in {root}: pass --root with the"
                " folder that holds it"
            )
    if not _exists(path):
        raise SourceError(
            f"{path}, the {role} of {run.path}, is not there any more: pass --root DIR, the folder"
            " that holds it now"
        )
    return path


def _exists(path: str) -> bool:
    if glob.has_magic(path) and not os.path.lexists(path):
        return any(True for _ in matching(path))
    return os.path.exists(path) or (has_pattern(path) and os.path.isdir(os.path.dirname(path)))


def _check_same(run: Run, role: str, source: Source) -> None:
    """Refuse an input whose content has changed since the run was made."""
    stored = next(each for each in run.sources if each["role"] == role)
    info = _as_stored(source.info, stored)
    size, then = info.size_bytes, stored.get("size_bytes")
    what = f"{source.info.path}, the {role} of {run.path}, has changed since it was scored"
    if size != then:
        raise SourceError(
            f"{what}: it had {then} bytes and has {size}; score it again, or restore the file"
        )
    if not _untouched(run, source, str(stored["path"])) and digest(info) != stored.get("digest"):
        raise SourceError(
            f"{what}: same size, but other content; score it again, or restore the file"
        )


def _as_stored(info: SourceInfo, stored: Mapping[str, Any]) -> SourceInfo:
    """The source with all of its images, where a run of an older version also covers those after
    the stop."""
    if not info.unread or info.size_bytes == stored.get("size_bytes"):
        return info
    files = (*info.files, *info.unread)
    return replace(info, files=files, unread=(), size_bytes=total_size(files))


def _untouched(run: Run, source: Source, path: str) -> bool:
    """True for a large video at its old path that was not written since the run began: it is not
    digested again.

    Renaming a folder leaves no trace in its files, so everything else is checked by content.
    """
    info = source.info
    if info.kind != "video" or info.size_bytes < LARGE or info.path != path or os.path.islink(path):
        return False
    began = datetime.fromisoformat(run.created) - timedelta(
        seconds=float(run.timings.get("seconds") or 0)
    )
    status = os.stat(path)
    return max(status.st_mtime, status.st_ctime) < began.timestamp()


# ----------------------------------------------------------------------------------------- frames


def _most_fetched(run: Run, sources: Mapping[str, Source], rows: Sequence[int]) -> int:
    """How many frames some rows take, if all of them fit in memory."""
    wanted = {one for row in rows for one in _wanted(run, row) if one is not None}
    held = sum(3 * sources[one.role].size[0] * sources[one.role].size[1] for one in wanted)
    if held > MAX_BATCH_BYTES:
        raise UsageError(
            f"these frames take {held / 2**30:.1f} GiB, and {MAX_BATCH_BYTES / 2**30:g} is the"
            " limit: choose fewer frames"
        )
    return max(1, len(wanted))


def _read(
    run: Run, sources: Mapping[str, Source], role: str, ordinals: Collection[int]
) -> Generator[FetchedFrame]:
    """Frames of one input, from front to back."""
    source, left = sources[role], deque(sorted(ordinals))
    info, names = source.info, source.info.names
    if info.kind == "video" and source.seek_table is None and left[-1] > LONG:
        log.info("decoding %s up to frame %d", info.path, left[-1])
    with closing(source.singles(ordinals)) as singles:
        for single in singles:
            if single.index != left[0]:
                break
            left.popleft()
            readable = single.status != Status.UNREADABLE
            yield FetchedFrame(
                role,
                single.index,
                names[single.index] if names else Path(info.path).name,
                info.files[single.index] if info.files else info.path,
                not names,
                single.shown if readable else None,
            )
    if left:
        raise SourceError(
            f"{info.path} has no frame {left[0]}, which {run.path} scored: score it again"
        )


def _registered(run: Run, each: ComparedFrames) -> ComparedFrames:
    """The test frame brought onto its partner and filled with its pixels, as it was scored, and the
    pixels that are its own."""
    table, test, partner = run.registration, each.test, each.partner
    if (
        table is None
        or not table.accepted[each.row]
        or partner is None
        or test.pixels is None
        or partner.pixels is None
    ):
        return each
    from vfiscope.registration import homography

    found = table.one(each.row, str((run.register or {}).get("method", "")))
    own = np.asarray(homography.warp(test.pixels, found.matrix))
    seen = homography.covered_mask(found.matrix, (own.shape[0], own.shape[1]))
    filled = np.where(seen[..., None], own, partner.pixels).astype(np.uint8)
    shown = replace(test, pixels=filled)
    return replace(each, test=shown, seen=seen, registration=found)
