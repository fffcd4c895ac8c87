"""Packages that add to the tables of vfiscope, as an installer leaves them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import vfiscope

__all__ = ["run_with_plugin", "write_plugin"]


def write_plugin(folder: Path, code: str, name: str = "my_plugin") -> Path:
    """A package of one module, with the metadata that names it as a plugin."""
    (folder / f"{name}.py").write_text(code)
    info = folder / f"{name}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[vfiscope.plugins]\nmine = {name}\n")
    return folder


def run_with_plugin(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """``vfiscope ARGUMENTS`` in a process that has the package of a folder."""
    own = str(Path(vfiscope.__file__).parents[1])  # wherever the process is started
    paths = [str(folder), own, *filter(None, [os.environ.get("PYTHONPATH")])]
    return subprocess.run(
        [sys.executable, "-m", "vfiscope", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
