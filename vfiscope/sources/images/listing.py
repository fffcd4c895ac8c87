"""List the image files of a sequence in order."""

from __future__ import annotations

import itertools
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from vfiscope.errors import SourceError
from vfiscope.sources.images.file_order import Ordered, in_order
from vfiscope.sources.images.image_header import EXTENSIONS, HEIC_EXTENSIONS
from vfiscope.sources.images.patterns import matching
from vfiscope.types import Code, Gap, Note, counted

__all__ = [
    "Listing",
    "has_pattern",
    "is_image_name",
    "list_folder",
    "list_glob",
    "list_pattern",
    "note_on_gaps",
]

PRINTF = re.compile(r"(?<!%)(?:%%)*(%(0?\d*)d)")


VIDEO_EXTENSIONS = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v", ".ts", ".y4m", ".mpg", ".yuv")


class Listing(NamedTuple):
    """Image files in natural order, and what is unusual about them."""

    files: tuple[str, ...]
    notes: tuple[Note, ...]
    gaps: tuple[Gap, ...] = ()


def is_image_name(path: str) -> bool:
    """True for a name with the extension of a readable image format."""
    return path.lower().endswith(EXTENSIONS)


def has_pattern(path: str) -> bool:
    """True for a name with a printf number, such as ``f_%04d.png``."""
    return PRINTF.search(os.path.basename(path)) is not None


def list_folder(path: str) -> Listing:
    """The images of a folder, its subfolders left out.

    Raises:
        SourceError: it cannot be listed, holds no image, or two files have the same number.
    """
    try:
        with os.scandir(path) as entries:
            found = [(entry.path, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise SourceError(f"{path!r} cannot be listed: {error.strerror}") from error
    files = [name for name, is_folder in found if not is_folder]
    folders = len(found) - len(files)
    return _listing(path, files, [Note(Code.FOLDERS_INSIDE, {"count": folders})] * bool(folders))


def list_glob(path: str) -> Listing:
    """The images that a glob matches; ``**`` goes through folders.

    Raises:
        SourceError: it matches nothing, or no image, or too many folders would be searched, or two
        files have the same number.
    """
    matched = list(matching(path))
    if not matched:
        raise SourceError(f"no file fits {path!r}: check the folder and the pattern")
    return _listing(path, matched, [])


def list_pattern(path: str) -> Listing:
    """The files of a printf pattern, from the smallest number that exists on.

    Raises:
        SourceError: the pattern holds more than one number, or matches no file.
    """
    folder, name = os.path.split(path)
    numbers = list(PRINTF.finditer(name))
    if len(numbers) != 1:
        raise SourceError(
            f"{path!r} holds {len(numbers)} numbers: pass a pattern with one, as in f_%04d.png"
        )
    match = numbers[0]
    before, after = (
        name[: match.start(1)].replace("%%", "%"),
        name[match.end(1) :].replace("%%", "%"),
    )
    sign = "" if before[-1:].isalnum() else "-?"  # where a minus is a part of the number
    shape = re.compile(rf"{re.escape(before)}({sign}\d+){re.escape(after)}")
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise SourceError(f"{folder!r} cannot be listed: {error.strerror}") from error
    fitting = (shape.fullmatch(entry) for entry in names)
    files = [found for found in fitting if found and found[1] == match[1] % int(found[1])]
    if not files:
        raise SourceError(f"no file fits {path!r}: check the folder and the number of digits")
    signed = any(found[1].startswith("-") for found in files)
    return _listing(path, [os.path.join(folder, found[0]) for found in files], [], signed=signed)


def _listing(
    path: str, found: Sequence[str], notes: Sequence[Note], *, signed: bool = False
) -> Listing:
    files = [
        name for name in found if is_image_name(name) and not os.path.basename(name).startswith(".")
    ]
    # A GIF among other images shows them all rather than being one of them.
    files = [name for name in files if not name.lower().endswith(".gif")] or files
    if not files:
        raise SourceError(f"{path!r} holds no image{_instead(found, notes)}")
    left_out = len(found) - len(files)
    files, heic = _one_kind(files)
    ordered = in_order(files, signed=signed)
    if ordered.same is not None:
        one, other = ordered.same
        raise SourceError(
            f"{os.path.basename(one)} and {os.path.basename(other)} of {os.path.dirname(one)} stand"
            " for the same frame: remove one, or pass a glob"
        )
    gaps = _gaps(ordered)
    others = [Note(Code.OTHER_FILES, {"count": left_out})]
    numbering = [note_on_gaps(gaps)] if gaps else []
    return Listing(
        ordered.files,
        (*(others if left_out else ()), *heic, *notes, *_on_numbers(ordered), *numbering),
        gaps,
    )


def _instead(found: Sequence[str], notes: Sequence[Note]) -> str:
    """What there is instead of images, and what to pass."""
    videos = sorted(name for name in found if name.lower().endswith(VIDEO_EXTENSIONS))
    if videos:
        such = f", such as {os.path.basename(videos[0])}"
        return f" but {counted(len(videos), 'video')}{such}: pass one of them"
    if any(note.code == Code.FOLDERS_INSIDE for note in notes):
        return " but folders: pass one of them, or a quoted glob such as 'FOLDER/*/*.png'"
    return f": images end in {' '.join(EXTENSIONS)}"


def _one_kind(files: list[str]) -> tuple[list[str], list[Note]]:
    """Files without those of the rarer kind, where HEIC and others are mixed, and a note on them:
    phones and their programs save one photo as both."""
    heic = [name for name in files if name.lower().endswith(HEIC_EXTENSIONS)]
    others = [name for name in files if not name.lower().endswith(HEIC_EXTENSIONS)]
    left_out, kept = sorted((heic, others), key=len)  # of equal numbers HEIC is left out
    if not left_out:
        return files, []
    values = {"count": len(left_out), "file": os.path.basename(min(left_out))}
    return kept, [Note(Code.MIXED_WITH_HEIC, values)]


def _on_numbers(ordered: Ordered) -> Iterator[Note]:
    """Notes on numbers that order files otherwise than their digits do."""
    numbers, written = ordered.numbers, ordered.written
    if numbers != written:
        row = next(
            row for row, pair in enumerate(zip(numbers, written, strict=True)) if pair[0] != pair[1]
        )
        values = {"before": written[row - 1], "after": written[row], "first": written[0]}
        yield Note(Code.COUNTER_STARTS_AGAIN, values)
    if numbers and numbers[0] < 0:
        file = os.path.basename(ordered.files[0])
        yield Note(Code.NEGATIVE_NUMBERS, {"file": file, "number": numbers[0]})


def _gaps(ordered: Ordered) -> tuple[Gap, ...]:
    """The gaps in the numbering, where most numbers have the same distance."""
    steps = [after - before for before, after in itertools.pairwise(ordered.numbers)]
    if not steps:
        return ()
    usual, times = Counter(steps).most_common(1)[0]
    if usual < 1 or 2 * times <= len(steps):
        return ()
    return tuple(
        Gap(row, ordered.written[row - 1], ordered.written[row], step // usual - 1)
        for row, step in enumerate(steps, start=1)
        if step >= 2 * usual
    )


def note_on_gaps(gaps: Sequence[Gap]) -> Note:
    """A note on one or more gaps: the first, and how many others there are."""
    first = gaps[0]
    values = {"before": first.before, "after": first.after, "missing": first.missing}
    total = sum(gap.missing for gap in gaps)
    return Note(Code.NUMBERING_GAPS, {**values, "others": len(gaps) - 1, "missing_in_all": total})
