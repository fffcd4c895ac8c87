"""``--config FILE.toml``: options from a file."""

from __future__ import annotations

from typing import Any

import click

from vfiscope.documents import MAX_TOML_BYTES, DocumentError, read_text, toml_of
from vfiscope.errors import UsageError
from vfiscope.registry import suggest

__all__ = ["read_config_file"]


def read_config_file(context: click.Context, _parameter: click.Parameter, path: str | None) -> None:
    """Callback of ``--config``: options by their long names become defaults; the command line wins.

    Raises:
        UsageError: the file cannot be read, or an option in it does not exist or has an invalid
        value.
    """
    if path is None:
        return
    known = {
        flag.removeprefix("--"): parameter
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option)
        for flag in parameter.opts
        if flag.startswith("--") and flag not in ("--config", "--help")
    }
    context.default_map = {}
    written: dict[str, str] = {}
    for key, value in _read(path).items():
        parameter = known.get(key.replace("_", "-"))
        if parameter is None or parameter.name is None:
            raise UsageError(
                f"{path}: there is no option {key!r} in vfiscope {context.info_name}:"
                f" {suggest(key, known)}"
            )
        if parameter.name in written:
            raise UsageError(
                f"{path}: {written[parameter.name]} and {key} are the same option: keep one"
            )
        written[parameter.name] = key
        try:
            context.default_map[parameter.name] = _checked(parameter, key, value)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error


def _read(path: str) -> dict[str, Any]:
    try:
        return toml_of(read_text(path, MAX_TOML_BYTES))
    except OSError as error:
        raise UsageError(
            f"cannot read the configuration {path}: {error.strerror}: check its name"
        ) from error
    except DocumentError as error:
        raise UsageError(
            f"the configuration {path} is not valid TOML ({error}): fix the file"
        ) from error


def _checked(parameter: click.Option, key: str, value: Any) -> Any:
    """A validated value. Options that are not declared (output options) are flags or texts."""
    from vfiscope.options import declared

    told = declared().get(str(parameter.name))
    if told is not None:
        return told.validated(value)
    if not isinstance(value, bool if parameter.is_flag else str):
        raise UsageError(
            f"{key} is {value!r}: pass {'true or false' if parameter.is_flag else 'a text'}"
        )
    return value
