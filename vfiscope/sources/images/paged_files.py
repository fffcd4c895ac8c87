"""Files that hold several images: pages of TIFF, animated WebP, HEIC."""

from __future__ import annotations

import mmap
import os
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, BinaryIO, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.errors import SourceError
from vfiscope.files import open_regular
from vfiscope.pixels import is_transparent, over_black
from vfiscope.sources.images.heic import heic_pixels, open_heic
from vfiscope.sources.images.image_header import DAMAGED, read_header
from vfiscope.sources.images.image_source import decode_opaque
from vfiscope.sources.images.tiff_pages import find_pages, first_page_at
from vfiscope.types import Code, Note

__all__ = ["PAGED_FORMATS", "Pages", "open_pages"]

MAX_STACK_BYTES = 2**31 - 1
"""Larger files cannot be decoded from memory with OpenCV."""
RIFF_LENGTH_AT, RIFF_CHUNKS_AT = 4, 12
MAX_OTHER_CHUNKS = 2**12
"""That are no frames: an encoder writes five at most."""
WEBP_DURATION = slice(12, 15)
"""In the payload of an ANMF chunk, in milliseconds."""


class Pages(ABC):
    """The images of an open file, in order."""

    decoder: str
    count: int
    durations_ms: tuple[int, ...] = ()
    """Of each image; empty where the format has none."""
    damage: tuple[Note, ...] = ()

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file = file
        self._path = path
        self._size = os.fstat(file.fileno()).st_size
        if self._size > MAX_STACK_BYTES:
            raise SourceError(
                f"{path} has {self._size} bytes, and {MAX_STACK_BYTES} is the limit for a file of"
                " several images: split it"
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._file.close()

    @abstractmethod
    def pixels(self, index: int) -> tuple[NDArray[Any], bool]:
        """Upright (H, W, 3) RGB of one image, and whether some of its pixels were transparent and
        lie on black now.

        Raises:
            SourceError: it cannot be decoded.
        """

    def named(self, index: int) -> str:
        """An image, for a message."""
        return f"image {index} of {self._path}"


class _Tiff(Pages):
    """A page is what the file would hold if its directory were the first: it is decoded like any
    other TIFF image. The file is mapped, and pages are read when they are asked for."""

    decoder = f"OpenCV {cv2.__version__}"

    def __init__(self, file: BinaryIO, path: str) -> None:
        super().__init__(file, path)
        self._offsets, end = find_pages(file)
        self.count = len(self._offsets)
        if end:
            values = {"end": end, "size": self._size, "missing": end - self._size}
            self.damage = (Note(Code.FILE_CUT_SHORT, values),)
        self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)

    def pixels(self, index: int) -> tuple[NDArray[Any], bool]:
        at, patch = first_page_at(self._map[:4], self._offsets[index])
        self._map[at : at + len(patch)] = patch
        self._map.seek(0)
        header = read_header(self._map, self.named(index), count=False)  # type: ignore[arg-type]
        return decode_opaque(header, np.frombuffer(self._map, np.uint8), self.named(index))


class _Webp(Pages):
    """Images follow each other in the decoder, so going back decodes from the first on."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        from PIL import Image, __version__

        super().__init__(file, path)
        self.decoder = f"Pillow {__version__}"
        self.durations_ms = _webp_durations(file)
        file.seek(0)
        try:
            self._image = Image.open(file, formats=("WEBP",))
        except DAMAGED as error:
            raise SourceError(f"{path} has a damaged header: {error}") from error
        self.count = int(getattr(self._image, "n_frames", 1))

    def pixels(self, index: int) -> tuple[NDArray[Any], bool]:
        try:
            self._image.seek(index)
            pixels = np.asarray(self._image.convert("RGBA"))
            return over_black(pixels), is_transparent(pixels)
        except DAMAGED as error:
            raise SourceError(f"{self.named(index)} cannot be decoded: {error}") from error


class _Heic(Pages):
    decoder = "pillow-heif"

    def __init__(self, file: BinaryIO, path: str) -> None:
        super().__init__(file, path)
        self._images = open_heic(file, path)
        self.count = len(self._images)

    def pixels(self, index: int) -> tuple[NDArray[Any], bool]:
        return heic_pixels(self._images[index], self.named(index))


PAGED_FORMATS: dict[str, type[Pages]] = {"TIFF": _Tiff, "WEBP": _Webp, "HEIC": _Heic}
"""{format: its reader}, where a file with several images is read whole."""


def open_pages(path: str, form: str) -> Pages:
    """The images of a file, to be closed.

    Args:
        path: of the file.
        form: a key of ``PAGED_FORMATS``.

    Raises:
        SourceError: it cannot be read.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        return PAGED_FORMATS[form](file, path)
    except BaseException:
        file.close()
        raise


def _webp_durations(file: BinaryIO) -> tuple[int, ...]:
    """Of each frame of an animation, in milliseconds; what lies behind its end is not looked at."""
    durations, others, at = [], 0, RIFF_CHUNKS_AT
    file.seek(RIFF_LENGTH_AT)
    end = RIFF_LENGTH_AT + 4 + int.from_bytes(file.read(4), "little")
    while at < end and others < MAX_OTHER_CHUNKS:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"ANMF":
            durations.append(int.from_bytes(file.read(16)[WEBP_DURATION], "little"))
        else:
            others += 1
        at += 8 + length + length % 2
    return tuple(durations)
