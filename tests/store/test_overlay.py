"""A file whose writes are kept in memory, against one in memory as a whole."""

from __future__ import annotations

import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vfiscope.store.overlay import PAGE, Overlay

Steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 3 * PAGE), st.binary(min_size=1, max_size=PAGE)),
        st.tuples(st.just("truncate"), st.integers(0, 3 * PAGE), st.just(b"")),
    ),
    max_size=8,
)


@example(size=1, steps=[("truncate", 0, b""), ("write", PAGE, b"\0")])
@given(size=st.integers(0, 2 * PAGE + 5), steps=Steps)
@settings(max_examples=60, deadline=None)
def test_an_overlay_is_a_file_that_is_not_written(
    tmp_path_factory: pytest.TempPathFactory, size: int, steps: list[tuple[str, int, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("overlay") / "file"
    content = bytes(range(1, 252)) * 40
    path.write_bytes(content[:size])
    overlay, expected = Overlay(path), io.BytesIO(content[:size])
    for what, place, data in steps:
        if what == "write":
            expected.seek(place)
            expected.write(data)
            overlay.seek(place)
            overlay.write(data)
        else:
            expected.truncate(place)
            overlay.truncate(min(place, overlay.size))
    overlay.seek(0)
    assert overlay.read(overlay.size) == expected.getvalue()
    assert path.read_bytes() == content[:size]
    changed = bytearray(content[:size].ljust(overlay.size, b"\0")[: max(size, overlay.size)])
    for change in overlay.changes():
        old = content[:size][change.offset : change.offset + PAGE]
        assert change.old == old
        changed[change.offset : change.offset + len(change.new)] = change.new
    assert bytes(changed[: overlay.size]) == expected.getvalue()
    overlay.close()
