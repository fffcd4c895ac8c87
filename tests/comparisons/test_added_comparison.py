"""A comparison that another package adds is one small file, and works from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.media import noise, write_video
from helpers.plugins import run_with_plugin, write_plugin

from vfiscope.store import Run

MIRRORED = '''
"""Every frame with its mirror image."""

from dataclasses import replace

from vfiscope.comparisons import COMPARISONS, Comparison
from vfiscope.types import Pairs


class Mirrored(Comparison):
    name = "mirrored"

    @classmethod
    def suits(cls, config):
        return config.mode == "scan"

    def pairs(self, streams, done):
        for frames, features in streams.stream("test", done):
            columns = list(range(frames.size[1]))[::-1]
            mirrored = replace(frames, data=frames.data[..., columns])
            yield Pairs(frames, mirrored, features, streams.embed(mirrored))


COMPARISONS.add(Mirrored.name, Mirrored)
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "site").mkdir()
    return write_plugin(tmp_path / "site", MIRRORED)


@pytest.mark.slow
def test_an_added_comparison_scores_from_the_command_line(tmp_path: Path, package: Path) -> None:
    frames = noise(5, 32, 48)
    frames[3] = (frames[3] // 2) + (frames[3][:, ::-1] // 2)  # is its own mirror image
    clip, out = write_video(tmp_path / "a.avi", frames), tmp_path / "a.h5"
    done = run_with_plugin(
        package,
        *("scan", str(clip), "--comparison", "mirrored", "-o", str(out), "--json"),
        *("--metrics", "mse,cosine", "--maps", "none", "--fields", "none"),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "ok"
    with Run(out) as run:
        seen = frames.astype(np.float64)
        expected = ((seen - seen[:, :, ::-1]) ** 2).mean(axis=(1, 2, 3))
        np.testing.assert_allclose(run.scores["mse"], expected, rtol=1e-6)
        assert expected[3] == 0 < expected[2]
        assert run.scores["cosine"][3] < 1e-6 < 0.01 < run.scores["cosine"][2]
        assert run.frames.ref_index.tolist() == [0, 1, 2, 3, 4]
        assert run.pairing == {"policy": "mirrored", "test_unpaired": 0, "ref_unpaired": 0}
        assert run.config["comparison"] == "mirrored"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "--comparison", "miror"], "no comparison 'miror': did you mean 'mirrored'?"),
        (
            ["score", "--comparison", "mirrored"],
            "comparison 'mirrored' does not go with these options of score: leave out --comparison",
        ),
        (
            ["scan", "--comparison", "mirrored", "--metrics", "ghosting"],
            "ghosting needs neighbouring source frames, which scan mode does not have; use score",
        ),
    ],
)
def test_what_an_added_comparison_cannot_do_is_refused(
    tmp_path: Path, package: Path, arguments: list[str], message: str
) -> None:
    clip = write_video(tmp_path / "a.avi", noise(3, 32, 32))
    done = run_with_plugin(package, *arguments, str(clip), "-o", str(tmp_path / "a.h5"))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "a.h5").exists()


@pytest.mark.slow
def test_a_run_of_a_package_that_is_gone_still_shows_its_frames(
    tmp_path: Path, package: Path
) -> None:
    from vfiscope.scoring.stored_frames import fetch

    clip, out = write_video(tmp_path / "a.avi", noise(3, 32, 32)), tmp_path / "a.h5"
    done = run_with_plugin(
        package, "scan", str(clip), "--comparison", "mirrored", "-o", str(out), "--metrics", "psnr"
    )
    assert done.returncode == 0, done.stderr
    with Run(out) as run:
        (compared,) = fetch(run, [1])
    assert compared.partner is not None
    assert (compared.test.index, compared.partner.index, compared.partner.role) == (1, 1, "test")
