"""The fused kernels of SSIM against tensor operations: on a GPU where there is one, and everywhere
by Triton's interpreter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vfiscope.metrics import pixel_pairs
from vfiscope.metrics.pixel_pairs import LUMA
from vfiscope.metrics.ssim import SCALED_SSIM_C
from vfiscope.metrics.tensors import planes, ssim_tensors
from vfiscope.types.batch import to_tensor

pytest.importorskip("triton")

MODULE = "vfiscope.metrics.tensors.ssim_triton"
Similarity = Callable[[Tensor, Tensor, tuple[float, float]], tuple[Tensor, Tensor]]


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Similarity]:
    """The kernels, run by Triton's interpreter on the CPU."""
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.delitem(sys.modules, MODULE, raising=False)
    yield import_module(MODULE).similarity
    sys.modules.pop(MODULE)


def scene(height: int, width: int, level: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """A frame (1, 3, H, W) with structure and grain, and a blurred, noisier one."""
    random = np.random.default_rng(height)
    y, x = np.mgrid[:height, :width]
    waves = 40 * np.sin(x / 5) * np.cos(y / 7)
    images = [
        level + waves * gain + random.normal(0, 5, (1, 3, height, width)) for gain in (1, 0.7)
    ]
    test, ref = (np.clip(image, 0, 255).astype(np.uint8) for image in images)
    return test, ref


def both_planes(test: np.ndarray, ref: np.ndarray, device: str) -> tuple[Tensor, Tensor]:
    pair = pixel_pairs.same_scale(to_tensor(test, device), to_tensor(ref, device), 8, 8)
    return planes.planes(pair, 0, LUMA)


def check(similarity: Similarity, test: np.ndarray, ref: np.ndarray, device: str) -> None:
    s, d = both_planes(test, ref, device)
    wanted, made = (
        ssim_tensors.plain_similarity(s, d, SCALED_SSIM_C),
        similarity(s, d, SCALED_SSIM_C),
    )
    for one, other in zip(made, wanted, strict=True):
        assert one.shape == other.shape == (test.shape[2] - 10, test.shape[3] - 10)
        assert float((one - other).abs().max()) < 2e-5
        assert float(one.double().mean() - other.double().mean()) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("size", [(11, 11), (23, 530)])
def test_the_interpreted_kernels_are_the_tensor_operations(
    interpreted: Similarity, size: tuple[int, int]
) -> None:
    """A single window, and rows that are longer than a block."""
    check(interpreted, *scene(*size), "cpu")


def test_equal_frames_are_exactly_one(interpreted: Similarity) -> None:
    test, _ = scene(16, 40, level=250)
    for one in interpreted(*both_planes(test, test, "cpu"), SCALED_SSIM_C):
        assert torch.equal(one, torch.ones(6, 30))


def test_kernels_that_agree_are_used_and_others_are_told(
    interpreted: Similarity, caplog: pytest.LogCaptureFixture
) -> None:
    cpu = torch.device("cpu")
    assert ssim_tensors.tried(lambda: interpreted, cpu) is interpreted
    assert caplog.messages == []

    def without_compiler() -> Similarity:
        raise RuntimeError("Failed to find C compiler.\nmore")

    def off(s: Tensor, d: Tensor, c: tuple[float, float]) -> tuple[Tensor, Tensor]:
        full, structure = ssim_tensors.plain_similarity(s, d, c)
        return full + 0.25, structure

    for load, reason in ((without_compiler, "Failed to find C compiler."), (lambda: off, "0.25")):
        assert ssim_tensors.tried(load, cpu) is ssim_tensors.plain_similarity
        said = "warning: ssim is slower on cpu without its Triton kernels: "
        assert caplog.messages.pop().startswith(said)
        assert reason in caplog.text
        caplog.clear()


@pytest.mark.slow
def test_the_kernels_compile_for_a_gpu_that_is_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the interpreter lets pass, the compiler may refuse; for a device of capability 9.0."""
    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    compiler = pytest.importorskip("triton.compiler")
    target = import_module("triton.backends.compiler").GPUTarget("cuda", 90, 32)
    module = import_module(MODULE)
    for kernel in (module._down, module._across):
        types = {"width": "i32", "c1": "fp32", "c2": "fp32", "block": "constexpr"}
        signature = {name: types.get(name, "*fp32") for name in kernel.arg_names}
        place = (kernel.arg_names.index("block"),)
        source = compiler.ASTSource(kernel, signature, {place: module.PROGRAM_PX})
        made = compiler.compile(source, target=target, options=module.ROUNDED)
        assert ".target sm_90" in made.asm["ptx"]
        assert "fma" not in made.asm["ptx"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_the_compiled_kernels_are_the_tensor_operations() -> None:
    similarity = import_module(MODULE).similarity
    for size in ((11, 11), (123, 530), (540, 961)):
        check(similarity, *scene(*size), "cuda")
