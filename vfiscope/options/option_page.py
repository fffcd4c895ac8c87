"""The page of options in the docs, generated from the declarations."""

from __future__ import annotations

from collections.abc import Iterator

from vfiscope.options.option import VERBS, Declared
from vfiscope.options.run_config import RunConfig, sections

__all__ = ["option_page"]

INTRODUCTION = """# Options

Every option of `score`, `scan` and `compare`, generated from the declarations by
`python -m vfiscope.options.generate`. The same names work everywhere:

| where | as |
|---|---|
| command line | `vfiscope scan SEQ --lag 3 --metrics psnr,ssim` |
| `--config FILE.toml` | `lag = 3` and `metrics = ["psnr", "ssim"]`; the command line wins |
| a job in .json or .jsonl | `{"mode": "scan", "test": "SEQ", "lag": 3, "metrics": ["psnr"]}` |
| a job in .csv | columns `mode`, `test`, `lag`, `metrics`; an empty cell leaves an option out |
| `batch`, for all of its jobs | `vfiscope batch JOBS -o DIR --size 518`; a job's own value wins |
| Python | `vs.scan("SEQ", lag=3, metrics=["psnr", "ssim"])` |

A star marks options that are not stored with a run, because they never change what it holds.
`vfiscope completion bash` (or `zsh`, `fish`) prints a script with which the shell completes
options, choices and names.
"""


HEAD_ROWS = ("| option | takes | default | of | does |", "|---|---|---|---|---|")


def option_page() -> str:
    """The Markdown text of docs/options.md; options of installed packages are left out."""
    parts = [INTRODUCTION]
    for title, options in sections(RunConfig.declared()).items():
        rows = [row for row in map(_row, options) if row]
        parts.append("\n".join([f"## {title}\n", *HEAD_ROWS, *rows, ""]))
    return "\n".join(parts)


def _row(told: Declared) -> str:
    if not told.option.verbs:
        return ""
    star = "" if told.option.stored else " \\*"
    flags = ", ".join(f"`{flag}`" for flag in _flags(told))
    verbs = "all" if told.option.verbs == VERBS else ", ".join(told.option.verbs)
    cells = (f"{flags}{star}", _takes(told), _default(told), verbs, told.option.help)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _flags(told: Declared) -> Iterator[str]:
    if told.option.argument_of:
        yield str(told.option.metavar or told.name.upper())
        if set(told.option.argument_of) == set(told.option.verbs):
            return
    if told.option.short:
        yield told.option.short
    yield told.flag


def _takes(told: Declared) -> str:
    """The values that an option takes: its choices, its range, or a description."""
    if told.choices:
        return ", ".join(f"`{choice}`" for choice in told.choices)
    if told.kind is bool:
        return f"`--no-{told.flag[2:]}` for no" if told.default else "-"
    if told.low is not None and told.high is not None:
        return f"{told.give}, {told.low} to {told.high}"
    if told.option.names is not None:
        return "comma-separated names" if told.kind is tuple else "a name"
    if told.kind is tuple:
        return "a rule; may be repeated"
    return "a file or folder" if told.option.file and not told.option.give else told.give


def _default(told: Declared) -> str:
    if told.default in (None, (), False):
        return "-"
    return "yes" if told.default is True else f"`{told.default}`"
