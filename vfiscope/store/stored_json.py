"""Read the JSON attributes of a result that may come from anybody: each is of the kind that every
reader of it relies on, whatever the file says."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from vfiscope.errors import StoreError
from vfiscope.options import declared
from vfiscope.options.crop import Box
from vfiscope.store.contradictions import check_rules
from vfiscope.store.members import attribute
from vfiscope.store.text import plain

__all__ = ["parse_json", "read_json", "to_json"]

MAX_JSON = 2**22
"""Characters of a JSON text in a result; usual ones have some thousands."""
JSON_DEPTH = 32
"""Of lists and objects inside each other; results of vfiscope have at most 6."""
WHOLE_DIGITS = 19
"""Of a whole number; those of 64 bits have no more."""
Scalar = bool | int | float | str | None
Side = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]


class Loose(BaseModel):
    """The entries of an object that readers rely on; others are not looked at."""

    model_config = ConfigDict(extra="allow", strict=True)


class SourceKinds(Loose):
    """Of a source."""

    role: str
    path: str
    kind: Scalar = None
    digest: str | None = None
    size_bytes: int | None = None
    width: Side = 1
    height: Side = 1
    color: dict[str, Scalar] = {}
    crop: Annotated[list[Count], Field(min_length=4, max_length=4)] | None = None
    times_from: str | None = None
    frames_expected: int | None = None
    frames_decoded: Count = 0
    frames_delivered: Count = 0
    frames_corrupt: Count = 0
    frames_unreadable: Count = 0
    frames_undecodable: Count = 0
    frames_skipped: Count = 0
    frames_lost: Count = 0
    frames_per_second: str | None = None

    @model_validator(mode="after")
    def _has_its_box(self) -> Self:
        box = None if self.crop is None else Box(*self.crop)
        if box and (min(box.size) < 1 or not box.lies_in((self.height, self.width))):
            raise ValueError(f"crop {box} is no part of {self.width}x{self.height}")
        return self


class PairingKinds(Loose):
    """Of the summary of a pairing."""

    policy: str = ""
    lag: Annotated[int, Field(ge=0)] | None = None
    digest: str | None = None


Seconds = Annotated[float, Field(ge=0, le=1e10)]


class StageTimeKinds(Loose):
    """Of the times of a stage of a run."""

    processor: Seconds
    wall: Seconds


class TimingKinds(Loose):
    """Of the measurements of a run."""

    seconds: Seconds | None = None
    fps: Annotated[float, Field(ge=0)] | None = None
    processor_seconds: Seconds | None = None
    frames: Count | None = None
    stages: dict[str, StageTimeKinds] = {}


class RegisterKinds(Loose):
    """Of registration."""

    method: Scalar = None


KINDS: Mapping[str, TypeAdapter[Any]] = {
    "config": TypeAdapter(dict[str, Any]),
    "sources": TypeAdapter(Annotated[list[SourceKinds], Field(min_length=1)]),
    "versions": TypeAdapter(dict[str, Scalar]),
    "pairing": TypeAdapter(PairingKinds),
    "timings": TypeAdapter(TimingKinds),
    "notes": TypeAdapter(list[str]),
    "warnings": TypeAdapter(list[str]),
    "coded_notes": TypeAdapter(list[dict[str, Any]]),
    "coded_warnings": TypeAdapter(list[dict[str, Any]]),
    "embedder": TypeAdapter(dict[str, Any] | None),
    "register": TypeAdapter(RegisterKinds | None),
    "parameters": TypeAdapter(dict[str, Any]),
    "facts": TypeAdapter(dict[str, Any]),
    "tables": TypeAdapter(list[str]),
    "rules": TypeAdapter(list[str]),
}
"""{attribute: the kind of its JSON value}"""


def parse_json(name: str, text: object) -> Any:
    """The value of a JSON attribute, of the kind that its name has.

    Raises:
        ValueError: it is not, or it is too long, nested too deeply, or holds a number that is not
            one of 64 bits.
    """
    if not isinstance(text, str):
        raise ValueError(f"{name} is not a text")
    if len(text) > MAX_JSON:
        raise ValueError(f"{name} has {len(text)} characters, more than {MAX_JSON}")
    try:
        value = json.loads(text, parse_constant=_finite, parse_float=_finite, parse_int=_whole)
    except RecursionError as error:
        raise ValueError(f"{name} is nested too deeply") from error
    if _is_deeper(value, JSON_DEPTH):
        raise ValueError(f"{name} is nested too deeply")
    try:
        KINDS[name].validate_python(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = "".join(f"[{part!r}]" for part in first["loc"][:2])
        raise ValueError(f"{name}{place}: {first['msg'].lower()}") from error
    if name == "config":
        _check_config(value)
    return value


def to_json(name: str, value: Any) -> str:
    """The value of a JSON attribute as strictly valid JSON in ASCII.

    Raises:
        StoreError: it would not be read again.
    """
    text = json.dumps(plain(value), allow_nan=False)
    try:
        parse_json(name, text)
    except ValueError as error:
        raise StoreError(f"{error}: it cannot be stored in a result") from error
    return text


def read_json(path: Path, attrs: Any, name: str, default: str | None = None) -> Any:
    """The value of a root attribute; that of the text ``default`` where an older file lacks it.

    Raises:
        StoreError: there is none, or it is not what vfiscope writes.
    """
    try:
        missing = name not in attrs and default is not None
        return parse_json(name, default if missing else attribute(attrs, name))
    except (ValueError, KeyError) as error:
        raise StoreError(
            f"{path} has no valid {name} ({error}): the file is damaged, make it again"
        ) from error


def _check_config(config: Mapping[str, Any]) -> None:
    """Refuse a list where an option has a single value: options are compared and hashed."""
    known = declared()
    for name, value in config.items():
        several = isinstance(value, dict | list)
        if several and name in known and known[name].kind is not tuple:
            raise ValueError(f"config[{name!r}] is a list or an object")
    check_rules(config.get("flag", []))


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits[:WHOLE_DIGITS]} is not a number of 64 bits")
    return value


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > WHOLE_DIGITS or abs(int(digits)) >= 2**63:
        raise ValueError(f"{digits[:WHOLE_DIGITS]}... is not a number of 64 bits")
    return int(digits)


def _is_deeper(value: Any, levels: int) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels < 0 or any(_is_deeper(item, levels - 1) for item in items)
