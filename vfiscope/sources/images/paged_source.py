"""A single file of several images as a sequence of frames."""

from __future__ import annotations

import itertools
import os
from collections.abc import Generator, Sequence
from fractions import Fraction
from functools import partial

from vfiscope import config
from vfiscope.errors import SourceError
from vfiscope.sources.images.image_header import ImageHeader
from vfiscope.sources.images.image_source import check_like
from vfiscope.sources.images.paged_files import Pages, open_pages
from vfiscope.sources.selection import Options
from vfiscope.sources.source import RGB_COLOR, Counts, Pixels, Row, Source
from vfiscope.types import Code, Note, SourceInfo, Status

__all__ = ["PagedSource"]

MILLISECOND = Fraction(1, 1000)


class PagedSource(Source):
    """The images of one file: the pages of a TIFF, an animated WebP, a HEIC with several.

    Where every image has a duration, frames have these times, otherwise they follow each other at a
    rate that is given. An image that cannot be decoded keeps its row.

    Raises:
        SourceError: the file cannot be read; while iterating: an image has another size or depth
            than the first.
    """

    def __init__(self, path: str, header: ImageHeader, options: Options) -> None:
        with open_pages(path, header.format) as pages:
            count, durations = pages.count, pages.durations_ms
            decoder, damage = pages.decoder, pages.damage
        if count > config.MAX_FRAMES:
            raise SourceError(f"{path} holds {count} images, more than {config.MAX_FRAMES}")
        if count < header.pages and not damage:
            raise SourceError(
                f"{path} says that it holds {header.pages} images, and {count} can be found: save"
                " every image as a file of its own, or as a page of its own"
            )
        timed = len(durations) == count and all(durations)
        starts = [0, *itertools.accumulate(durations)]
        self._pts: Sequence[int] = starts[:count] if timed else range(count)
        length = starts[count] * MILLISECOND if timed else count / options.fps
        notes = []
        if durations and not timed:
            notes.append(Note(Code.NO_DURATIONS, {"images": count}))
        info = SourceInfo(
            path=path,
            kind="images",
            width=header.width,
            height=header.height,
            bit_depth=header.bit_depth,
            frames_expected=count,
            duration_s=float(length),
            time_base=MILLISECOND if timed else 1 / options.fps,
            rate=count / length,
            decoder=decoder,
            color=RGB_COLOR,
            size_bytes=os.stat(path).st_size,
            damage=damage,
            notes=tuple(notes),
        )
        super().__init__(info, options)
        self._format = header.format

    def _rows(self, counts: Counts) -> Generator[Row]:
        with open_pages(self._info.path, self._format) as pages:
            for index, pts in enumerate(self._pts):
                yield Row(index, pts, partial(self._paint, pages, index, counts))
        counts.ended = True

    def _paint(self, pages: Pages, index: int, counts: Counts, out: Pixels) -> Status:
        try:
            pixels, transparent = pages.pixels(index)
        except SourceError as error:
            counts.unreadable += 1
            self._note(Note(Code.IMAGE_UNREADABLE, {"reason": str(error)}))
            out[...] = 0
            return Status.UNREADABLE
        if transparent:
            self._note(Note(Code.IMAGE_TRANSPARENT, {"file": os.path.basename(self._info.path)}))
        check_like(pages.named(index), pixels, "the first", self._info, self._options)
        self._deliver(pixels, out)
        counts.decoded += 1
        return Status.OK
