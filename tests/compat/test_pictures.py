"""Pictures of a pair: their numbers, their scale, which image is which, and what cannot be
drawn."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.cli import call
from PIL import Image
from sklearn.decomposition import PCA

import vfiscope as vs
from vfiscope import synth
from vfiscope.batch.execute import run_jobs
from vfiscope.batch.job_file import Job, read_jobs
from vfiscope.compat.bands import band_of
from vfiscope.compat.draw import DRAWINGS, PAIR_FILES, PairPictures
from vfiscope.compat.pictures import principal_colours, visualize
from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.options import RunConfig

NAMES = {
    "similarity_A2B.png",
    "similarity_B2A.png",
    "mismatch_A.png",
    "mismatch_B.png",
    "vector_field.png",
    "pca_features.png",
    "heatmap_overlay.png",
    "summary.json",
}
KEYS = {
    "image_a",
    "image_b",
    "grid_size",
    "num_patches",
    "embedding_dim",
    "mean_similarity_a2b",
    "mean_similarity_b2a",
    "mean_mismatch_a",
    "mean_mismatch_b",
    "mean_mismatch",
    "output_dir",
    "output_file",
}
OPTIONS = [
    "--embedder",
    "dsift",
    "--size",
    "140",
    "--metrics",
    "cosine",
    "--fields",
    "none",
    "--quiet",
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ref.png, and test.png with a square of other content at the upper left."""
    ref = synth.Scene(180, 240, 3, objects=0).frame(0)
    test = ref.copy()
    test[18:90, 24:96] = synth.Scene(72, 72, 9, objects=0).frame(0)[..., ::-1]
    for name, image in (("ref", ref), ("test", test)):
        Image.fromarray(image).save(tmp_path / f"{name}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small pictures, where nobody looks at them."""
    monkeypatch.setattr("vfiscope.compat.draw.PAIR_DPI", 40)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


def tint(path: Path) -> np.ndarray:
    """(H, W) how far each pixel is from grey."""
    return np.ptp(pixels(path), axis=2)


@pytest.mark.slow
def test_compare_writes_the_files_of_both_tools(folder: Path) -> None:
    assert (
        call("compare", "test.png", "ref.png", "-o", "a.h5", "--visualize", "out/deep", *OPTIONS)
        == 0
    )
    assert {path.name for path in (folder / "out/deep").iterdir()} == NAMES == set(PAIR_FILES)
    assert all(pixels(folder / "out/deep" / name).std() > 5 for name in NAMES - {"summary.json"})


@pytest.mark.slow
def test_the_summary_has_their_keys_and_the_numbers_of_the_run(folder: Path, coarse: None) -> None:
    maps = "similarity,similarity_back,mismatch_boosted,mismatch_boosted_back"
    assert (
        call(
            "compare",
            "test.png",
            "ref.png",
            "-o",
            "a.h5",
            "--visualize",
            "out",
            *OPTIONS,
            "--maps",
            maps,
        )
        == 0
    )
    summary = json.loads((folder / "out/summary.json").read_text())
    assert summary.keys() >= KEYS
    assert (summary["image_a"], summary["image_b"]) == ("ref.png", "test.png")
    assert (summary["path_a"], summary["path_b"]) == (
        str(folder / "ref.png"),
        str(folder / "test.png"),
    )
    assert (summary["grid_size"], summary["grid"], summary["num_patches"]) == (None, [10, 13], 130)
    assert summary["embedding_dim"] == 135
    assert summary["output_dir"] == str(folder / "out")
    assert summary["output_file"] == str(folder / "out/heatmap_overlay.png")
    with vs.open_run(folder / "a.h5") as run:
        for key, name in {
            "mean_similarity_a2b": "similarity_back",
            "mean_similarity_b2a": "similarity",
            "mean_mismatch_a": "mismatch_boosted_back",
            "mean_mismatch_b": "mismatch_boosted",
        }.items():
            assert summary[key] == pytest.approx(float(run.maps[name][0].mean()), abs=1e-3), key
        assert summary["cosine_distance"] == pytest.approx(float(run.scores["cosine"][0]), abs=1e-7)
        assert summary["embedder"] == run.embedder
    assert summary["mean_mismatch"] == summary["mean_mismatch_b"] > summary["mean_mismatch_a"] > 0


@pytest.mark.slow
def test_stretched_pairs_have_their_grid_size(folder: Path, coarse: None) -> None:
    options = {
        "embedder": "dsift",
        "size": 70,
        "aspect": "stretch",
        "metrics": ["psnr"],
        "maps": ["none"],
        "fields": ["none"],
    }
    with vs.compare("test.png", "ref.png", visualize="out", **options) as run:
        assert run.embedder is None
    summary = json.loads((folder / "out/summary.json").read_text())
    assert (summary["grid_size"], summary["grid"]) == (5, [5, 5])


@pytest.mark.slow
def test_a_picture_against_itself_is_blank(folder: Path) -> None:
    """Over equal frames, which are grey, there is no colour at all; similarity has its brightest
    one."""
    config = RunConfig("compare", "ref.png", "ref.png", embedder="dsift", size=140)
    summary = visualize(config, "same")
    assert (
        summary["mean_mismatch_a"] == summary["mean_mismatch_b"] == summary["cosine_distance"] == 0
    )
    assert (
        summary["mean_similarity_a2b"]
        == summary["mean_similarity_b2a"]
        == summary["cosine_similarity"]
        == 1
    )
    assert (summary["mismatch_scale"], summary["similarity_scale"]) == ([0, 0.01], [0.99, 1])
    changed = visualize(config.replace(test="test.png"), "other")
    assert changed["mismatch_scale"][1] > 0.1
    assert changed["similarity_scale"][0] < 0.95
    for name in ("mismatch_A", "mismatch_B"):
        same, other = (tint(folder / which / f"{name}.png")[:, :850] for which in ("same", "other"))
        assert same.max() == 0, name
        assert other[200:300, 150:300].min() > 40, name  # the square
        assert np.median(other[500:600, 700:800]) <= 6, name  # the opposite corner
    similar = pixels(folder / "same/similarity_A2B.png")[150:450, 100:500]
    assert np.abs(similar - (253, 231, 36)).max() <= 1
    assert (
        np.abs(pixels(folder / "other/similarity_A2B.png")[150:450, 100:500] - (253, 231, 36)).max()
        > 100
    )


@pytest.mark.slow
def test_b_is_the_test_and_shows_the_change_where_it_is(folder: Path) -> None:
    config = RunConfig("compare", "test.png", "ref.png", embedder="dsift", size=140)
    visualize(config, "out")
    visualize(config.replace(test="ref.png", ref="test.png"), "swapped")
    for one, other in (("mismatch_A", "mismatch_B"), ("similarity_A2B", "similarity_B2A")):
        # Only the titles tell them apart.
        first, second = (
            pixels(folder / "out" / f"{one}.png"),
            pixels(folder / "swapped" / f"{other}.png"),
        )
        assert np.array_equal(first[60:], second[60:])
    hot = tint(folder / "out/mismatch_B.png")[60:, :850]
    rows, columns = hot.shape
    assert hot[: rows // 2, : columns // 2].mean() > 5 * hot[rows // 2 :, columns // 2 :].mean()


def test_the_overlay_keeps_the_colours_of_the_frame_and_shows_the_reference_beside_it(
    folder: Path,
) -> None:
    config = RunConfig("compare", "test.png", "ref.png", embedder="dsift", size=140)
    drawn: list[PairPictures] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "vfiscope.compat.pictures.draw_pair", lambda pair, *_, **__: drawn.append(pair) or {}
        )
        visualize(config, "out")
    left, right, bar = DRAWINGS["heatmap_overlay.png"](drawn[0]).axes
    ref, test = (np.asarray(Image.open(folder / f"{name}.png")) for name in ("ref", "test"))
    assert np.array_equal(left.images[0].get_array(), ref)
    over = np.asarray(right.images[0].get_array())
    assert np.array_equal(over[120:, 150:], test[120:, 150:])
    assert (over[30:80, 40:80] != test[30:80, 40:80]).any(axis=2).all()
    assert (left.get_title(), right.get_title()) == (
        "reference: ref.png (A)",
        "test: test.png (B), mismatch over it",
    )
    assert bar.get_ylabel() == "mismatch, 1 - cosine (99.5 % of the cells shown lie within it)"
    assert bar.get_ylim() == pytest.approx(drawn[0].scale.ends)


def test_colours_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    mix = random.normal(size=(24, 24))
    a, b = random.normal(size=(60, 24)) @ mix, random.normal(size=(80, 24)) @ mix + 1
    colours = np.concatenate(principal_colours(a, b))
    theirs = PCA(3, whiten=True, random_state=42, svd_solver="full").fit_transform(
        np.concatenate([a, b])
    )
    assert np.allclose(colours, 1 / (1 + np.exp(-2 * theirs)), atol=1e-5)
    assert np.allclose(principal_colours(np.ones((6, 5)), np.ones((6, 5))), 0.5)


@pytest.mark.slow
def test_a_folder_that_cannot_be_filled_is_said_before_anything_is_computed(
    folder: Path, coarse: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("x")
    assert call("compare", "test.png", "ref.png", "--visualize", "file", *OPTIONS) == 2
    assert "file is not a folder: pass a folder" in capsys.readouterr().err
    (folder / "full").mkdir()
    (folder / "full/summary.json").write_text("{}")
    assert call("compare", "test.png", "ref.png", "--visualize", "full", *OPTIONS) == 2
    assert capsys.readouterr().err == (
        "vfiscope: error: full/summary.json exists: pass --overwrite or another folder\n"
    )
    for place in ("/proc/foo/bar", "/proc"):  # where not even root can
        assert call("compare", "test.png", "ref.png", "--visualize", place, *OPTIONS) == 2
        assert (
            f"cannot write into the folder {place}: No such file or directory: pass another"
            in capsys.readouterr().err
        )
    assert call("compare", "none.png", "ref.png", "--visualize", "out/of/here", *OPTIONS) == 2
    assert not (folder / "test.h5").exists()
    assert not (folder / "out").exists()
    config = RunConfig("compare", "test.png", "ref.png", embedder="dsift", size=140)
    with pytest.raises(StoreError, match="is not a folder"):
        visualize(config, "file")
    with pytest.raises(StoreError, match="cannot write into the folder"):
        visualize(config, "file/out")
    with pytest.raises(OutputExistsError, match="exists"):
        visualize(config, "full")
    assert visualize(config.replace(overwrite=True), "full")["num_patches"] == 130
    with pytest.raises(UsageError, match="this is a scan"):
        visualize(RunConfig("scan", "test.png"), "out")


def test_a_batch_makes_no_result_whose_pictures_have_no_place(folder: Path, coarse: None) -> None:
    (folder / "results").mkdir()
    (folder / "results/a").write_text("mine")
    job = Job(
        "a",
        "",
        "compare",
        {"test": str(folder / "test.png"), "ref": str(folder / "ref.png"), "metrics": "psnr"},
    )
    (result,) = run_jobs([job], folder / "results", visualize=True)
    assert (result["state"], result["out"]) == ("failed", None)
    assert "results/a is not a folder: pass a folder" in result["error"]
    assert not (folder / "results/a.h5").exists()


@pytest.mark.slow
def test_a_batch_draws_its_compare_jobs_and_has_their_keys(folder: Path, coarse: None) -> None:
    cheap = {
        "embedder": "dsift",
        "size": 140,
        "metrics": "cosine",
        "maps": "none",
        "fields": "none",
    }
    jobs = [
        {"ref_img": "ref.png", "dist_img": "test.png", **cheap},
        {"id": "scan", "mode": "scan", "test": "test.png", "golden": 0, **cheap},
        {"id": "missing", "image_a": "ref.png", "image_b": "none.png", **cheap},
        {"id": "pixels", "image_a": "ref.png", "image_b": "test.png", **cheap, "metrics": "psnr"},
    ]
    (folder / "jobs.json").write_text(json.dumps({"pairs": jobs}))
    first = list(run_jobs(read_jobs("jobs.json"), "out", visualize=True))
    assert [result["state"] for result in first] == ["ok", "ok", "failed", "ok"]
    pair, scan, missing, no_cosine = first
    assert pair.keys() >= KEYS | {"cosine_distance", "cosine_similarity", "id", "summary", "test"}
    assert (pair["image_a"], pair["image_b"], pair["embedding_dim"]) == ("ref.png", "test.png", 135)
    assert pair["cosine_distance"] == pytest.approx(
        pair["summary"]["metrics"]["cosine"]["mean"], abs=1e-7
    )
    assert pair["cosine_distance"] + pair["cosine_similarity"] == pytest.approx(1)
    assert "grid_size" not in scan
    assert scan["cosine_distance"] == 0
    assert (missing["image_b"], missing["cosine_distance"], missing["embedding_dim"]) == (
        "none.png",
        None,
        None,
    )
    assert no_cosine["cosine_distance"] == pytest.approx(pair["cosine_distance"])
    assert {path.name for path in (folder / "out/pair_001").iterdir()} == NAMES
    assert not (folder / "out/scan").exists()
    assert json.loads((folder / "out/results.json").read_text()) == first
    stamp = (folder / "out/pair_001/vector_field.png").stat().st_mtime_ns
    (folder / "out/pixels/summary.json").unlink()
    again = list(run_jobs(read_jobs("jobs.json"), "out", visualize=True))
    assert again[0] == {**first[0], "skipped": True}
    assert (folder / "out/pair_001/vector_field.png").stat().st_mtime_ns == stamp
    assert (folder / "out/pixels/summary.json").exists()
    plain = list(run_jobs(read_jobs("jobs.json"), "out"))
    assert plain[3]["cosine_distance"] is None


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (0.0, "very similar"),
        (0.0499, "very similar"),
        (0.05, "minor"),
        (0.15, "noticeable"),
        (0.2999, "noticeable"),
        (0.3, "significant"),
    ],
)
def test_bands_are_said_for_the_embedder_they_were_made_for_alone(
    distance: float, words: str
) -> None:
    novas = {"name": "dinov2-base", "pool": "all", "size": 518, "aspect": "stretch", "dim": 768}

    def run(
        embedder: dict[str, object] | None, mode: str = "compare", **scores: float
    ) -> SimpleNamespace:
        return SimpleNamespace(
            embedder=embedder,
            mode=mode,
            scores={name: np.array([value]) for name, value in scores.items()},
        )

    said = band_of(run(novas, cosine=distance))
    assert said is not None
    assert said.startswith(words)
    for key, other in (
        ("name", "dinov2-base-reg"),
        ("pool", "patch"),
        ("size", 224),
        ("aspect", "keep"),
    ):
        assert band_of(run({**novas, key: other}, cosine=distance)) is None
    assert band_of(run(novas, "score", cosine=distance)) is None
    assert band_of(run(novas, psnr=30.0)) is None
    assert band_of(run(None, psnr=30.0)) is None
    assert band_of(run(novas, cosine=float("nan"))) is None


@pytest.mark.slow
def test_a_registered_pair_is_drawn_registered_with_the_numbers_of_its_run(
    folder: Path, coarse: None
) -> None:
    """The same scene through a window 24 px aside: registered, what both show is alike, and the
    rest is left out."""
    scene = synth.Scene(180, 264, 3, objects=0).frame(0)
    for name, left in (("ref", 0), ("moved", 24)):
        Image.fromarray(scene[:, left : left + 240]).save(folder / f"{name}.png")
    maps = ("similarity", "similarity_back", "mismatch_boosted", "mismatch_boosted_back")
    options = {
        "embedder": "dsift",
        "size": 140,
        "metrics": ["cosine"],
        "maps": maps,
        "fields": ["none"],
    }
    for method in ("sift", "none"):
        with vs.compare(
            "moved.png", "ref.png", visualize=method, register=method, **options
        ) as run:
            drawn = json.loads((folder / method / "summary.json").read_text())
            assert drawn["cosine_distance"] == pytest.approx(
                float(run.scores["cosine"][0]), abs=1e-7
            )
            for key, name in zip(
                ("similarity_b2a", "similarity_a2b", "mismatch_b", "mismatch_a"), maps, strict=True
            ):
                assert drawn[f"mean_{key}"] == pytest.approx(
                    float(np.nanmean(run.maps[name][0])), abs=1e-3
                ), key
            left_out = int(np.isnan(run.maps["similarity"][0]).sum())
        if method == "sift":
            assert (
                left_out == 10
            )  # one column of ten patches lies wholly in what the test does not show
            assert drawn["register"] == {"method": "sift", "verdict": "accepted"}
            assert drawn["mean_mismatch"] < 0.01
        else:
            assert left_out == 0
            assert "register" not in drawn
            assert drawn["mean_mismatch"] > 0.02


@pytest.mark.slow
def test_a_batch_draws_anew_what_was_drawn_of_another_run(folder: Path, coarse: None) -> None:
    """A job that changed is run without pictures, then with them: these are of the new run, not of
    the old one."""
    (folder / "out").mkdir()
    job = {
        "id": "a",
        "ref": "ref.png",
        "test": "test.png",
        "embedder": "dsift",
        "metrics": "cosine",
        "maps": "none",
    }

    def drawn(visualize: bool = True, **options: object) -> dict[str, object]:
        (folder / "jobs.json").write_text(json.dumps([{**job, "fields": "none", **options}]))
        (result,) = run_jobs(read_jobs("jobs.json"), "out", visualize=visualize)
        assert result["error"] is None
        return result

    first = drawn(size=140)
    assert first["grid"] == [10, 13]
    drawn(visualize=False, size=70)
    second = drawn(size=70)
    assert second["skipped"]
    assert second["grid"] == [5, 7]
    assert second["run"] != first["run"]
    shown = Image.open(folder / "test.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    shown.save(folder / "test.png")
    drawn(visualize=False, size=70)
    third = drawn(size=70)
    assert third["skipped"]
    config = RunConfig("compare", "test.png", "ref.png", embedder="dsift", size=70)
    assert third["mean_mismatch"] == visualize(config, "alone")["mean_mismatch"]
    assert third["mean_mismatch"] != second["mean_mismatch"]
    (folder / "out/a/pca_features.png").unlink()
    assert drawn(size=70) == third
    assert (folder / "out/a/pca_features.png").exists()


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100000, b'{"run": 3}'])
def test_a_damaged_summary_is_drawn_anew(folder: Path, coarse: None, content: bytes) -> None:
    job = {
        "id": "a",
        "ref": "ref.png",
        "test": "test.png",
        "embedder": "dsift",
        "size": 28,
        "metrics": "psnr",
    }
    (folder / "jobs.json").write_text(json.dumps([{**job, "maps": "none", "fields": "none"}]))
    (folder / "out/a").mkdir(parents=True)
    (folder / "out/a/summary.json").write_bytes(content)
    (result,) = run_jobs(read_jobs("jobs.json"), "out")
    (result,) = run_jobs(read_jobs("jobs.json"), "out", visualize=True)
    assert (result["state"], result["skipped"], result["grid"]) == ("ok", True, [2, 3])
    assert json.loads((folder / "out/a/summary.json").read_text())["grid"] == [2, 3]
