"""The table of the doctor, and that every note is made with the values that its sentence tells."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from helpers.media import noise, write_video

import vfiscope
from vfiscope.inspection.doctor import diagnose
from vfiscope.inspection.findings import FINDINGS, SEVERITIES, DoctorCode, Finding, Kind
from vfiscope.types import Code, Note
from vfiscope.types.notes import SENTENCES, value_names

PACKAGE = Path(vfiscope.__file__).parent
ENUMS = {"Code": Code, "DoctorCode": DoctorCode}


def keys_of(node: ast.expr, known: dict[str, frozenset[str]]) -> frozenset[str] | None:
    """The keys of a dictionary that is written out, or named and written out before."""
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if not isinstance(node, ast.Dict):
        return None
    keys: set[str] = set()
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant):
            keys.add(str(key.value))
        elif key is None and (more := keys_of(value, known)) is not None:
            keys |= more
        else:
            return None
    return frozenset(keys)


def made_notes() -> list[tuple[str, str, frozenset[str]]]:
    """(where, code, names of values) of every note in the package whose code and values are written
    out in one function."""
    found = []
    for path in PACKAGE.rglob("*.py"):
        known: dict[str, frozenset[str]] = {}
        nodes = [node for node in ast.walk(ast.parse(path.read_text())) if hasattr(node, "lineno")]
        for node in sorted(nodes, key=lambda node: (node.lineno, node.col_offset)):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                known.pop(node.targets[0].id, None)
                if (keys := keys_of(node.value, known)) is not None:
                    known[node.targets[0].id] = keys
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") != "Note":
                continue
            code = node.args[0] if node.args else None
            if isinstance(code, ast.Attribute) and isinstance(code.value, ast.Name):
                names = keys_of(node.args[1], known) if len(node.args) > 1 else frozenset[str]()
                if names is not None:
                    enum = ENUMS[code.value.id]
                    found.append((f"{path.name}:{node.lineno}", enum[code.attr], names))
    return found


def test_notes_are_made_with_the_values_of_their_sentence() -> None:
    made = made_notes()
    assert len({code for _, code, _ in made}) > 55
    wrong = [each for each in made if value_names(SENTENCES[each[1]]) != each[2]]
    assert wrong == []


def test_every_code_of_the_doctor_has_a_row_and_a_sentence() -> None:
    for code in DoctorCode:
        assert FINDINGS[code].severity in SEVERITIES
        assert code in SENTENCES
    assert {each.value for each in DoctorCode} & {each.value for each in Code} == set()


@pytest.mark.parametrize("code", [code for code in FINDINGS if FINDINGS[code].severity != "info"])
def test_what_may_change_scores_has_a_remedy(code: str) -> None:
    assert FINDINGS[code].remedy


def test_a_finding_is_known_by_its_code(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mkv", noise(2, 9, 8))
    assert diagnose(str(path)).findings == (
        Finding(Note(DoctorCode.TINY, {"width": 8, "height": 9}), "test"),
        Finding(Note(DoctorCode.ODD_SIZE, {"width": 8, "height": 9}), "test"),
    )


def test_a_note_that_the_table_lacks_is_information() -> None:
    finding = Finding(Note("of_a_package", {"frames": 3}), "ref")
    assert finding.to_dict() == {
        "severity": "info",
        "what": "note",
        "detail": "of a package: frames 3",
        "remedy": "",
        "where": "ref",
        "code": "of_a_package",
        "values": {"frames": 3},
    }


def test_a_package_adds_a_finding() -> None:
    FINDINGS.add("upside_down", Kind("warning", "upside down", "turn it"))
    try:
        assert Finding(Note("upside_down"), "test").remedy == "turn it"
    finally:
        del FINDINGS._things["upside_down"]
