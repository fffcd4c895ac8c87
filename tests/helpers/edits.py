"""Edits of a stored result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py


def spoil(edit: Callable[[Any], Any]) -> Callable[[Path], Any]:
    def run(path: Path) -> None:
        with h5py.File(path, "r+") as h5:
            edit(h5)

    return run


def drop(*names: str) -> Callable[[Any], None]:
    def edit(h5: Any) -> None:
        for name in names:
            del h5[name]

    return edit
