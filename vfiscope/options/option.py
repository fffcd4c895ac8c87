"""The declaration of an option: a field of a :class:`Group` with its type, its default and an
:class:`Option` for the rest.

A package adds options of its own under the entry point group ``vfiscope.plugins``::

    class Sparkle(Group):
        heading = "sparkle"
        sparkle: Annotated[int, Field(ge=0, le=9), Option("How much the frames sparkle.")] = 3

    GROUPS.add("sparkle", Sparkle)

Then the command line, TOML and job files and the Python functions know ``sparkle``, every
configuration has it as ``config.sparkle``, and every run stores it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Literal,
    NoReturn,
    Union,
    get_args,
    get_origin,
)

from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from vfiscope.errors import UsageError
from vfiscope.registry import Registry, suggest

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

__all__ = ["GROUPS", "VERBS", "Declared", "FileName", "Group", "Names", "Option", "Texts"]

VERBS = ("score", "scan", "compare")
"""The verbs that make a run; a run's mode is the verb that made it."""
GIVE = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    tuple: "a list of texts",
    str: "a text",
}


@dataclass(frozen=True)
class Option:
    """The declaration of an option beyond its type and its default."""

    help: str
    """One line in plain English, shown by ``--help`` and the page of options."""
    give: str = ""
    """What to pass, for the message about a wrong value; derived from the type where empty."""
    metavar: str | None = None
    short: str | None = None
    """A flag of one letter, such as ``-o``."""
    verbs: tuple[str, ...] = VERBS
    argument_of: tuple[str, ...] = ()
    """Verbs that take it as a positional argument."""
    stored: bool = True
    """True if it may change what a run holds; only then is it stored."""
    identifies: bool = True
    """True if unfinished work that was begun with another value is refused."""
    names: str | None = None
    """The kind of names it takes: "metric", "map", "field", "signal", "kind", "embedder",
    "comparison" or "method"."""
    file: bool = False
    """True for the name of a file or folder."""


@dataclass(frozen=True)
class Declared:
    """An option with everything declared about it, as the command line and docs need it."""

    name: str
    option: Option
    heading: str
    """Name of its group."""
    kind: type
    """int, float, bool, str, tuple (of texts) or object (a path or an array)."""
    default: Any
    annotation: Any
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    @property
    def flag(self) -> str:
        """The name in the command line."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def give(self) -> str:
        """What to pass, for a message."""
        return self.option.give or ("a file name" if self.option.file else GIVE[self.kind])

    def validated(self, value: Any) -> Any:
        """The value as a configuration would hold it.

        Raises:
            UsageError: it is of the wrong type, out of bounds or not one of the choices.
        """
        try:
            return TypeAdapter(self.annotation, config=STRICT).validate_python(value)
        except ValidationError as error:
            raise UsageError(_complaint(self, value, error)) from error

    def check_mode(self, mode: str, value: Any) -> None:
        """Refuse a value that the mode would ignore.

        Raises:
            UsageError: the mode does not have this option, and the value is not the default.
        """
        verbs = self.option.verbs
        # Only plain values are compared: an array in place of an input has no truth of its own.
        usual = value is self.default or (
            isinstance(value, (str, int, float, tuple))
            and type(value) is type(self.default)
            and value == self.default
        )
        if verbs and mode not in verbs and value is not None and not usual:
            raise UsageError(
                f"{self.name} has no effect in mode {mode}: leave it out, or use mode {verbs[0]}"
            )

    def of_text(self, text: str) -> Any:
        """The value of a table cell.

        Raises:
            UsageError: it is not the number, or the true or false, that is declared.
        """
        if self.kind not in (int, float, bool):
            return text
        try:
            if not text.isascii() or "_" in text:  # Python takes digits of every script, and 1_000
                raise ValueError
            return _truth(text) if self.kind is bool else self.kind(text)
        except (KeyError, ValueError) as error:
            raise UsageError(f"{self.name} is {text!r}: pass {self.give}") from error


class _Absent:
    """An attribute that raises AttributeError."""

    def __get__(self, *_: object) -> NoReturn:
        raise AttributeError


class _Fields(ModelMetaclass):
    """Hides ``ABCMeta.register``, which pydantic would take for the default of the option
    ``register``."""

    register = _Absent()


STRICT = ConfigDict(frozen=True, strict=True, extra="forbid", arbitrary_types_allowed=True)


class Group(BaseModel, metaclass=_Fields):
    """Options that belong together: immutable, validated, with errors of one line.

    Types are strict: 3 is a float, but "3" is not an int and True is not a number.
    """

    model_config = STRICT
    heading: ClassVar[str]

    def __init__(self, **values: Any) -> None:
        """Validate values by name.

        Raises:
            UsageError: a value is of the wrong type, out of bounds or not one of the choices.
        """
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise UsageError(_one_line(error, values, type(self))) from error

    @classmethod
    def declared(cls) -> Iterator[Declared]:
        """The options of this group and of its base groups, in order."""
        return iter(_declared_in(cls))


@cache
def _declared_in(group: type[Group]) -> tuple[Declared, ...]:
    headings: dict[str, str] = {}
    for base in reversed(group.__mro__):
        if issubclass(base, Group) and base is not Group:
            for name in base.model_fields:
                headings.setdefault(name, base.heading)
    return tuple(_declared(name, info, headings[name]) for name, info in group.model_fields.items())


GROUPS: Registry[type[Group]] = Registry("group of options")
"""The groups that installed packages add; vfiscope's own are the bases of ``RunConfig``."""


def _declared(name: str, info: FieldInfo, heading: str) -> Declared:
    said = next(each for each in info.metadata if isinstance(each, Option))
    kinds = _kinds(info.annotation)
    literal = next((kind for kind in kinds if get_origin(kind) is Literal), None)
    return Declared(
        name,
        said,
        heading,
        _kind(kinds),
        None if info.is_required() else info.default,
        Annotated[(info.annotation, *info.metadata)],
        () if literal is None else get_args(literal),
        *(_bound(info, name) for name in ("ge", "le")),
    )


def _bound(info: FieldInfo, name: str) -> float | None:
    return next((getattr(each, name) for each in info.metadata if hasattr(each, name)), None)


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have, without None."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    bare = (get_args(part)[0] if get_origin(part) is Annotated else part for part in parts)
    return tuple(part for part in bare if part is not NoneType)


def _kind(kinds: tuple[Any, ...]) -> type:
    """The type as which the command line reads a value: str wherever a text is allowed."""
    if get_origin(kinds[0]) is Literal or str in kinds:
        return str
    if get_origin(kinds[0]) is tuple:
        return tuple
    return kinds[0] if kinds[0] in (int, float, bool) else object


def _one_line(error: ValidationError, values: dict[str, Any], group: type[Group]) -> str:
    """The first error that pydantic found, as one line: the thing, the value, the remedy."""
    first = error.errors(include_url=False)[0]
    if not first["loc"]:  # a rule about several options
        return str(first.get("ctx", {}).get("error", first["msg"]))
    name = str(first["loc"][0])
    known = {each.name: each for each in group.declared()}
    if name not in known:
        return f"there is no option {name!r}: {suggest(name, known)}"
    if name not in values:
        return f"{name} is missing: pass {known[name].give}"
    return _complaint(known[name], values[name], error)


def _complaint(told: Declared, value: Any, error: ValidationError) -> str:
    first, said = error.errors(include_url=False)[0], f"{told.name} is {value!r}"
    match first["type"]:
        case "literal_error":
            return f"{said}: choose one of {', '.join(told.choices)}"
        case "greater_than_equal" | "less_than_equal":
            low = "" if told.low is None else f" from {told.low}"
            high = "" if told.high is None else f" up to {told.high}"
            return f"{said}: pass a number{low}{f' to {told.high}' if low and high else high}"
        case "value_error" if str(first["ctx"]["error"]):
            return f"{said}: {first['ctx']['error']}"
        case _:
            return f"{said}: pass {told.give}"


def _truth(text: str) -> bool:
    return {"true": True, "false": False}[text.strip().lower()]


def _file_name(value: Any) -> Any:
    return os.fspath(value) if isinstance(value, os.PathLike) else value


def _texts(value: Any) -> Any:
    """One text or several, as a tuple; None is the empty tuple."""
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value) if _is_list(value) else value


def _names(value: Any) -> Any:
    """Names from a list or a comma-separated text."""
    if isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    return _texts(value)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


FileName = Annotated[str, BeforeValidator(_file_name)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Names = Annotated[tuple[str, ...], BeforeValidator(_names)]
