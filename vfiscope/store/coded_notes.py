"""Notes and warnings of a run as root attributes.

``notes`` and ``warnings`` are JSON lists of sentences, as every version reads them;
``coded_notes`` and ``coded_warnings`` are the same as codes with values.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from vfiscope.store.text import json_text
from vfiscope.types import Note, sentence

__all__ = ["read_notes", "write_notes"]


def write_notes(attrs: Any, name: str, notes: Sequence[Note]) -> None:
    """Store notes under ``name`` as sentences, and as codes beside them."""
    attrs[name] = json_text([sentence(note) for note in notes])
    attrs[f"coded_{name}"] = json_text([note.to_dict() for note in notes])


def read_notes(attrs: Any, name: str) -> list[Note]:
    """The coded notes stored under ``name``; empty in a file that holds only sentences."""
    return [Note.from_dict(stored) for stored in json.loads(attrs.get(f"coded_{name}", "[]"))]
