"""Notes and warnings of a run: sentences as every version reads them, and codes beside them."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import pytest
from helpers.results import finish, make_header, make_scores

from vfiscope.errors import StoreError
from vfiscope.store import Run, Writer
from vfiscope.types import Code, Note

DAMAGE = Note(Code.FILE_CUT_SHORT, {"end": 90, "size": 70, "missing": 20})
NOTES = [
    Note(Code.SOURCE_DAMAGED, {"role": "test", "path": "/v/a.mp4", "note": DAMAGE}),
    Note("of_a_package", {"frames": [1, 2], "share": 0.5}),
]
WARNINGS = [Note(Code.SHIFT_FITS_BETTER, {"shift": 1, "residual": 0.01, "residual_by_row": 0.2})]
SENTENCES = [
    "test /v/a.mp4: its structure reaches to byte 90, but the file ends at 70: it is cut short by"
    " 20 bytes",
    "of a package: frames [1, 2], share 0.5",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Writer(tmp_path / "a.h5", make_header()) as writer:
        writer.append(make_scores(3))
        return finish(writer, notes=NOTES, warnings=WARNINGS)


def test_notes_come_back_as_sentences_and_as_codes(path: Path) -> None:
    with Run(path) as run:
        assert run.notes == SENTENCES
        assert run.coded_notes == NOTES
        assert run.warnings == [str(WARNINGS[0])]
        assert run.coded_warnings == WARNINGS
        assert run.summary()["notes"] == SENTENCES
    with h5py.File(path) as h5:
        assert json.loads(h5.attrs["coded_warnings"]) == [
            {
                "code": "shift_fits_better",
                "values": {"shift": 1, "residual": 0.01, "residual_by_row": 0.2},
            }
        ]


def test_files_that_hold_sentences_alone_are_read(path: Path) -> None:
    with h5py.File(path, "r+") as h5:
        del h5.attrs["coded_notes"], h5.attrs["coded_warnings"]
    with Run(path) as run:
        assert run.notes == SENTENCES
        assert (run.coded_notes, run.coded_warnings) == ([], [])


@pytest.mark.parametrize("stored", ["[1]", "[{}]", "{", '[{"code": "x", "values": 1}]'])
def test_codes_that_are_none_are_refused(path: Path, stored: str) -> None:
    with h5py.File(path, "r+") as h5:
        h5.attrs["coded_notes"] = stored
    with pytest.raises(StoreError, match="the file is damaged"):
        Run(path)
