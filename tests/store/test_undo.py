"""Rolling back a change: also where the rollback itself is killed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vfiscope.errors import StoreError
from vfiscope.store import undo
from vfiscope.store.overlay import PAGE, Change, Overlay


@pytest.mark.parametrize("killed_after", range(6))
def test_a_rollback_that_is_killed_is_taken_up_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_after: int
) -> None:
    """Of a change that made the file shorter, whose end has to be written anew."""
    out, saved = tmp_path / "a.h5", tmp_path / "a.h5.parts" / "undo"
    saved.parent.mkdir()
    before = np.random.default_rng(3).integers(0, 256, 5 * PAGE + 7, np.uint8).tobytes()
    out.write_bytes(before)
    changed = Overlay(out)
    changed.truncate(PAGE // 2)
    changed.seek(10)
    changed.write(b"new")
    with monkeypatch.context() as patch:
        patch.setattr(undo, "_forget", lambda path: None)
        undo.apply(out, saved, changed)
    changed.close()
    assert out.stat().st_size == PAGE // 2
    place, left = undo.place, iter(range(killed_after))

    def placed(*arguments: Any) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        place(*arguments)

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(undo, "place", placed)
        undo.roll_back(out, saved)
    undo.roll_back(out, saved)
    assert out.read_bytes() == before
    assert not saved.exists()


@pytest.mark.parametrize(
    ("now", "fits"),
    [(b"oldest", True), (b"NEWest", True), (b"NlWe", True), (b"NEWesT", False), (b"XldE", False)],
)
def test_bytes_of_neither_state_are_refused(tmp_path: Path, now: bytes, fits: bool) -> None:
    out, saved = tmp_path / "a.h5", tmp_path / "undo"
    out.write_bytes(now)
    change = Change(0, b"oldest", b"NEWe")
    saved.write_bytes(undo._packed(6, [change]))
    if fits:
        undo.roll_back(out, saved)
        assert out.read_bytes() == b"oldest"
    else:
        with pytest.raises(StoreError, match="is damaged or of another file"):
            undo.roll_back(out, saved)
        assert out.read_bytes() == now
