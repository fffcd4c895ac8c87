"""Notes and warnings of a run as root attributes.

``notes`` and ``warnings`` are JSON lists of sentences, as every version reads them;
``coded_notes`` and ``coded_warnings`` are the same as codes with values.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vfiscope.store.stored_json import read_json, to_json
from vfiscope.types import Note, sentence

__all__ = ["read_notes", "write_notes"]


def write_notes(attrs: Any, name: str, notes: Sequence[Note]) -> None:
    """Store notes under ``name`` as sentences, and as codes beside them."""
    attrs[name] = to_json(name, [sentence(note) for note in notes])
    attrs[f"coded_{name}"] = to_json(f"coded_{name}", [note.to_dict() for note in notes])


def read_notes(path: Path, attrs: Any, name: str) -> list[Note]:
    """The coded notes stored under ``name``; empty in a file that holds only sentences.

    Raises:
        StoreError: they are not what vfiscope writes.
    """
    return [Note.from_dict(stored) for stored in read_json(path, attrs, f"coded_{name}", "[]")]
