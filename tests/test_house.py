"""The order of the house: who imports whom, how long files, functions and lines may be, that a name
means one thing, and that an import changes nothing in the process."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vfiscope
from vfiscope import metric_names, metrics

PACKAGE = Path(vfiscope.__file__).parent

FLOORS = [
    ("errors", "printable", "registry"),
    ("types", "metric_names"),
    ("files", "jit_cache", "options"),
    ("config", "documents"),
    ("jit", "pixels", "store"),
    ("stage_clock",),
    ("sources", "stages", "synth"),
    ("models",),
    ("embedders",),
    ("alignment", "registration"),
    ("comparisons", "metrics", "signals"),
    ("regions", "segments"),
    ("views",),
    ("scoring",),
    ("compat", "inspection"),
    ("api", "batch"),
    ("demo",),
    ("cli",),
    ("__main__", "__init__"),
]
LAYERS = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
WITHOUT_TORCH = (
    "types",
    "options",
    "config",
    "store",
    "views",
    "segments",
    "signals",
    "synth",
    "sources",
    "pixels",
    "alignment",
    "registration",
    "comparisons",
    "metrics",
    "embedders",
    "regions",
    "scoring.pipeline",
    "api",
    "batch.execute",
)
FILES = sorted(PACKAGE.rglob("*.py"))
ROOT = PACKAGE.parent
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SCRIPTS = sorted([*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "samples").glob("*.py")])


MAX_FILE = 400
MAX_TEST_FILE = 500
MAX_BODY = 40
MAX_COLUMNS = 100
TABLES = {"METRICS", "MAPS", "FIELDS"}
"""What every module of metrics may call its tables."""
SAME_BASENAME = {"__init__.py"}
DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "pillow_heif": "pillow-heif",
    "sklearn": "scikit-learn",
}
"""{what is imported: what is installed for it, where the names differ}"""


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


def test_what_is_imported_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = chain.from_iterable(project["optional-dependencies"].values())
    declared = {re.split(r"[^\w-]", each)[0] for each in (*project["dependencies"], *extras)}
    named = {path: imported(ast.parse(path.read_text())) for path in FILES}
    packages = {name.split(".")[0] for names in named.values() for name in names}
    others = packages - {"vfiscope", *sys.stdlib_module_names}
    distributions = {DISTRIBUTIONS.get(name, name) for name in others}
    assert distributions <= declared


def test_every_room_has_a_layer() -> None:
    assert {room(path) for path in FILES} - {"py"} == set(LAYERS)


def modules_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.slow
@pytest.mark.parametrize("name", WITHOUT_TORCH)
def test_torch_is_not_imported_to_have_a_room(name: str) -> None:
    assert "torch" not in modules_after(f"import vfiscope.{name}")


@pytest.mark.slow
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
    ["score", "samples/truth.mp4", "--embedder", "dinov2-small", "--weights", "nowhere.pth"],
    ["score", "samples/truth.mp4", "--embedder", "dinov2-small", "--weights", "there.h5"],
    ["score", "samples/truth.mp4", "--embedder", "dinov2-small", "--weights", "samples"],
    ["score", "samples/truth.mp4", "--embedder", "dsift", "--lora-alpha", "8"],
    ["score", "samples/truth.mp4", "--deinterlace", "bwdif", "--align", "auto"],
    ["scan", ".", "--golden", "0"],
    ["compare", "samples/truth.mp4", "samples/truth.mp4"],
    ["compare", "samples/truth.mp4", "samples/truth.mp4", "--visualize", "there.h5"],
    ["batch", "nothing.json", "-o", "results"],
    ["batch", "samples/jobs.json", "-o", "results", "--fail-on", "psnr"],
    ["demo", "-o", "there.h5"],
]


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metrics", "unused"),
    [("psnr,ssim", f"{NEVER} torch huggingface_hub PIL"), ("", f"{NEVER} PIL")],
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


TRUTH, FLOW = (str(ROOT / "samples" / name) for name in ("truth.mp4", "interpolated.mp4"))
BETWEEN = "fault,midpoint_px,ghosting,psnr_div,motion_error,cosine_before,vfi"
NO_NETWORK = {
    "usual": ["score", FLOW, "--ref", TRUTH],
    "usual scan": ["scan", TRUTH, "--lag", "1"],
    "pixels": ["score", FLOW, "--ref", TRUTH, "--metrics", "psnr,psnr_y,ssim,ms_ssim,gmsd,absdiff"],
    "maps": ["score", FLOW, "--ref", TRUTH, "--metrics", "ssim", "--maps", "ssim,absdiff"],
    "registered": ["score", FLOW, "--ref", TRUTH, "--metrics", "psnr", "--register", "ecc"],
    "aligned": ["score", FLOW, "--ref", TRUTH, "--metrics", "psnr", "--align", "auto"],
    "between": ["score", FLOW, "--ref", TRUTH, "--metrics", BETWEEN, "--multiplier", "2"],
    "scan": ["scan", TRUTH, "--lag", "1", "--metrics", "psnr,ssim"],
    "golden": ["scan", TRUTH, "--golden", "0", "--metrics", "ssim_rgb"],
}


@pytest.mark.slow
@pytest.mark.parametrize("command", NO_NETWORK.values(), ids=list(NO_NETWORK))
def test_torch_is_imported_only_for_a_network_or_a_device(
    tmp_path: Path, command: list[str]
) -> None:
    command = [
        *command,
        "--device",
        "cpu",
        "--embedder",
        "dsift",
        "--stop",
        "3",
        "-o",
        str(tmp_path / "a.h5"),
        "--quiet",
    ]
    code = (
        f"from vfiscope.cli.program import main\ntry: main({command})\nexcept SystemExit as e:"
        " assert e.code == 0, e.code"
    )
    assert "torch" not in modules_after(code)
    assert (tmp_path / "a.h5").is_file()


@pytest.mark.slow
def test_python_and_two_images_need_no_torch(tmp_path: Path) -> None:
    for seed, name in enumerate(("a.png", "b.png")):
        noise = np.random.default_rng(seed).integers(0, 256, (32, 48, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / name)
    code = (
        "import vfiscope as vs\n"
        f"two = {str(tmp_path / 'a.png')!r}, {str(tmp_path / 'b.png')!r}\n"
        "vs.compare(*two, metrics=('psnr',), device='cpu')\n"
        f"vs.score({FLOW!r}, ref={TRUTH!r}, stop=2, metrics=('psnr', 'ssim'), device='cpu')\n"
    )
    assert "torch" not in modules_after(code)


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


def short(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def too_long(paths: list[Path], limit: int) -> set[str]:
    return {short(path) for path in paths if len(path.read_text().splitlines()) > limit}


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Name and lines of every function body, without its docstring."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[ast.get_docstring(node) is not None :]
            yield node.name, (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def constants(path: Path) -> set[str]:
    """Names in capitals that a module gives a value."""
    names = set()
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
        found = {
            each.id for target in targets for each in ast.walk(target) if type(each) is ast.Name
        }
        names |= {name for name in found if re.fullmatch(r"_?[A-Z][A-Z0-9_]+", name)}
    return names


def test_files_are_short() -> None:
    over = too_long([*FILES, *SCRIPTS], MAX_FILE) | too_long(TESTS, MAX_TEST_FILE)
    assert not over, f"over {MAX_FILE} lines, or {MAX_TEST_FILE} in tests"


def test_functions_are_short() -> None:
    over = {
        f"{short(path)}:{name}" for path in FILES for name, n in functions(path) if n > MAX_BODY
    }
    assert not over, f"bodies of more than {MAX_BODY} lines"


def test_lines_are_short() -> None:
    over = [
        f"{short(path)}:{number}"
        for path in (*FILES, *TESTS, *SCRIPTS)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > MAX_COLUMNS
    ]
    assert not over, f"more than {MAX_COLUMNS} columns: {over}"


def test_a_constant_has_one_meaning() -> None:
    where = defaultdict(list)
    for path in FILES:
        for name in constants(path) - TABLES:
            where[name].append(short(path))
    assert {name: paths for name, paths in where.items() if len(paths) > 1} == {}


def test_a_basename_has_one_module() -> None:
    where = defaultdict(list)
    for path in FILES:
        where[path.name].append(short(path))
    twice = {name: paths for name, paths in where.items() if len(paths) > 1}
    assert twice.keys() <= SAME_BASENAME, twice


def at_the_top(tree: ast.Module) -> Iterator[str]:
    """Modules that a module imports when it is itself imported."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.slow
def test_an_import_changes_nothing_in_the_process() -> None:
    """Of the package's own doing: the libraries that it imports are imported before."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in FILES]
    modules = [name.removesuffix(".__init__") for name in modules if "__main__" not in name]
    used = {name for path in FILES for name in at_the_top(ast.parse(path.read_text()))}
    libraries = sorted({name for name in used if not re.match(r"vfiscope\b|__future__", name)})
    done = subprocess.run(
        [sys.executable, "-m", "tests.helpers.import_effects", json.dumps([libraries, modules])],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == []
