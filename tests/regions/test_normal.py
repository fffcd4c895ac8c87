"""Memory banks of normal frames: what they hold, their thresholds, and their files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby, islice, repeat
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vfiscope.embedders import Identity, identify
from vfiscope.errors import EmbedderError, OutputExistsError, StoreError, UsageError, VfiscopeError
from vfiscope.metrics.tensors.patch_tensors import unit
from vfiscope.regions import METHODS, FramePair, Settings, find
from vfiscope.regions.coreset import Coreset, k_centers
from vfiscope.regions.difference.memory_bank import against_normal
from vfiscope.regions.extremes import level_above
from vfiscope.regions.normal import Normal, build_normal, load_normal
from vfiscope.regions.normal_size import check_normal_size
from vfiscope.regions.normal_source import folds
from vfiscope.regions.patch_features import PatchFeatures
from vfiscope.types import Uint8

DSIFT = Settings(embedder="dsift")


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiscope.regions.patch_features.SIZE_DSIFT_REGIONS", 112)


def line(count: int, size: tuple[int, int] = (48, 64)) -> Uint8:
    """Frames of a texture that moves by 3 pixels from frame to frame, with noise."""
    random = np.random.default_rng(0)
    tile = np.kron(random.integers(60, 190, (6, 6)), np.ones((8, 8)))
    belt = np.tile(tile, (size[0] // 48 + 1, size[1] // 48 + 3))
    frames = [
        np.roll(belt, -3 * n, axis=1)[: size[0], : size[1]] + random.normal(0, 2, size)
        for n in range(count)
    ]
    return np.repeat(np.clip(np.rint(frames), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def a_bank(**changes: object) -> Normal:
    vectors = unit(torch.eye(3)[:2] + torch.tensor([0.0, 0.0, 0.25]))
    identity = replace(identify("dsift"), dim=3)
    made = Normal(vectors.numpy(), np.array([0.1, 0.2], np.float32), identity, (4, 6), "there")
    return replace(made, **changes)  # type: ignore[arg-type]


def test_k_centers_by_hand() -> None:
    places = torch.tensor([[0.0], [1], [10], [10.5], [4]])
    assert k_centers(places, 3).tolist() == [3, 0, 4]
    assert k_centers(torch.zeros(5, 2), 3).tolist() == [0]


def test_a_coreset_is_bounded_and_covers_what_was_left_out() -> None:
    random = torch.Generator().manual_seed(1)
    vectors = unit(torch.randn(3000, 4, generator=random))
    coreset = Coreset(40)
    for start in range(0, 3000, 700):
        coreset.add(vectors[start : start + 700])
    kept = coreset.vectors()
    assert len(kept) == 40
    apart = 1 - (vectors @ kept.T).amax(dim=1)
    assert 0 < float(apart.max()) < 2.5 * coreset.radius
    few = Coreset(40)
    few.add(vectors[:7])
    assert (few.vectors() == vectors[:7]).all()
    with pytest.raises(ValueError, match="nothing was added"):
        Coreset(3).vectors()


def test_the_level_is_a_quantile_of_extremes_and_above_all_that_was_seen() -> None:
    random = np.random.default_rng(0)
    maxima = random.gumbel(0.1, 0.01, 20_000).astype(np.float32)
    for sensitivity, chance in (("low", 1e-3), ("medium", 1e-2), ("high", 5e-2)):
        level = level_above(maxima[:200], sensitivity)  # type: ignore[arg-type]
        assert level >= maxima[:200].max()
        above = float((maxima > level).mean())
        assert above <= 1.5 * chance
    assert level_above(np.array([0.3], np.float32), "low") == pytest.approx(0.3)
    assert level_above(np.zeros(5, np.float32), "low") == 0


def test_distances_to_a_bank_by_hand() -> None:
    bank, black = a_bank(), np.zeros((4, 6, 3), np.uint8)
    patches = torch.tensor([[[1.0, 0, 0.25], [0, 0, 1.0], [0, 0, 0]]])
    made = against_normal(FramePair(black, black), embed=lambda frame: patches, normal=bank)
    far = 1 - 0.25 / np.sqrt(1 + 0.25**2)
    np.testing.assert_allclose(made.cells, [[0, far, 1]], atol=1e-6)
    assert made.cells is not None
    assert made.cells[0, 0] == 0
    assert (made.values.shape, made.unit) == ((4, 6), "cosine distance")


def test_a_saved_bank_of_another_size_is_refused(tmp_path: Path) -> None:
    bank = str(tmp_path / "bank.h5")
    a_bank().save(bank)
    for fitting in ((4, 6), None):
        check_normal_size(bank, fitting)
    with pytest.raises(UsageError, match=r"of .*bank.h5 are 6x4, and these are 4x6: pass normal"):
        check_normal_size(bank, (6, 4))


def test_normal_frames_have_no_region_and_a_defect_is_found_at_its_place(tmp_path: Path) -> None:
    frames = line(24)
    for number, pixels in enumerate(frames):
        Image.fromarray(pixels).save(tmp_path / f"{number:02d}.png")
    bank = build_normal(str(tmp_path), DSIFT)
    assert len(bank.maxima) == 24
    bank.save(tmp_path / "bank.h5")
    method = METHODS["patchcore"](Settings(normal=str(tmp_path / "bank.h5")))
    for pixels in frames[::5]:
        found = find(FramePair(pixels, frames[0]), method)
        assert not found.regions
        assert found.cut.level == bank.level("medium")
    for y, x in ((0, 0), (0, 44), (28, 0), (28, 44), (14, 22)):
        broken = frames[7].copy()
        broken[y : y + 20, x : x + 20] = (255, 30, 30)
        found = find(FramePair(broken, frames[0]), method)
        assert found.regions
        first = found.regions[0]
        assert abs(first.centroid_x - x - 9.5) < 8
        assert abs(first.centroid_y - y - 9.5) < 8
        assert found.cut.mask.sum() == sum(region.area for region in found.regions)


def test_the_size_of_the_bank_does_not_grow_with_the_frames() -> None:
    sizes = [len(build_normal(line(count), DSIFT, most=60).patches) for count in (10, 30)]
    assert sizes == [60, 60]


def test_few_frames_or_patches_are_refused() -> None:
    with pytest.raises(UsageError, match="has 1 normal frame: pass 2 or more"):
        build_normal(line(1), DSIFT)
    with pytest.raises(UsageError, match="most is 4: a bank needs 5 patches"):
        build_normal(line(3), DSIFT, most=4)
    same = build_normal(np.repeat(line(1), 2, axis=0), DSIFT)
    assert same.level("medium") == pytest.approx(0, abs=1e-6)


def test_frames_of_an_unknown_number_fill_all_folds() -> None:
    def dealt(count: int | None, frames: int) -> list[int]:
        return list(islice(folds(count), frames))

    assert dealt(None, 7) == [0, 1, 2, 3, 4, 0, 1]
    assert set(dealt(None, 20)) == {0, 1, 2, 3, 4}
    assert dealt(45, 45) == [number // 3 % 5 for number in range(45)]
    lengths = [len(list(run)) for _, run in groupby(dealt(None, 5000))]
    assert (lengths[0], max(lengths)) == (1, 32)


def test_frames_that_cannot_be_read_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vfiscope.regions.normal_source.folds", lambda count: repeat(0))
    with pytest.raises(UsageError, match="claims 4 frames and only its first 4 can be read"):
        build_normal(line(4), DSIFT)


def test_another_embedder_is_refused_on_one_line(tmp_path: Path) -> None:
    bank = a_bank(identity=identify("dsift", size=112))
    with pytest.raises(EmbedderError, match="with size 112, and now it is dsift with size 56"):
        bank.check(identify("dsift", size=56))
    other = replace(bank.identity, name="dinov2-small", weights_digest="sha256:1", dim=384)
    with pytest.raises(EmbedderError, match="pass --embedder dinov2-small and the same weights"):
        replace(bank, identity=other).check(bank.identity)
    build_normal(line(2), DSIFT).save(tmp_path / "a.h5")
    assert METHODS["patchcore"](Settings(normal=str(tmp_path / "a.h5"), embedder="dsift"))
    assert load_normal(tmp_path / "a.h5").identity == PatchFeatures("dsift", size=112).identity


# ------------------------------------------------------------------------------------------ files

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@settings(max_examples=8, deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 5),
    st.integers(1, 4),
    names,
    st.one_of(st.none(), names),
    st.integers(0, 99),
)
def test_what_was_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory,
    patches: int,
    dim: int,
    frames: int,
    name: str,
    digest: str | None,
    seed: int,
) -> None:
    path = tmp_path_factory.mktemp("banks") / "a.h5"
    random = torch.Generator().manual_seed(seed)
    identity = Identity(name, "v", digest, 14, dim, 112, "keep", "patch", lora_alpha=0.5)
    bank = Normal(
        unit(torch.randn(patches, dim, generator=random)).numpy(),
        torch.rand(frames, generator=random).numpy(),
        identity,
        (3, 5),
        name,
    )
    bank.save(path)
    again = load_normal(path)
    assert (again.patches == bank.patches).all()
    assert (again.maxima == bank.maxima).all()
    assert (again.identity, again.size, again.source) == (identity, (3, 5), name)


def test_a_bank_is_not_overwritten_unasked(tmp_path: Path) -> None:
    a_bank().save(tmp_path / "a.h5")
    before = (tmp_path / "a.h5").read_bytes()
    with pytest.raises(OutputExistsError, match="pass --overwrite"):
        a_bank().save(tmp_path / "a.h5")
    assert (tmp_path / "a.h5").read_bytes() == before
    a_bank(source="else").save(tmp_path / "a.h5", overwrite=True)
    assert load_normal(tmp_path / "a.h5").source == "else"


Change = Callable[[h5py.File], None]


def external(h5: h5py.File) -> None:
    del h5["maxima"]
    h5.create_dataset("maxima", (2,), "<f4", external=[("/etc/passwd", 0, 8)])


def linked(h5: h5py.File) -> None:
    del h5["patches"]
    h5["patches"] = h5py.ExternalLink("/etc/passwd", "/")


def huge(h5: h5py.File) -> None:
    del h5["maxima"]
    h5.create_dataset("maxima", (2**40,), "<f4", chunks=(2**20,))


def put(name: str, value: object) -> Change:
    def change(h5: h5py.File) -> None:
        if name in h5:
            h5[name][...] = value
        else:
            h5.attrs[name] = value

    return change


def drop(name: str) -> Change:
    def change(h5: h5py.File) -> None:
        del (h5 if name in h5 else h5.attrs)[name]

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (external, "is not stored in the file itself"),
        (linked, "is not stored in the file itself"),
        (huge, "do not trust it"),
        (put("format", "vfiscope"), "is not a memory bank"),
        (put("format", ["a", "b"]), "damaged"),
        (put("format_version", 2), "upgrade vfiscope"),
        (put("frame_width", 0), "no frames or patches"),
        (put("patches", np.nan), "length than 1"),
        (put("patches", 7.0), "length than 1"),
        (put("maxima", np.nan), "outside of 0..2"),
        (put("maxima", -1.0), "outside of 0..2"),
        (put("embedder", "{}"), "damaged"),
        (put("embedder", "[" * 70_000), "damaged"),
        (put("embedder", '{"name": 3}'), "damaged"),
        (drop("embedder"), "damaged"),
        (drop("patches"), "is not stored in the file itself"),
    ],
)
def test_hostile_banks_are_refused(tmp_path: Path, change: Change, why: str) -> None:
    a_bank().save(tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "r+") as h5:
        change(h5)
    with pytest.raises(StoreError, match=why) as error:
        load_normal(tmp_path / "a.h5")
    assert "\n" not in str(error.value)


def test_vectors_of_another_length_and_files_that_are_none(tmp_path: Path) -> None:
    a_bank(identity=identify("dsift")).save(tmp_path / "a.h5")
    with pytest.raises(StoreError, match="vectors of 3 numbers, and its embedder makes 135"):
        load_normal(tmp_path / "a.h5")
    (tmp_path / "b.h5").write_bytes(b"no")
    for bad in ("b.h5", "c.h5", "."):
        with pytest.raises(VfiscopeError):
            METHODS["patchcore"](Settings(normal=str(tmp_path / bad)))
    with h5py.File(tmp_path / "d.h5", "w") as h5:
        h5.attrs["format"] = "else"
    with pytest.raises(StoreError, match="not from vfiscope"):
        METHODS["patchcore"](Settings(normal=str(tmp_path / "d.h5")))
