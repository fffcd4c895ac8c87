"""What is left out of the search for garbage, and for how long."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from vfiscope.scoring.garbage import old_objects_spared


@pytest.fixture
def nothing_frozen() -> Iterator[None]:
    """The tests themselves run with what they imported frozen."""
    gc.unfreeze()
    yield
    gc.freeze()


@pytest.mark.usefixtures("nothing_frozen")
def test_what_existed_is_spared_until_the_end_even_after_an_error() -> None:
    old: list[object] = []
    with old_objects_spared():
        new: list[object] = [old]
        looked_through = {id(each) for each in gc.get_objects()}
        assert id(new) in looked_through
        assert id(old) not in looked_through
        with old_objects_spared():  # another run meanwhile
            assert gc.get_freeze_count()
        assert gc.get_freeze_count()
    assert gc.get_freeze_count() == 0
    with pytest.raises(RuntimeError), old_objects_spared():
        raise RuntimeError
    assert gc.get_freeze_count() == 0


@pytest.mark.usefixtures("nothing_frozen")
def test_what_a_program_froze_itself_stays_frozen() -> None:
    gc.freeze()
    with old_objects_spared():
        assert gc.get_freeze_count()
    assert gc.get_freeze_count()
