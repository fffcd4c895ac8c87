"""List the image files of a sequence in order."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from vfiscope.errors import SourceError
from vfiscope.sources.images.image_header import EXTENSIONS
from vfiscope.types import Code, Gap, Note

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
        SourceError: it matches nothing, or no image, or two files have the same number.
    """
    matched = glob.glob(path, recursive=True)
    if not matched:
        raise SourceError(f"no file fits {path!r}: check the folder and the pattern")
    return _listing(path, [name for name in matched if not os.path.isdir(name)], [])


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
    shape = re.compile(re.escape(before) + r"(\d+)" + re.escape(after))
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise SourceError(f"{folder!r} cannot be listed: {error.strerror}") from error
    fitting = (shape.fullmatch(entry) for entry in names)
    files = [found[0] for found in fitting if found and found[1] == match[1] % int(found[1])]
    if not files:
        raise SourceError(f"no file fits {path!r}: check the folder and the number of digits")
    return _listing(path, [os.path.join(folder, file) for file in files], [])


def _listing(path: str, found: Sequence[str], notes: Sequence[Note]) -> Listing:
    files = [
        name for name in found if is_image_name(name) and not os.path.basename(name).startswith(".")
    ]
    if not files:
        raise SourceError(f"{path!r} holds no image: images end in {' '.join(EXTENSIONS)}")
    from natsort import natsort_keygen, ns

    files.sort(key=natsort_keygen(alg=ns.PATH))
    _check_duplicates(files)
    left_out, gaps = len(found) - len(files), _gaps(files)
    others = [Note(Code.OTHER_FILES, {"count": left_out})] * bool(left_out)
    numbering = [note_on_gaps(gaps)] if gaps else []
    return Listing(tuple(files), (*others, *notes, *numbering), gaps)


def _check_duplicates(files: Sequence[str]) -> None:
    seen: dict[tuple[str, str], str] = {}
    for file in files:
        folder, name = os.path.split(file)
        key = (
            folder,
            re.sub(r"\d+", lambda digits: str(int(digits[0])), os.path.splitext(name)[0]),
        )
        if key in seen:
            raise SourceError(
                f"{seen[key]} and {name} stand for the same frame: remove one, or pass a glob"
            )
        seen[key] = file


def _gaps(files: Sequence[str]) -> tuple[Gap, ...]:
    """The gaps in the numbering, where most numbers have the same distance."""
    numbers = _numbers(files)
    steps = [after - before for before, after in itertools.pairwise(numbers)]
    if not steps:
        return ()
    usual, times = Counter(steps).most_common(1)[0]
    if usual < 1 or 2 * times <= len(steps):
        return ()
    return tuple(
        Gap(row, numbers[row - 1], numbers[row], step // usual - 1)
        for row, step in enumerate(steps, start=1)
        if step >= 2 * usual
    )


def note_on_gaps(gaps: Sequence[Gap]) -> Note:
    """A note on one or more gaps: the first, and how many others there are."""
    first = gaps[0]
    values = {"before": first.before, "after": first.after, "missing": first.missing}
    total = sum(gap.missing for gap in gaps)
    return Note(Code.NUMBERING_GAPS, {**values, "others": len(gaps) - 1, "missing_in_all": total})


def _numbers(files: Sequence[str]) -> list[int]:
    """The one number in which the names differ; none where they differ otherwise."""
    parts = [re.split(r"(\d+)", os.path.splitext(file)[0]) for file in files]
    if len({tuple(part[::2]) for part in parts}) != 1:
        return []
    columns = [
        [int(number) for number in column]
        for column in zip(*(part[1::2] for part in parts), strict=True)
    ]
    varying = [column for column in columns if len(set(column)) > 1]
    return varying[0] if len(varying) == 1 else []
