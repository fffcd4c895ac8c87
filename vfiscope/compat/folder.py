"""Checks of a folder for figures, made before anything is computed and without torch."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile

from vfiscope.compat.draw import PAIR_FILES
from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.options import RunConfig

__all__ = ["check_folder"]


def check_folder(config: RunConfig, folder: str | os.PathLike[str]) -> None:
    """Refuse, before anything is computed, a folder that :func:`vfiscope.compat.pictures.visualize`
    could not fill.

    Raises:
        UsageError: the configuration does not compare two images.
        StoreError: the folder is a file, or cannot be made or written into.
        OutputExistsError: it holds one of the files, and ``config.overwrite`` is not set.
    """
    path = Path(folder)
    if config.mode != "compare":
        raise UsageError(
            f"visualize draws two compared images, but this is a {config.mode}: leave it out"
        )
    if config.is_alone:
        raise UsageError(
            f"visualize draws two compared images, and {config.test} has no reference: leave"
            " visualize out, or pass one"
        )
    if path.exists() and not path.is_dir():
        raise StoreError(f"{path} is not a folder: pass a folder for the figures")
    there = next((path / name for name in PAIR_FILES if (path / name).exists()), None)
    if there is not None and not config.overwrite:
        raise OutputExistsError(f"{there} exists: pass --overwrite or another folder")
    _try(path)


def _try(folder: Path) -> None:
    """Make the folder if it is missing and a file in it, and remove both again."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StoreError(
            f"cannot write into the folder {folder}: {error.strerror}: pass another"
        ) from error
    finally:
        with suppress(OSError):  # another run may already use a parent folder
            for path in made:
                path.rmdir()
