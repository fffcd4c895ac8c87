"""The garbage collector rests while large libraries are imported."""

from __future__ import annotations

import gc

import pytest

from vfiscope.embedders.kinds import without_collecting


def test_the_collector_rests_and_is_as_before_afterwards() -> None:
    assert gc.isenabled()
    with without_collecting():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), without_collecting():
        raise ImportError
    assert gc.isenabled()
    gc.disable()
    try:
        with without_collecting():
            assert not gc.isenabled()
        assert not gc.isenabled()
    finally:
        gc.enable()
