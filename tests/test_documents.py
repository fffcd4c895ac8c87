"""JSON and TOML of others: what is beyond the limits is refused in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from vfiscope.documents import MAX_NESTING, DocumentError, json_of, read_text, toml_of

DEEP = "it is nested more than 64 deep"
LARGE = "a whole number in it has more than 64 bits"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 10_000 + "]" * 10_000, DEEP),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, DEEP),
        ("[" * (MAX_NESTING + 1) + "]" * (MAX_NESTING + 1), DEEP),
        ("9" * 6_000, LARGE),
        ("[-9223372036854775809]", LARGE),
        ("[1e999]", "a number in it is inf"),
        ("NaN", "NaN is not a JSON value"),
        ('[{"test": "a", "ref": "b", "test": "c"}]', "the key 'test' is there twice"),
        ('{"\\u0061": 1, "a": 2}', "the key 'a' is there twice"),
        ("{", "Expecting property name enclosed in double quotes: line 1 column 2"),
        ('["\x1b"]', "Invalid control character at: line 1 column 3"),
    ],
    ids=lambda text: text[:30],
)
def test_json_beyond_the_limits(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        json_of(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = " + "[" * 10_000 + "]" * 10_000, DEEP),
        ("a = " + "{a = " * 9_000 + "1" + "}" * 9_000, DEEP),
        (".".join("a" * 100) + " = 1", DEEP),
        ("a = " + "9" * 6_000, LARGE),
        ("a = 0x" + "f" * 6_000, LARGE),
        ("a = [9223372036854775808]", LARGE),
        ("a = nan", "a number in it is nan"),
        ("a = 1\na = 2", "Cannot overwrite a value (at end of document)"),
    ],
    ids=lambda text: text[:30],
)
def test_toml_beyond_the_limits(text: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        toml_of(text)
    assert str(caught.value) == message


def test_what_is_within_the_limits_is_read() -> None:
    value = {"a": [1, -(2**63), 2**63 - 1, 1.5, None, True, "é"], "b": {"a": {}}}
    assert (
        json_of('{"a":[1,-9223372036854775808,9223372036854775807,1.5,null,true,"é"],"b":{"a":{}}}')
        == value
    )
    nested: object = json_of("[" * MAX_NESTING + "]" * MAX_NESTING)
    for _ in range(MAX_NESTING - 1):
        (nested,) = nested  # type: ignore[misc]
    assert nested == []
    assert toml_of('a = 1\n[b]\nc = "x"') == {"a": 1, "b": {"c": "x"}}


def test_a_text_is_utf8_and_of_limited_size(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf[1]")
    assert read_text(path) == "[1]"
    path.write_bytes(b"[\xff]")
    with pytest.raises(DocumentError, match="it is not UTF-8 text: invalid start byte at byte 1"):
        read_text(path)
    path.write_bytes(b" " * 11)
    with pytest.raises(OSError, match="larger than 10 bytes"):
        read_text(path, 10)
