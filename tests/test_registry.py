"""Tables that other packages add to: what is found in them, and what is said of a wrong name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vfiscope.errors import UsageError
from vfiscope.registry import Registry, suggest


def test_things_come_in_the_order_in_which_they_were_added() -> None:
    table: Registry[int] = Registry("signal")
    assert table.add("luma", 1) == 1
    table.add("blur", 2)
    assert dict(table) == {"luma": 1, "blur": 2}
    assert len(table) == 2
    assert table.named("blur") == table["blur"] == 2


def test_wrong_and_repeated_names_are_refused() -> None:
    table: Registry[int] = Registry("signal")
    table.add("luma", 1)
    with pytest.raises(UsageError, match=r"there is no signal 'lumma': did you mean 'luma'\?"):
        table.named("lumma")
    with pytest.raises(UsageError, match="there is no signal 'x': choose from luma"):
        table.named("x")
    with pytest.raises(UsageError, match="there is a signal 'luma' already"):
        table.add("luma", 2)
    with pytest.raises(KeyError):
        _ = table["x"]


def test_a_suggestion_is_near_or_all_are_listed() -> None:
    assert suggest("ssimm", ["psnr", "ssim"]) == "did you mean 'ssim'?"
    assert suggest("qqqq", ["psnr", "ssim"]) == "choose from psnr, ssim"
    assert suggest("fsp", ["fps", "step"]) == "did you mean 'fps'?"
    assert suggest("threads", ["step", "stream"]) == "choose from step, stream"


def plugin(folder: Path, code: str) -> Path:
    """A package as an installer leaves it: a module, and the metadata that names it."""
    (folder / "my_plugin.py").write_text(code)
    info = folder / "my_plugin-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: my-plugin\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[vfiscope.plugins]\nmine = my_plugin\n")
    return folder


def names_seen(folder: Path) -> subprocess.CompletedProcess[str]:
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import builtins; from vfiscope.registry import Registry\n"
        "builtins.table = Registry('signal')\n"
        "print(list(builtins.table))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_an_installed_package_adds_to_a_table(tmp_path: Path) -> None:
    done = names_seen(plugin(tmp_path, "import builtins\nbuiltins.table.add('mine', 1)\n"))
    assert done.stdout == "['mine']\n"


def test_a_plugin_that_fails_is_named(tmp_path: Path) -> None:
    done = names_seen(plugin(tmp_path, "1 / 0\n"))
    assert done.returncode != 0
    assert "the plugin mine (my_plugin) cannot be loaded: ZeroDivisionError" in done.stderr


def test_a_plugin_that_fails_does_so_at_every_look(tmp_path: Path) -> None:
    plugin(tmp_path, "1 / 0\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from vfiscope.errors import UsageError\n"
        "from vfiscope.registry import Registry\n"
        "for _ in range(2):\n"
        "    try: print(list(Registry('signal')))\n"
        "    except UsageError as error: print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused", "refused"]
