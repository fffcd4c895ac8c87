"""Where maps and fields lie in the frames as scored: stored, read back, known of older files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import cv2
import h5py
import numpy as np
import pytest
from helpers.results import GRID, make_header, make_scores, write

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import StoreError
from vfiscope.store import Run
from vfiscope.types import Box, CellGrid

SIZE = (50, 67)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "a.h5"
    return write(out, make_scores(5), header=make_header(size=SIZE))


@pytest.fixture
def result(stored: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copy(stored, tmp_path / "a.h5"))


def test_size_and_cells_are_attributes_and_come_back(stored: Path) -> None:
    with h5py.File(stored) as h5:
        assert (h5.attrs["frame_height"], h5.attrs["frame_width"]) == SIZE
        for dataset in (h5["maps/mismatch"], h5["fields/motion"]):
            found = [dataset.attrs[name] for name in ("top", "left", "cell_height", "cell_width")]
            assert found == [0.0, 0.0, 50 / 3, 67 / 4]
    with Run(stored) as run:
        assert run.frame_size == SIZE
        for each in (run.maps["mismatch"], run.fields["motion"]):
            assert each.cells == CellGrid.over(SIZE, GRID)
            assert each.box(1, 2) == Box(33, 16, 17, 17)
            assert np.array_equal(each.at(3), each[3])
        assert run.maps["mismatch"].at(3).shape == GRID
        assert run.fields["motion"].at(-1).shape == (2, *GRID)


def test_cells_need_not_begin_at_the_border(result: Path) -> None:
    with h5py.File(result, "r+") as h5:
        attrs = h5["maps/mismatch"].attrs
        attrs["top"], attrs["left"], attrs["cell_height"], attrs["cell_width"] = 2.0, 3.5, 10.0, 8.0
    with Run(result) as run:
        assert run.maps["mismatch"].box(1, 1) == Box(11, 12, 8, 10)
        assert run.fields["motion"].box(1, 2) == Box(33, 16, 17, 17)


@pytest.mark.parametrize(
    ("name", "value"),
    [("frame_height", 0), ("frame_width", "wide"), ("cell_width", -1.0), ("top", float("nan"))],
)
def test_geometry_that_means_nothing_is_refused(result: Path, name: str, value: Any) -> None:
    with h5py.File(result, "r+") as h5:
        (h5 if name.startswith("frame") else h5["maps/mismatch"]).attrs[name] = value
    with pytest.raises(StoreError, match=r"the content of .*a\.h5 cannot be read"):
        Run(result)


def as_before(path: Path, config: dict[str, Any], *sizes: tuple[int, int]) -> None:
    """Make a file one of before the geometry was stored: its inputs have these sizes."""
    with h5py.File(path, "r+") as h5:
        for name in ("frame_height", "frame_width"):
            del h5.attrs[name]
        for dataset in (h5["maps/mismatch"], h5["fields/motion"]):
            for name in ("top", "left", "cell_height", "cell_width"):
                del dataset.attrs[name]
        sources = [
            {**source, **({} if not size else {"height": size[0], "width": size[1]})}
            for source, size in zip(json.loads(h5.attrs["sources"]), sizes, strict=True)
        ]
        h5.attrs["sources"] = json.dumps(sources)
        h5.attrs["config"] = json.dumps({**json.loads(h5.attrs["config"]), **config})


@pytest.mark.parametrize(
    ("config", "sizes"),
    [
        ({}, (SIZE, SIZE)),
        ({"resize": None}, (SIZE, SIZE)),
        ({"resize": "area"}, ((100, 134), SIZE)),
    ],
)
def test_of_older_files_it_follows_from_the_inputs(
    result: Path, config: dict[str, Any], sizes: tuple[tuple[int, int], ...]
) -> None:
    as_before(result, config, *sizes)
    with Run(result) as run:
        assert run.frame_size == SIZE
        assert run.maps["mismatch"].cells == CellGrid.over(SIZE, GRID)
        assert run.fields["motion"].box(1, 2) == Box(33, 16, 17, 17)


def test_where_it_does_not_follow_that_is_said(result: Path) -> None:
    as_before(result, {}, (), ())
    with Run(result) as run:
        assert run.frame_size is None
        assert run.maps["mismatch"].at(0).shape == GRID
        with pytest.raises(
            StoreError,
            match=r"a\.h5 does not store the size .* of the cells of mismatch is unknown",
        ):
            run.maps["mismatch"].box(0, 0)


# ---------------------------------------------------------------------------------- resized frames


def shifted(height: int, width: int, by: int) -> tuple[np.ndarray, np.ndarray]:
    """Test and reference of one scene; content at (x, y) of the test is at (x + by, y) there."""
    wide = synth.Scene(height, width + by, seed=5, velocity=(0.0, 0.0)).clip(1).frames
    return wide[:, :, by:], wide[:, :, :width]


def test_vectors_of_a_resized_run_are_in_pixels_of_the_frame_as_scored() -> None:
    """The test comes at twice the size of its reference, which shows the scene 6 pixels further."""
    test, ref = shifted(112, 168, 6)
    large = cv2.resize(test[0], (336, 224), interpolation=cv2.INTER_CUBIC)[None]
    with vs.score(large, ref=ref, resize="area", embedder="dsift", size=112) as run:
        assert (run.sources[0]["height"], run.sources[0]["width"]) == (224, 336)
        assert run.frame_size == (112, 168)
        assert run.fields["motion"].cells == CellGrid(8, 12, 0.0, 0.0, 14.0, 14.0)
        inside = run.fields["motion"].at(0)[:, 1:-1, 1:-2]
        np.testing.assert_allclose(np.median(inside.reshape(2, -1), axis=1), [6, 0], atol=0.25)


def test_boxes_of_a_resized_run_are_in_pixels_of_the_frame_as_scored() -> None:
    """What is damaged at (96, 64) of the reference's size is found there."""
    ref = synth.Scene(112, 168, seed=5).clip(1).frames
    test = ref.copy()
    test[0, 64:80, 100:112] = 255 - test[0, 64:80, 100:112]
    large = cv2.resize(test[0], (336, 224), interpolation=cv2.INTER_CUBIC)[None]
    with vs.score(large, ref=ref, resize="area", metrics=["psnr"], maps=["absdiff"]) as run:
        stored = run.maps["absdiff"]
        i, j = np.unravel_index(int(stored.at(0).argmax()), stored.cells.shape)
        assert stored.box(int(i), int(j)) == Box(100, 64, 17, 16)


def test_a_sequence_of_mixed_sizes_has_that_of_its_first(tmp_path: Path) -> None:
    frames = synth.Scene(48, 64, seed=2).clip(3).frames
    large = [cv2.resize(frame, (96, 72)) for frame in frames[1:]]
    for number, frame in enumerate([frames[0], *large]):
        cv2.imwrite(str(tmp_path / f"{number}.png"), frame[..., ::-1])
    with vs.scan(tmp_path, resize="area", metrics=["psnr"], maps=["absdiff"]) as run:
        assert run.frame_size == (48, 64)
        assert run.maps["absdiff"].box(2, 3) == Box(48, 32, 16, 16)
