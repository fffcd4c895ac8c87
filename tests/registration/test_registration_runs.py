"""Runs with --register: what is scored, stored, resumed and said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from helpers.warps import Array, corner_error, planted, seen_through

import vfiscope as vs
from vfiscope import synth
from vfiscope.cli.program import main
from vfiscope.errors import StoreError
from vfiscope.options import RunConfig
from vfiscope.registration.homography import cells_covered, covered_mask, project
from vfiscope.scoring import pipeline
from vfiscope.store import differences
from vfiscope.types import Verdict


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """truth/ and test/, 9 frames of 240x320, the test seen through a growing warp; broken/: frame 4
    is foreign."""
    folder = tmp_path_factory.mktemp("media")
    clip = synth.Scene(240, 320, seed=2, velocity=(1.5, 0.5)).clip(9).frames
    warped = [seen_through(clip[i], matrix_of(i)) for i in range(9)]
    synth.write_images(folder / "truth", clip)
    synth.write_images(folder / "test", np.stack(warped))
    warped[4] = synth.Scene(240, 320, seed=3).clip(1).frames[0]
    synth.write_images(folder / "broken", np.stack(warped))
    return folder


def matrix_of(row: int) -> Array:
    return planted(240, 320, row / 2, 1 - row / 200, row / 100, row / 400)


def options(media: Path, test: str = "test", **more: Any) -> dict[str, Any]:
    return {
        "test": str(media / test),
        "ref": str(media / "truth"),
        "register": "sift",
        "size": 112,
        **more,
    }


@pytest.mark.slow
def test_a_registered_run_scores_the_pictures_not_the_camera(media: Path) -> None:
    metrics = {"metrics": "psnr,ssim,cosine,mismatch", "maps": "ssim,mismatch", "fields": "motion"}
    with (
        vs.score(**options(media, **metrics)) as run,
        vs.score(**options(media, register="none", **metrics)) as plain,
    ):
        assert run.status == "ok"
        assert plain.registration is None
        assert run.register == {"method": "sift"}
        found = run.registration
        assert found is not None
        assert found.accepted.all()
        assert found.matrix.dtype == np.float64
        for row in range(9):
            assert corner_error(found.matrix[row], matrix_of(row), (240, 320)) < 1.0
            assert found.valid[row] == pytest.approx(
                covered_mask(matrix_of(row), (240, 320)).mean(), abs=0.003
            )
        assert found.valid[8] < 0.85
        # Frame 0 was not moved. The others were resampled twice, and so lost a little detail.
        assert run.scores["psnr"][0] == np.inf
        assert run.scores["psnr"][1:].min() > 36
        assert plain.scores["psnr"][1:].max() < 30
        assert run.scores["ssim"].min() > 0.97
        assert (run.scores["mismatch"][1:] < plain.scores["mismatch"][1:]).all()
        border = {}
        for name in ("ssim", "mismatch"):
            cells, without = run.maps[name][8], plain.maps[name][8]
            seen = cells_covered(covered_mask(found.matrix[8], (240, 320)), cells.shape)
            np.testing.assert_array_equal(np.isnan(cells), ~seen)
            assert 0.05 < 1 - seen.mean() < 0.2
            edge = (
                seen
                & (
                    np.pad(seen, 1)[:-2, 1:-1]
                    & np.pad(seen, 1)[2:, 1:-1]
                    & np.pad(seen, 1)[1:-1, :-2]
                )
                == 0
            )
            border[name] = (cells[seen & edge], without[seen & edge])
        assert border["ssim"][0].min() > 0.9 > 0.5 > border["ssim"][1].mean()
        assert border["mismatch"][0].mean() < border["mismatch"][1].mean() / 4
        np.testing.assert_array_equal(np.isnan(run.fields["motion"][8]).all(0), ~seen)
        assert np.nanmedian(np.abs(run.fields["motion"][8])) < 0.2


def test_a_refused_frame_is_scored_as_it_is_and_said(media: Path) -> None:
    quick = {"metrics": "psnr", "maps": "none", "fields": "none"}
    broken = options(media, "broken", **quick)
    with vs.score(**broken) as run, vs.score(**{**broken, "register": "none"}) as plain:
        assert run.status == "partial"
        assert run.notes == [
            "1 frame could not be registered and was scored as it is (1 few matches)"
        ]
        assert run.registration is not None
        assert np.flatnonzero(~run.registration.accepted).tolist() == [4]
        np.testing.assert_array_equal(run.registration.matrix[4], np.eye(3))
        assert run.scores["psnr"][4] == plain.scores["psnr"][4]
        assert run.scores["psnr"][5] > plain.scores["psnr"][5] + 10


@pytest.mark.slow
def test_scan_and_compare_register_too(media: Path) -> None:
    quick = {
        "metrics": "ssim,cosine",
        "maps": "none",
        "fields": "none",
        "register": "ecc",
        "size": 112,
    }
    with vs.scan(str(media / "truth"), lag=1, **quick) as run:
        assert run.registration is not None
        assert run.registration.verdict.tolist() == [Verdict.UNPAIRED] + [Verdict.ACCEPTED] * 8
        # The ground slides by (1.5, 0.5) px per frame: the partner lies that far back.
        middle = np.array([[159.5, 119.5]])
        moved = np.concatenate(
            [project(matrix, middle) - middle for matrix in run.registration.matrix[1:]]
        )
        np.testing.assert_allclose(moved, np.tile([-1.5, -0.5], (8, 1)), atol=0.1)
        assert run.status == "ok"
        assert np.isnan(run.scores["cosine"][0])
        with vs.scan(str(media / "truth"), lag=1, **{**quick, "register": "none"}) as plain:
            # What is left are the shapes, which move on their own.
            assert (run.scores["ssim"][1:] > plain.scores["ssim"][1:]).all()
    with vs.scan(str(media / "test"), golden=0, **quick) as run:
        assert run.registration is not None
        assert run.registration.accepted[:5].all()
    test, truth = (sorted((media / name).iterdir())[2] for name in ("test", "truth"))
    with vs.compare(str(test), str(truth), **quick) as run:
        assert run.registration is not None
        assert corner_error(run.registration.matrix[0], matrix_of(2), (240, 320)) < 0.5


class Stopped(Exception):
    pass


@pytest.mark.slow
def test_an_interrupted_run_resumes_to_the_same_bits(
    media: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vfiscope.config.ROWS_PER_PART", 4)
    monkeypatch.setattr("vfiscope.store.schema.CHUNK_ROWS", 4)
    config = RunConfig(
        mode="score", **options(media, "broken", metrics=("psnr", "cosine")), batch=2
    )
    pipeline.run(config.replace(out=str(tmp_path / "whole.h5"), batch=5)).close()

    def stop(scores: Any, _info: Any, done: int) -> Any:
        for number, batch in enumerate(scores):
            yield batch
            if number == 2:
                raise Stopped

    resumed = config.replace(out=str(tmp_path / "resumed.h5"))
    with pytest.raises(Stopped):
        pipeline.run(resumed, watch=stop)
    pipeline.run(resumed).close()
    assert differences(tmp_path / "whole.h5", tmp_path / "resumed.h5") == []
    with vs.open_run(tmp_path / "resumed.h5") as run:
        assert run.notes == [
            "1 frame could not be registered and was scored as it is (1 few matches)"
        ]
        assert run.registration is not None
        assert len(run.registration) == 9


def test_a_damaged_group_is_refused(media: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.h5"
    quick = {"metrics": "psnr", "maps": "none", "fields": "none", "stop": 3}
    vs.score(**options(media, out=str(out), **quick)).close()
    whole = out.read_bytes()

    def short(h5: h5py.File) -> None:
        for name in [*h5["registration"]]:
            data = h5["registration"][name][:2]
            del h5["registration"][name]
            h5["registration"][name] = data

    def other_type(h5: h5py.File) -> None:
        del h5["registration/valid"]
        h5["registration/valid"] = np.ones(3)

    def linked(h5: h5py.File) -> None:
        del h5["registration/valid"]
        h5["registration/valid"] = h5py.ExternalLink("b.h5", "/valid")

    def missing(h5: h5py.File) -> None:
        del h5["registration/valid"]

    def put(name: str, value: object) -> Callable[[h5py.File], None]:
        return lambda h5: h5["registration"][name].__setitem__(1, value)

    def unsaid(h5: h5py.File) -> None:
        del h5.attrs["register"]

    def lost(h5: h5py.File) -> None:
        del h5["registration"]

    def claimed(h5: h5py.File) -> None:
        del h5["registration/valid"]
        h5["registration"].create_dataset(
            "valid", (3, 2**27), "<f4", chunks=(1, 2**20), compression="gzip"
        )

    for damage, words in (
        (put("verdict", 77), r"/registration/verdict\[1\] is 77, which means nothing"),
        (put("matrix", np.nan), r"/registration/matrix\[1\] is not finite"),
        (unsaid, "has /registration and no register"),
        (lost, "has register and no /registration"),
        (claimed, r"/registration/valid claims the shape \(3, 134217728\)"),
        (short, "3 frames, but /registration/.* has 2 rows"),
        (other_type, "/registration/valid is float64"),
        (linked, "/registration/valid is not stored in the file itself"),
        (missing, "the file is damaged"),
    ):
        out.write_bytes(whole)
        with h5py.File(out, "r+") as h5:
            damage(h5)
        with pytest.raises(StoreError, match=words) as caught:
            vs.open_run(out)
        assert "\n" not in str(caught.value)


def test_changed_weights_or_method_refuse_to_resume(media: Path, tmp_path: Path) -> None:
    out, quick = tmp_path / "a.h5", {"metrics": "psnr", "maps": "none", "fields": "none", "stop": 3}
    with vs.score(**options(media, out=str(out), **quick)) as run:
        header = run.header
    assert not header.differences(header)
    other = replace(header, register={"method": "loftr", "weights_digest": "sha256:0"})
    assert other.differences(header) == [
        "register.method: sift -> loftr",
        "register.weights_digest: (absent) -> sha256:0",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (
            ["--register", "sift"],
            3,
            "1 frame could not be registered and was scored as it is (1 few matches)",
        ),
        (["--register", "loftr"], 2, "--register-weights FILE"),
        (
            ["--register", "sift", "--register-weights", "a.pt"],
            2,
            "register_weights have no effect",
        ),
        (
            ["--register", "loftr", "--register-weights", "absent.pt"],
            2,
            "'absent.pt' are not a file",
        ),
        (["--register", "orb"], 2, "register is 'orb': choose one of none, ecc, sift, loftr"),
    ],
)
def test_the_command_line_says_it(
    media: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    paths = [str(media / "broken"), "--ref", str(media / "truth"), "-o", str(tmp_path / "a.h5")]
    with pytest.raises(SystemExit) as caught:
        main(
            [
                "score",
                *paths,
                "--metrics",
                "psnr",
                "--maps",
                "none",
                "--fields",
                "none",
                "--quiet",
                *arguments,
            ]
        )
    said = capsys.readouterr().err.strip()
    assert (caught.value.code, len(said.splitlines())) == (code, 1)
    assert words in said
    assert (tmp_path / "a.h5").exists() == (code == 3)
