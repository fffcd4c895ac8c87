"""Nothing reaches the terminal, a figure or a spreadsheet but through the places that clean it."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

import vfiscope
from vfiscope.cli.messages import log_to_stderr
from vfiscope.cli.terminal import say, say_error, say_json
from vfiscope.views.table_text import BOLD, PLAIN

PACKAGE = Path(vfiscope.__file__).parent
ONLY_IN = {
    "click.echo": "cli/terminal.py",
    "click.secho": "cli/terminal.py",
    "print": "options/generate.py",
    "traceback.print_exc": "cli/terminal.py",
    "csv.writer": "printable.py",
    "csv.DictWriter": "printable.py",
    "savefig": "views/style.py",
}
"""{call: the one file that may make it}"""


def test_what_prints_draws_or_writes_cells_is_in_one_place() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                for call, place in ONLY_IN.items():
                    own = path.relative_to(PACKAGE).as_posix()
                    if (name == call or name.endswith(f".{call}")) and own != place:
                        found.add(f"{own}: {call}")
    assert not found


def test_texts_are_cleaned_and_own_codes_kept(capfd: pytest.CaptureFixture[str]) -> None:
    say("a\x1b[2J\nb")
    say(f"{BOLD}1{PLAIN} \x1b[1mx\x1b[31m", styled=True, end="")
    say_error("error: two\nlines \x1b")
    say_json({"a": "\x1b\u202e", "b": None})
    printed, errors = capfd.readouterr()  # no terminal, so click leaves bold out
    assert printed == ('a\ufffd[2J\nb\n1 x\ufffd[31m{"a": "\\u001b\\u202e", "b": null}\n')
    assert errors == "vfiscope: error: two lines \ufffd\n"


def test_log_messages_are_cleaned(capfd: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("vfiscope")
    before = log.handlers
    try:
        log_to_stderr(quiet=False)
        log.warning("%s holds \x1b]0;x\x07", "a.mp4")
    finally:
        log.handlers = before
    assert capfd.readouterr().err == "vfiscope: a.mp4 holds \ufffd]0;x\ufffd\n"
