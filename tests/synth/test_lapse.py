"""The made-up time-lapse shows what its truth says."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vfiscope import synth


def test_the_flicker_has_the_stated_size() -> None:
    gains = synth.TimeLapse(30, 32, 48, seed=4, flicker=0.03).gains
    assert math.sqrt(np.square(gains).mean()) == pytest.approx(0.03)
    assert gains.mean() == pytest.approx(0, abs=1e-12)


def test_plants_grow_to_their_share_and_are_harvested() -> None:
    lapse = synth.TimeLapse(20, 120, 160, seed=2, growth=0.08, harvests={15: 0})
    shares = [lapse.share(k) for k in range(20)]
    assert shares[0] == pytest.approx(0.08 * 0.04, rel=0.05)
    assert shares[:15] == sorted(shares[:15])
    assert lapse.harvested(15) == pytest.approx(shares[14] - shares[15])
    whole = synth.TimeLapse(20, 120, 160, seed=2, growth=0.08)
    assert whole.share(19) == pytest.approx(0.08, rel=0.05)


def test_a_bump_lasts() -> None:
    lapse = synth.TimeLapse(6, 48, 64, bumps={2: (3.0, -1.0, 0.0), 4: (1.0, 0.0, 0.0)})
    assert lapse.motion(1)[:, 2] == pytest.approx([0, 0])
    assert lapse.motion(3)[:, 2] == pytest.approx([3, -1])
    assert lapse.motion(5)[:, 2] == pytest.approx([4, -1])


def test_photos_are_named_by_their_moments(tmp_path: Path) -> None:
    lapse = synth.TimeLapse(8, 16, 24, start=1_700_000_001)
    paths = lapse.write(tmp_path / "bed", ".png")
    assert [int(path.stem) for path in paths] == lapse.truth["moments"]
    assert int(paths[6].stem) - int(paths[5].stem) == 86400 - 5 * 7200
    assert np.array_equal(np.asarray(Image.open(paths[3])), lapse.frame(3))
