"""What is made of the declarations: signatures, types for type checkers, the page of options."""

from __future__ import annotations

import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import vfiscope as vs
from vfiscope.errors import UsageError
from vfiscope.options import declared
from vfiscope.options.generate import generated

ROOT = Path(vs.__file__).parents[1]


@pytest.mark.parametrize("path", generated(), ids=lambda path: path.name)
def test_what_is_generated_is_up_to_date(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == generated()[path], (
        "run python -m vfiscope.options.generate"
    )


@pytest.mark.parametrize("verb", ["score", "scan", "compare"])
def test_a_function_shows_the_options_of_its_verb(verb: str) -> None:
    function = getattr(vs, verb)
    parameters = inspect.signature(function).parameters
    expected = {name for name, told in declared().items() if verb in told.option.verbs}
    assert set(parameters) - {"visualize"} == expected
    for name in expected - {"test", "ref"}:
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert parameters[name].default == declared()[name].default, name
    shown = pydoc.plain(pydoc.render_doc(function))
    assert "batch: int = 4" in shown
    assert "    batch: Frames decoded and scored together;" in shown


def test_open_source_shows_the_options_of_reading() -> None:
    parameters = inspect.signature(vs.open_source).parameters
    assert list(parameters)[:2] == ["target", "resize"]
    assert parameters["batch"].default == 4
    with pytest.raises(UsageError, match="there is no option 'bach': did you mean 'batch'"):
        vs.open_source("a.mp4", bach=3)  # type: ignore[call-arg]


RIGHT = """
import vfiscope as vs
run = vs.score("a.mp4", ref="b.mp4", metrics=["psnr"], batch=4, align="auto", pool="cls", fps=24)
vs.scan("a", golden=0, lag=None, out="a.h5")
vs.compare("a.png", "b.png", visualize="figures", precision="float32")
vs.open_source("a.mp4", batch=2, start="2.5s", resize=(4, 4, "area"))
"""
WRONG = {
    'vs.score("a.mp4", bach=4)': 'Unexpected keyword argument "bach" for "score"',
    'vs.score("a.mp4", batch="4")': 'Argument "batch" to "score" has incompatible type "str"',
    'vs.score("a.mp4", pool="max")': 'Argument "pool" to "score" has incompatible type',
    'vs.score("a.mp4", lag=1)': 'Unexpected keyword argument "lag" for "score"',
    'vs.open_source("a.mp4", step="2")': 'Argument "step" to "open_source" has incompatible type',
}
# Types of other packages are not what is asked, and reading them takes most of the time.
MYPY = """
[mypy]
follow_imports = silent
ignore_missing_imports = true
[mypy-torch.*,numpy.*,h5py.*,numba.*,matplotlib.*,PIL.*,cv2.*,av.*,scipy.*,sklearn.*,pydantic.*]
follow_imports = skip
"""


@pytest.mark.slow
def test_a_type_checker_knows_every_keyword(tmp_path: Path) -> None:
    right, wrong = tmp_path / "right.py", tmp_path / "wrong.py"
    right.write_text(RIGHT)
    wrong.write_text("import vfiscope as vs\n" + "\n".join(WRONG))
    (tmp_path / "mypy.ini").write_text(MYPY)
    loose = [f"--config-file={tmp_path / 'mypy.ini'}", f"--cache-dir={tmp_path / 'cache'}"]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *loose, str(right), str(wrong)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    errors = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert len(errors) == len(WRONG), done.stdout + done.stderr
    for number, (error, message) in enumerate(zip(errors, WRONG.values(), strict=True), start=2):
        assert f"wrong.py:{number}: error: {message}" in error
