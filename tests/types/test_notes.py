"""Notes: a code with values, its sentence, and its way through JSON."""

from __future__ import annotations

import json
import pickle

import pytest

from vfiscope.errors import UsageError
from vfiscope.types import Code, Note, sentence
from vfiscope.types.notes import SENTENCES, value_names

GAPS = Note(
    Code.NUMBERING_GAPS,
    {"before": 3, "after": 6, "missing": 2, "others": 0, "missing_in_all": 2},
)

SAID = [
    (Note(Code.NO_TIMES), "has no presentation times: frames are taken to follow each other at"),
    (Note(Code.OTHER_FILES, {"count": 1}), "left out 1 file that is not an image"),
    (Note(Code.OTHER_FILES, {"count": 2}), "left out 2 files that are not images"),
    (Note(Code.CORRUPT, {"count": 1, "role": "test", "path": "a"}), "1 corrupt frame in test a"),
    (Note(Code.LOST, {"count": 2, "role": "ref", "path": "a"}), "2 packets without a frame in ref"),
    (Note(Code.WITHOUT_PARTNER, {"count": 1, "role": "test"}), "1 test frame has no partner: the"),
    (Note(Code.FOLDERS_INSIDE, {"count": 2}), "left out 2 folders inside"),
    (GAPS, "numbering jumps from 3 to 6 (2 missing)"),
    (
        Note(GAPS.code, {**GAPS.values, "others": 1, "missing_in_all": 4}),
        "numbering jumps from 3 to 6 (2 missing), and in 1 other place: 4 missing in all",
    ),
    (Note(Code.GIF_BAD_BLOCK, {"byte": 7}), "it holds 0x07 where a block should begin: it is"),
    (
        Note(
            Code.SOURCE_DAMAGED,
            {"role": "ref", "path": "a.gif", "note": Note(Code.GIF_WITHOUT_END)},
        ),
        "ref a.gif: the end mark of a GIF is missing: it is cut short",
    ),
    (
        Note(Code.FILES_CHANGED, {"file": "a.png", "others": 2}),
        "a.png and 2 other files changed while the run was reading: scores may be of neither state",
    ),
    (
        Note(Code.NOT_REGISTERED, {"reasons": {"too_few_inliers": 2, "implausible": 1}}),
        "3 frames could not be registered and were scored as they are (2 too few inliers, 1"
        " implausible)",
    ),
    (
        Note(Code.METRIC_UNDEFINED, {"metric": "psnr", "role": "synthesised"}),
        "psnr is defined for no synthesised frame",
    ),
    (
        Note(Code.METRIC_UNDEFINED, {"metric": "psnr", "role": "all"}),
        "psnr is defined for no frame",
    ),
    (
        Note(Code.DEPTH_DIFFERS, {"role": "test", "bits": 8, "other": "ref", "other_bits": 16}),
        "depth differs: test has 8 bits, ref has more than 8 bits",
    ),
    (
        Note(Code.SHIFT_FITS_BETTER, {"shift": 1, "residual": 0.01, "residual_by_row": 0.2}),
        "a shift of +1 frame fits better (residual 0.01 against 0.20): pass --align +1 or",
    ),
    (
        Note(Code.OFFSET, {"dx": 2.506, "dy": -3e-6, "role": "ref", "share": 1.0, "method": "ecc"}),
        "the test lies (+2.51, +0.00) px off the ref, to the right and down, in 100% of the frames",
    ),
]


@pytest.mark.parametrize(("note", "said"), SAID, ids=lambda each: getattr(each, "code", ""))
def test_a_note_is_said_in_one_sentence(note: Note, said: str) -> None:
    assert sentence(note).startswith(said)
    assert str(note) == f"{note}" == sentence(note)


def test_every_code_has_a_sentence() -> None:
    assert [code for code in Code if code not in SENTENCES] == []


@pytest.mark.parametrize("note", [note for note, _ in SAID], ids=lambda note: note.code)
def test_notes_come_back_from_json(note: Note) -> None:
    back = Note.from_dict(json.loads(json.dumps(note.to_dict())))
    assert back == note
    assert sentence(back) == sentence(note)
    assert pickle.loads(pickle.dumps(note)) == note


@pytest.mark.parametrize("stored", [{}, {"code": "x"}, {"code": "x", "values": [1]}])
def test_what_is_not_a_note_is_refused(stored: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="is not a note"):
        Note.from_dict(stored)


def test_equal_notes_are_one_in_a_set() -> None:
    assert len({Note(Code.NO_TIMES), Note("no_times"), Note(Code.INTERLACED)}) == 2


def test_another_package_brings_its_own_code() -> None:
    strange = Note("upside_down", {"count": 3, "path": "a.mp4"})
    assert sentence(strange) == "upside down: count 3, path a.mp4"  # where it is not installed
    SENTENCES.add("upside_down", "{count} frames of {path} are upside down")
    try:
        assert sentence(strange) == "3 frames of a.mp4 are upside down"
        assert value_names(SENTENCES["upside_down"]) == {"count", "path"}
        with pytest.raises(UsageError, match="there is a code of a note 'upside_down' already"):
            SENTENCES.add("upside_down", "")
    finally:
        del SENTENCES._things["upside_down"]
