"""The order of the house: a file imports only from layers above its own, and results open without torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vfiscope

PACKAGE = Path(vfiscope.__file__).parent

LAYERS = {
    "errors": 0,
    "types": 0,
    "config": 0,
    "loops": 1,
    "store": 1,
    "sources": 2,
    "synth": 2,
    "pairing": 3,
    "embed": 3,
    "align": 3,
    "metrics": 4,
    "flags": 4,
    "views": 5,
    "scoring": 5,
    "inputs": 5,
    "job": 6,
    "fetch": 6,
    "showing": 7,
    "streams": 7,
    "account": 8,
    "pipeline": 9,
    "visualize": 10,
    "info": 10,
    "doctor": 10,
    "api": 11,
    "batch": 11,
    "demo": 12,
    "cli": 13,
    "__main__": 14,
    "__init__": 14,
}
WITHOUT_TORCH = ("errors", "types", "config", "store", "views", "flags", "synth")
FILES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The first name under the package: "store" for store/run.py, "score" for score.py."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported(tree: ast.Module) -> list[str]:
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_imports_only_from_layers_above_its_own(path: Path) -> None:
    own = room(path)
    for name in imported(ast.parse(path.read_text())):
        if name.split(".")[0] != "vfiscope" or name == "vfiscope":
            continue
        other = name.split(".")[1]
        assert other in LAYERS, f"{other} has no layer"
        assert other == own or LAYERS[other] < LAYERS[own] or other == "errors", (
            f"{own} (layer {LAYERS[own]}) imports {name}"
        )


def test_every_room_has_a_layer() -> None:
    assert {room(path) for path in FILES} - {"py"} == set(LAYERS)


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_a_result_opens_without_torch(name: str) -> None:
    assert "torch" not in modules_after(f"import vfiscope.{name}")


@pytest.mark.parametrize(
    "arguments",
    [
        "['--help']",
        "['score', '--help']",
        "['info', 'samples/truth.mp4']",
        "['doctor', 'samples/truth.mp4']",
        "['models', 'list']",
    ],
)
def test_help_and_info_import_no_torch(arguments: str) -> None:
    samples = PACKAGE.parent
    code = (
        f"import os; os.chdir({str(samples)!r})\n"
        "from vfiscope.cli import main\n"
        f"try: main({arguments})\nexcept SystemExit as e: assert e.code in (0, None), e.code"
    )
    assert "torch" not in modules_after(code)


def test_public_names_are_what_is_visible() -> None:
    assert vfiscope.__all__ == sorted(vfiscope.__all__)
    assert dir(vfiscope) == vfiscope.__all__
    for name in vfiscope.__all__:
        assert getattr(vfiscope, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vfiscope.nothing
