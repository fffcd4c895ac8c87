"""An option that an installed package adds by one declaration works in every place where options
are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import vfiscope
from vfiscope import synth

ROOT = Path(vfiscope.__file__).parents[1]
DECLARATION = """
from typing import Annotated
from pydantic import Field
from vfiscope.options import GROUPS, Group, Option

class Sparkle(Group):
    heading = "Sparkle"
    sparkle: Annotated[int, Field(ge=0, le=9), Option("How much the frames sparkle.")] = 3

GROUPS.add("sparkle", Sparkle)
"""
CHEAP = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with one that declares an option, and two images."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "my_option.py").write_text(DECLARATION)
    info = folder / "my_option-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-option\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[vfiscope.plugins]\nmine = my_option\n")
    synth.write_images(folder, synth.Scene(32, 48).frames(2), "%d.png")
    return folder


def ask(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, where the package is installed."""
    head = f"import sys; sys.path[:0] = [{str(site)!r}, {str(ROOT)!r}]\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, check=False, cwd=site
    )


def call(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ask(site, f"from vfiscope.cli.program import main\nmain({list(arguments)!r})")


def stored(site: Path, paths: Sequence[str]) -> list[int]:
    """The option as the runs of these names hold it."""
    code = (
        "import json, vfiscope as vs\n"
        f"print(json.dumps([vs.open_run(path).config['sparkle'] for path in {list(paths)!r}]))"
    )
    done = ask(site, code)
    assert done.returncode == 0, done.stderr
    found: list[int] = json.loads(done.stdout)
    return found


def test_command_line_toml_and_default(site: Path) -> None:
    cheap = ["--metrics", "psnr", "--maps", "none", "--fields", "none", "--quiet"]
    (site / "a.toml").write_text("sparkle = 5\n")
    asked = {"cli.h5": ["--sparkle", "4"], "toml.h5": ["--config", "a.toml"], "default.h5": []}
    for out, more in asked.items():
        done = call(site, "compare", "0.png", "1.png", *cheap, "-o", out, *more)
        assert (done.returncode, done.stderr) == (0, "")
    assert stored(site, list(asked)) == [4, 5, 3]
    helped = call(site, "compare", "--help").stdout
    assert "Sparkle:\n  --sparkle INTEGER  How much the frames sparkle.  [default: 3]" in helped
    refused = call(site, "compare", "0.png", "1.png", *cheap, "--sparkle", "10")
    assert (refused.returncode, refused.stderr) == (
        2,
        "vfiscope: error: sparkle is 10: give a number from 0 to 9\n",
    )


def test_jobs_and_python(site: Path) -> None:
    job = {"id": "json", "test": "0.png", "ref": "1.png", "sparkle": 6, **CHEAP}
    (site / "a.json").write_text(json.dumps([job]))
    (site / "a.csv").write_text(
        "id,test,ref,metrics,maps,fields,sparkle\ncsv,0.png,1.png,psnr,none,none,7\n"
    )
    for name in ("a.json", "a.csv"):
        done = call(site, "batch", name, "-o", "results", "--quiet")
        assert (done.returncode, done.stderr) == (0, "")
    code = (
        "import vfiscope as vs\n"
        f"vs.compare('0.png', '1.png', out='python.h5', sparkle=8, **{CHEAP!r}).close()\n"
        "from vfiscope.options import RunConfig\n"
        "config = RunConfig('compare', '0.png', '1.png', sparkle=1)\n"
        "print(config.sparkle, config.replace(batch=2).sparkle, config.to_dict()['sparkle'])"
    )
    done = ask(site, code)
    assert (done.stdout, done.stderr) == ("1 1 1\n", "")
    runs = ["results/json.h5", "results/csv.h5", "python.h5"]
    assert stored(site, runs) == [6, 7, 8]


def test_a_name_that_is_taken_is_refused(site: Path, tmp_path: Path) -> None:
    code = (
        "from vfiscope.options import GROUPS, Group, declared\n"
        "from my_option import Sparkle\n"
        "GROUPS.add('again', Sparkle)\n"
        "declared()"
    )
    done = ask(site, code)
    assert "the option 'sparkle' of the group 'again' is there already" in done.stderr
