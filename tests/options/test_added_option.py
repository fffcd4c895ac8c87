"""An option that an installed package adds by one declaration works in every place where options
are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from helpers.plugins import write_plugin

import vfiscope
from vfiscope import synth
from vfiscope.store import Run

pytestmark = pytest.mark.slow
ROOT = Path(vfiscope.__file__).parents[1]
DECLARATION = """
from typing import Annotated
from pydantic import Field
from vfiscope.options import GROUPS, Group, Option
from vfiscope.comparisons import COMPARISONS, Comparison
from vfiscope.types import Pairs
from dataclasses import replace

class Sparkle(Group):
    heading = "Sparkle"
    sparkle: Annotated[int, Field(ge=0, le=9), Option("How much the frames sparkle.")] = 3

GROUPS.add("sparkle", Sparkle)

class Sparkled(Comparison):
    name = "sparkled"

    @classmethod
    def suits(cls, config):
        return config.mode == "scan"

    def pairs(self, streams, done):
        for frames, features in streams.stream("test", done):
            brighter = replace(frames, data=frames.data + self.config.sparkle)
            yield Pairs(frames, brighter, features, None)

COMPARISONS.add(Sparkled.name, Sparkled)
"""
CHEAP = {"metrics": "psnr", "maps": "none", "fields": "none"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages with one that declares an option, and two flat images."""
    folder = tmp_path_factory.mktemp("site")
    synth.write_images(folder, np.full((2, 32, 48, 3), 100, np.uint8), "%d.png")
    return write_plugin(folder, DECLARATION, "my_option")


def ask(site: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the folder, where the package is installed."""
    head = f"import sys; sys.path[:0] = [{str(site)!r}, {str(ROOT)!r}]\n"
    return subprocess.run(
        [sys.executable, "-c", head + code], capture_output=True, text=True, check=False, cwd=site
    )


def call(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return ask(site, f"from vfiscope.cli.program import main\nmain({list(arguments)!r})")


def calls(site: Path, *commands: Sequence[str]) -> list[tuple[int, str]]:
    """Exit code and stderr of commands, one after the other in one process."""
    code = (
        "import contextlib, io, json\n"
        "from vfiscope.cli.program import main\n"
        "ended = []\n"
        f"for arguments in {[list(each) for each in commands]!r}:\n"
        "    with contextlib.redirect_stderr(io.StringIO()) as said:\n"
        "        try:\n"
        "            main(arguments)\n"
        "        except SystemExit as end:\n"
        "            ended.append((end.code or 0, said.getvalue()))\n"
        "print(json.dumps(ended))"
    )
    done = ask(site, code)
    assert done.returncode == 0, done.stderr
    return [(code, said) for code, said in json.loads(done.stdout)]


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
    pair = ["compare", "0.png", "1.png", *cheap]
    runs = [[*pair, "-o", out, *more] for out, more in asked.items()]
    *ended, refused = calls(site, *runs, [*pair, "--sparkle", "10"])
    assert ended == [(0, "")] * 3
    assert refused == (2, "vfiscope: error: sparkle is 10: pass a number from 0 to 9\n")
    assert stored(site, list(asked)) == [4, 5, 3]
    helped = call(site, "compare", "--help").stdout
    assert "Sparkle:\n  --sparkle INTEGER  How much the frames sparkle.  [default: 3]" in helped


def test_jobs_and_python(site: Path) -> None:
    job = {"id": "json", "test": "0.png", "ref": "1.png", "sparkle": 6, **CHEAP}
    (site / "a.json").write_text(json.dumps([job]))
    (site / "a.csv").write_text(
        "id,test,ref,metrics,maps,fields,sparkle\ncsv,0.png,1.png,psnr,none,none,7\n"
    )
    batches = [["batch", name, "-o", "results", "--quiet"] for name in ("a.json", "a.csv")]
    assert calls(site, *batches) == [(0, ""), (0, "")]
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


def test_a_comparison_of_the_package_reads_it(site: Path) -> None:
    """Frames beside themselves, so many code values brighter: their mean squared difference is
    known."""
    asked = ["--comparison", "sparkled", "--sparkle", "4", "--metrics", "mse", "-o", "seen.h5"]
    done = call(site, "scan", "%d.png", *asked, "--maps", "none", "--fields", "none", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    with Run(site / "seen.h5") as run:
        assert run.scores["mse"].tolist() == [16, 16]
        assert run.config["sparkle"] == 4


def test_a_name_that_is_taken_is_refused(site: Path) -> None:
    code = (
        "from vfiscope.options import GROUPS, Group, declared\n"
        "from my_option import Sparkle\n"
        "GROUPS.add('again', Sparkle)\n"
        "declared()"
    )
    done = ask(site, code)
    assert "the option 'sparkle' of the group 'again' already exists" in done.stderr
