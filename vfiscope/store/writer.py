"""Write a result so that a crash loses at most one block of rows, and an interrupt loses none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
from numpy.typing import NDArray

from vfiscope import config
from vfiscope.errors import OutputExistsError, ResumeError, StoreError, interruption
from vfiscope.files import absolute, output_file
from vfiscope.store import schema
from vfiscope.store.merge import merge, read_part
from vfiscope.store.opening import State, state_of
from vfiscope.store.part_file import part_bytes
from vfiscope.store.parts import DONE_SUFFIX, Folder, Part, Work
from vfiscope.store.run import Run
from vfiscope.types import FrameTable, Registrations, Scores, counted

__all__ = ["Writer", "check_path"]

MOST_CHANGES = 5
"""Largest number of changes listed in a message."""


class Writer:
    """Stores scores in order, and merges them into one file at the end.

    Until :meth:`finish` the work is kept in ``<out>.parts``, and the same command resumes it; there
    is no file at the final path. When an interrupt (``KeyboardInterrupt``, ``SystemExit``) leaves
    the context, the rows of the open block are stored too, and an
    :class:`~vfiscope.errors.Interrupted` or :class:`~vfiscope.errors.Terminated` is raised from it
    that says what is kept. Use as a context manager::

        with Writer("out.h5", header) as writer:
            if not writer.already_finished:
                for scores in score(pairs_from(writer.rows_done)):
                    writer.append(scores)
                writer.finish(Ending(sources=..., pairing=..., status="ok"))

    Args:
        out: final path of the result.
        header: the identity of the run; unfinished work with another header is refused.
        overwrite: replace an existing result, which stays until the new one is complete.
        resume: continue unfinished work; otherwise it is discarded.
        block: rows in a part.

    Raises (on entering):
        OutputExistsError: the result exists and ``overwrite`` is not set.
        LockedError: another process writes the same result; its work is untouched.
        ResumeError: the unfinished work has another header.
        StoreError: the path cannot be written.
    """

    def __init__(
        self,
        out: str | os.PathLike[str],
        header: schema.Header,
        *,
        overwrite: bool = False,
        resume: bool = True,
        block: int = config.ROWS_PER_PART,
    ) -> None:
        self.path = absolute(out)
        self.header = header
        self.already_finished = False
        """True if a run that was killed during :meth:`finish` was completed on entering: the result
        is in place."""
        self.made: State | None = None
        """The state of the result as :meth:`finish` left it; None before."""
        self._overwrite = overwrite
        self._resume = resume
        self._block = block
        self._folder = Folder(self.path)
        self._parts: list[Part] = []
        self._held: list[tuple[int, Scores]] = []
        self._joined: tuple[tuple[int, int], Scores] | None = None
        """The rows stored and held, and all of them without maps."""
        """(first row, scores) pieces that wait for their block to fill."""

    def __repr__(self) -> str:
        return f"Writer({str(self.path)!r}, {self.rows_done} rows done, {self._rows_held} held)"

    @property
    def rows_done(self) -> int:
        """Number of stored rows, and so the row to append next."""
        return self._parts[-1].stop if self._parts else 0

    @property
    def _rows_held(self) -> int:
        return sum(len(scores.frames.index) for _, scores in self._held)

    # ------------------------------------------------------------------------- entering and leaving

    def __enter__(self) -> Writer:
        check_path(self.path, overwrite=self._overwrite)
        schema.check_header(self.header)
        self._folder.acquire()
        try:
            self._begin()
        except BaseException:
            self._folder.leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is not None and not isinstance(error, Exception) and self._folder.held:
                raise interruption(error, self._keep_held(), self.rows_done) from error
        finally:
            self._held = []
            self._folder.leave()

    def _keep_held(self) -> str:
        """Store the rows of the open block; return a message that says what is kept.

        The journal is the truth about stored rows, whatever call was interrupted.
        """
        self._parts = list(self._folder.read_work().parts)
        done = self.rows_done
        self._held = [
            (max(first, done), schema.sliced(scores, slice(max(0, done - first), None)))
            for first, scores in self._held
            if first + len(scores) > done
        ]
        lost = ""
        if self._held:
            try:
                self._commit(self._rows_held)
            except (
                StoreError
            ) as failed:  # the interrupt continues, and its message says what was lost
                lost = f" (the rows since then were not kept: {failed})"
        count = counted(self.rows_done, "frame")
        are = "is" if self.rows_done == 1 else "are"
        kept = f"{count} of {self.path} {are} kept: run the same command again to go"
        none = f"no frame of {self.path} was finished: run the same command again to begin anew"
        return (f"{kept} on after them" if self.rows_done else none) + lost

    def _begin(self) -> None:
        """Resume, complete or discard the work in the parts folder."""
        work = self._folder.read_work()
        if self._is_published(work):
            changes = (
                self.header.changes_from(self._folder.read_header())
                if self._resume
                else ["--no-resume"]
            )
            if not changes:
                self._folder.remove()
                self.already_finished = True
                return
            # Leftovers of a complete result are not work.
            work = Work()
            self._folder.start(self.header.to_dict())
        elif self._folder.left_over and not work and self._is_stored():
            self._folder.remove()
            self.already_finished = True
            return
        _refuse_existing(self.path, self._overwrite)
        if not work or not self._resume:
            self._folder.start(self.header.to_dict())
        elif changes := self.header.changes_from(self._folder.read_header()):
            raise ResumeError(
                f"the unfinished work for {self.path} was made otherwise ({_listed(changes)}): "
                "--no-resume discards the unfinished work"
            )
        elif self._is_merged(work):
            self._folder.publish()
            self.already_finished = True
        else:
            self._parts = self._folder.keep_valid(work.parts)

    def _is_merged(self, work: Work) -> bool:
        """True if the merged file is complete and waits to be moved."""
        path = self._folder.merged
        return (
            work.merged is not None
            and path.is_file()
            and path.stat().st_size == work.merged.get("bytes")
        )

    def _is_published(self, work: Work) -> bool:
        """True if the merged file was moved: the result at the final path is the one in the
        journal."""
        if work.merged is None or self._folder.merged.exists() or not self.path.is_file():
            return False
        try:
            with h5py.File(self.path, "r", locking=False) as h5:
                return bool(h5.attrs.get("created") == work.merged.get("created"))
        except OSError:
            return False

    def _is_stored(self) -> bool:
        """True if the result at the final path is the one to write: a run that was killed while it
        removed its folder ends well when it is started again, and is no reason to refuse."""
        if self._overwrite or not self._resume or not self.path.is_file():
            return False
        try:
            with Run(self.path) as run:
                return not self.header.differences(run.header)
        except StoreError:
            return False

    # -------------------------------------------------------------------------------------- writing

    def append(self, scores: Scores) -> None:
        """Add rows in order; every full block is stored before this returns.

        Raises:
            DiskFullError: a block does not fit on the disk; the blocks before it stay, to be
                continued from.
            StoreError: the scores are not what the header announces.
        """
        self._check_open()
        schema.check(scores, self.header)
        if len(scores):
            self._held.append((self.rows_done + self._rows_held, scores))
        while self._rows_held >= (room := self._block - self.rows_done % self._block):
            self._commit(room)

    def _check_open(self) -> None:
        if not self._folder.held:
            raise StoreError(
                f"the writer of {self.path} is not open: use it inside its with block, before"
                " finish"
            )

    def _commit(self, rows: int) -> None:
        """Store the first held rows as a part."""
        held = schema.join([scores for _, scores in self._held])
        block = schema.sliced(held, slice(0, rows))
        image, start = part_bytes(block), self.rows_done
        self._parts.append(self._folder.commit(len(self._parts), start, start + rows, image))
        self._held = (
            [(start + rows, schema.sliced(held, slice(rows, None)))] if rows < len(held) else []
        )

    def discard(self) -> None:
        """Remove the unfinished work, which cannot become a result."""
        self._check_open()
        self._parts, self._held, self._joined = [], [], None
        self._folder.remove()

    def curves(self) -> tuple[FrameTable, dict[str, NDArray[np.float32]]]:
        """Frame table and {metric: (N,) float32} of everything appended so far, resumed work
        included."""
        scores = self._without_maps()
        return scores.frames, dict(scores.values)

    def signals(self) -> dict[str, NDArray[np.float32]]:
        """{signal: (N,) float32} of everything appended so far."""
        return dict(self._without_maps().signals)

    def registrations(self) -> Registrations | None:
        """The registrations of all frames so far; None where frames are not registered."""
        return self._without_maps().registrations

    def _without_maps(self) -> Scores:
        self._check_open()
        rows = self.rows_done, self._rows_held
        if self._joined is None or self._joined[0] != rows:  # rows are only ever added
            stored = [read_part(self._folder, part, arrays=False) for part in self._parts]
            pieces = [schema.empty(self.header), *stored, *(scores for _, scores in self._held)]
            joined = schema.join([replace(piece, maps={}, fields={}) for piece in pieces])
            self._joined = rows, joined
        return self._joined[1]

    def finish(self, ending: schema.Ending) -> Path:
        """Merge the parts into one file, move it to the final path atomically, and remove them.

        Args:
            ending: the values that are known only now.

        Returns:
            The final path.

        Raises:
            DiskFullError: the result does not fit; parts and an older result stay.
            StoreError: no row was appended, or the path cannot be written.
        """
        self._check_open()
        if self._rows_held:
            self._commit(self._rows_held)
        self._check_rows(ending)
        merge(self._folder, self._parts, self.header, ending)
        self._folder.log_merged(ending.created)
        _refuse_existing(self.path, self._overwrite)
        made = state_of(self._folder.merged)  # moving does not change it
        self._folder.publish()
        self.made = made
        return self.path

    def _check_rows(self, ending: schema.Ending) -> None:
        """Refuse a result without rows, or with tables of another number of rows."""
        if not self._parts:
            raise StoreError(f"no frame was scored: there is nothing to write to {self.path}")
        if ending.table is not None and len(ending.table) != self.rows_done:
            raise StoreError(
                f"the map has {len(ending.table)} rows and the run {self.rows_done}: pass the map"
                " of this run"
            )
        if len(ending.names) not in (0, self.rows_done):
            raise StoreError(
                f"there are {len(ending.names)} names for {self.rows_done} rows: pass one for each"
            )


def check_path(out: str | os.PathLike[str], *, overwrite: bool) -> None:
    """Refuse a path to which a :class:`Writer` could not write, as far as that is known without
    trying.

    Raises:
        OutputExistsError: the result exists, without unfinished work beside it, and ``overwrite``
            is not set.
        StoreError: it is not the path of a regular file in an existing folder.
    """
    path = output_file(out, beside=DONE_SUFFIX)
    if not Folder(path).exists():
        _refuse_existing(path, overwrite)


def _refuse_existing(path: Path, overwrite: bool) -> None:
    if os.path.lexists(path) and not overwrite:
        raise OutputExistsError(f"{path} exists: pass --overwrite or another --out")
    if path.is_file() and path.stat().st_size and not h5py.is_hdf5(path):
        raise OutputExistsError(f"{path} exists and is not a result: pass another --out")


def _listed(changes: Sequence[str]) -> str:
    more = len(changes) - MOST_CHANGES
    return "; ".join([*changes[:MOST_CHANGES], *([f"and {more} more"] if more > 0 else [])])
