"""The order of the house: a file imports only from layers above its own, and results open without
torch."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import vfiscope
from vfiscope import metric_names, metrics

PACKAGE = Path(vfiscope.__file__).parent

FLOORS = [
    ("errors", "registry"),
    ("types", "config", "metric_names"),
    ("jit_cache",),
    ("jit", "store"),
    ("sources", "synth"),
    ("pixels",),
    ("models",),
    ("embedders",),
    ("alignment", "registration"),
    ("comparisons", "metrics"),
    ("segments",),
    ("views",),
    ("scoring",),
    ("compat", "inspection"),
    ("api", "batch"),
    ("demo",),
    ("cli",),
    ("__main__", "__init__"),
]
LAYERS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
WITHOUT_TORCH = ("errors", "types", "config", "store", "views", "segments", "synth")
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
        "from vfiscope.cli.program import main\n"
        f"try: main({arguments})\nexcept SystemExit as e: assert e.code in (0, None), e.code"
    )
    assert "torch" not in modules_after(code)


REFUSED = [
    ["score", "samples/truth.mp4", "--nothing"],
    ["score", "samples/nowhere.mp4", "--ref", "samples/truth.mp4"],
    ["score", "samples/truth.mp4", "--ref", "samples/nowhere.mp4"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "-o", "there.h5"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "-o", "no/such/folder.h5"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--metrics", "psnr,ssimm"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--metrics", "none"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--maps", "psnr"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--fail-on", "psnr <"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--flag", "vfi > 0.5"],
    ["score", "samples/truth.mp4", "--ref", "samples/truth.mp4", "--flag", "mean(psnr) < 30"],
    ["score", "samples/truth.mp4", "--embedder", "dinov3"],
    ["score", "samples/truth.mp4", "--weights", "of_what.safetensors"],
    ["score", "samples/truth.mp4", "--deinterlace", "bwdif", "--align", "auto"],
    ["scan", ".", "--golden", "0"],
    ["compare", "samples/truth.mp4", "samples/truth.mp4"],
    ["compare", "samples/truth.mp4", "samples/truth.mp4", "--visualize", "there.h5"],
    ["batch", "nothing.json", "-o", "results"],
    ["batch", "samples/jobs.json", "-o", "results", "--fail-on", "psnr"],
    ["demo", "-o", "there.h5"],
]


def test_refusals_come_before_torch_is_imported(tmp_path: Path) -> None:
    (tmp_path / "samples").symlink_to(PACKAGE.parent / "samples")
    (tmp_path / "there.h5").write_bytes(b"")
    code = (
        f"import os, sys; os.chdir({str(tmp_path)!r})\n"
        "from vfiscope.cli.program import main\n"
        f"for arguments in {REFUSED!r}:\n"
        "    try: main(arguments)\n"
        "    except SystemExit as e: assert e.code == 2, (e.code, arguments)\n"
        "    assert 'torch' not in sys.modules, arguments"
    )
    assert "vfiscope.scoring.checks" in modules_after(code)


NEVER = "httpx httpx2 kornia matplotlib pandas pyarrow safetensors skimage sklearn timm torchvision"


@pytest.mark.parametrize(
    ("metrics", "unused"),
    [("psnr,ssim", f"{NEVER} huggingface_hub PIL natsort"), ("", f"{NEVER} PIL natsort")],
    ids=["psnr and ssim", "the usual"],
)
def test_a_score_imports_nothing_that_it_does_not_use(
    tmp_path: Path, metrics: str, unused: str
) -> None:
    clips = [str(PACKAGE.parent / "samples" / name) for name in ("interpolated.mp4", "truth.mp4")]
    command = [
        "score",
        clips[0],
        "--ref",
        clips[1],
        "--stop",
        "2",
        "-o",
        str(tmp_path / "a.h5"),
        "--quiet",
    ]
    command += ["--metrics", metrics] if metrics else []
    code = (
        f"from vfiscope.cli.program import main\ntry: main({command})\nexcept SystemExit as e:"
        " assert e.code == 0"
    )
    imported = {name.split(".")[0] for name in modules_after(code)}
    assert (tmp_path / "a.h5").is_file()
    assert imported & set(unused.split()) == set()


@pytest.mark.parametrize(
    ("kind", "known"),
    [("METRICS", metrics.METRICS), ("MAPS", metrics.MAPS), ("FIELDS", metrics.FIELDS)],
)
def test_the_catalog_names_what_there_is(kind: str, known: dict[str, object]) -> None:
    assert getattr(metric_names, kind) == tuple(known)


def test_public_names_are_what_is_visible() -> None:
    assert vfiscope.__all__ == sorted(vfiscope.__all__)
    assert dir(vfiscope) == vfiscope.__all__
    for name in vfiscope.__all__:
        assert getattr(vfiscope, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = vfiscope.nothing
