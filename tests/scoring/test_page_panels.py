"""Both images of a comparison on one page."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

import vfiscope as vs
from vfiscope import synth
from vfiscope.errors import SourceError, UsageError

FEW = {"metrics": ["psnr"], "signals": ["none"], "regions": "absdiff"}


def page(tmp_path: Path) -> tuple[str, np.ndarray, np.ndarray]:
    ref = next(iter(synth.Scene(60, 80, seed=3).frames(1)))
    test = ref.copy()
    test[20:40, 30:50] = 255 - test[20:40, 30:50]
    sheet = np.full((80, 200, 3), 255, np.uint8)
    sheet[10:70, 10:90], sheet[10:70, 110:190] = ref, test
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), sheet[..., ::-1])
    return str(path), test, ref


def test_a_page_gives_what_its_two_images_give(tmp_path: Path) -> None:
    path, test, ref = page(tmp_path)
    with vs.compare(path, panels=True, **FEW) as run, vs.compare(test, ref, **FEW) as plain:
        assert run.scores["psnr"] == pytest.approx(plain.scores["psnr"], abs=1e-4)
        assert run.regions == plain.regions
        assert (run.config["crop"], run.config["crop_ref"]) == ("110,10,80,60", "10,10,80,60")
        again = vs.frames_of(run, [0]).interleaved[0]
    assert (again == test).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ref": "other.png"}, "leave ref out"),
        ({"crop": "0,0,8,8"}, "crop is '0,0,8,8': leave it out"),
        ({"ref": "other.png", "crop_ref": "0,0,8,8"}, "leave ref out"),
        ({"crop_ref": "0,0,8,8"}, "crop_ref is '0,0,8,8' without a reference"),
    ],
)
def test_what_the_panels_decide_is_not_passed(options: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        vs.compare("page.png", panels=True, **options)


def test_a_damaged_page_is_not_searched(tmp_path: Path) -> None:
    path = Path(page(tmp_path)[0])
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(SourceError, match=r"page.png cannot be read: it is damaged"):
        vs.compare(str(path), panels=True)


def test_one_image_is_not_two(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "plain.png"), np.full((60, 80, 3), 90, np.uint8))
    with pytest.raises(UsageError, match="no two images"):
        vs.compare(str(tmp_path / "plain.png"), panels=True)
