"""Regions for other programs: COCO, CVAT, a table, and vfiscope's own report."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import h5py
import numpy as np
import pytest
from helpers.region_runs import answer, region, region_run
from helpers.stored import store_run

from vfiscope.errors import OutputExistsError, StoreError, UsageError
from vfiscope.regions.masks import decode, encode
from vfiscope.store import Run
from vfiscope.types import Box, Track
from vfiscope.views.export import export_run
from vfiscope.views.region_report import region_report

SIZE = (48, 64)
MASK = encode(np.ones((8, 10), bool), Box(21, 9, 10, 8), SIZE)
ENDINGS = (
    *(".regions.json", ".regions.csv", ".coco.json", ".coco-polygons.json"),
    *(".cvat.xml", ".cvat-polygons.xml", ".cvat-video.xml"),
)
REGIONS = [
    region(1, mask=MASK, track=0, caption="A <spot> appeared\x07."),
    region(3, track=0, kind="damage", x=22.5, severity=5),
    region(3, track=1, kind="zebra", score=float("nan")),
]
ANSWERS = [
    answer(1, 1),
    answer(2, level=float("inf")),
    answer(3, 2, gain=1.05, registration="ecc", shift_x=2.5),
]
NOT_REGISTERED = [*ANSWERS[:2], answer(3, 2)]
TRACKS = [Track(0, 1, 3, 2, "spot"), Track(1, 3, 3, 1, "zebra")]


def stored(folder: Path, **how: Any) -> Run:
    return Run(region_run(folder / "a.h5", REGIONS, ANSWERS, TRACKS, **how))


def exported(run: Run, ending: str) -> Path:
    return export_run(run, run.path.with_name(f"out{ending}"))


def test_coco(tmp_path: Path) -> None:
    found = json.loads(exported(stored(tmp_path), ".coco.json").read_text())
    size = {"width": 64, "height": 48}
    assert found["images"] == [
        {**size, "id": n, "file_name": f"{what}_00000{n}.png", "registration": how}
        for n, what, how in ((1, "frame", "none"), (2, "frame", "none"), (3, "registered", "ecc"))
    ]
    names = [each["name"] for each in found["categories"]]
    assert [each["id"] for each in found["categories"]] == list(range(1, 10))
    assert set(names) == {
        *("missing", "added", "moved", "colour", "damage", "scratch", "spot", "unknown", "zebra")
    }
    first, second, third = found["annotations"]
    assert [first["id"], second["id"], third["id"]] == [1, 2, 3]
    assert [each["image_id"] for each in found["annotations"]] == [1, 3, 3]
    kinds = [names[each["category_id"] - 1] for each in found["annotations"]]
    assert kinds == ["spot", "damage", "zebra"]
    assert first["bbox"] == [21, 9, 10, 8]  # of the mask
    assert first["area"] == decode(first["segmentation"]["counts"], SIZE).sum() == 80
    assert first["segmentation"]["size"] == [48, 64]
    assert second["segmentation"] == [[22.5, 8, 34.5, 8, 34.5, 18, 22.5, 18]]
    assert (first["score"], third["score"]) == (2.5, None)
    assert second["attributes"] == {
        "severity": 5,
        "change": "brighter",
        "track": 0,
        "peak": 4.0,
        "caption": "",
    }
    assert found["info"]["units"] == {"ratio": 1.0}


def test_coco_names_images_by_their_files(tmp_path: Path) -> None:
    run = stored(tmp_path, names=[f"{n}/a.jpg" for n in range(6)])
    found = json.loads(exported(run, ".coco.json").read_text())
    assert [each["file_name"] for each in found["images"]] == [
        *("1/a.jpg", "2/a.jpg", "registered_000003.png")
    ]


def test_cvat_of_images(tmp_path: Path) -> None:
    root = ElementTree.parse(exported(stored(tmp_path), ".cvat.xml")).getroot()
    assert (root.tag, root.findtext("version")) == ("annotations", "1.1")
    images = root.findall("image")
    assert [each.attrib for each in images] == [
        {"id": str(n), "name": f"{what}_00000{n}", "width": "64", "height": "48"}
        for n, what in ((1, "frame"), (2, "frame"), (3, "registered"))
    ]
    assert [len(each.findall("box")) for each in images] == [1, 0, 2]
    (box,) = images[0].findall("box")
    corners = {"xtl": "20.00", "ytl": "8.00", "xbr": "32.00", "ybr": "18.00"}
    look = {"label": "spot", "source": "auto", "occluded": "0", "z_order": "0"}
    assert box.attrib == {**look, **corners}
    attributes = {each.get("name"): each.text for each in box.findall("attribute")}
    assert attributes == {
        "change": "brighter",
        "severity": "3",
        "score": "2.5",
        "caption": "A <spot> appeared\ufffd.",
    }
    labels = [each.findtext("name") for each in root.iter("label")]
    assert {"spot", "damage", "zebra"} <= set(labels)


def test_outlines_for_coco_and_cvat(tmp_path: Path) -> None:
    run = stored(tmp_path)
    found = json.loads(exported(run, ".coco-polygons.json").read_text())
    corners = [(21, 9), (21, 17), (31, 9), (31, 17)]
    (flat,) = found["annotations"][0]["segmentation"]
    assert sorted(zip(flat[::2], flat[1::2], strict=True)) == corners
    root = ElementTree.parse(exported(run, ".cvat-polygons.xml")).getroot()
    shapes = [
        [shape.tag for shape in image if shape.tag != "attribute"] for image in root.iter("image")
    ]
    assert shapes == [["polygon"], [], ["box", "box"]]  # two without a mask
    (polygon,) = root.iter("polygon")
    texts = [point.split(",") for point in polygon.attrib.pop("points").split(";")]
    assert sorted((float(x), float(y)) for x, y in texts) == corners
    look = {"label": "spot", "source": "auto", "occluded": "0", "z_order": "0", "group_id": "1"}
    assert polygon.attrib == look
    assert [each.get("name") for each in polygon] == ["change", "severity", "score", "caption"]


def test_cvat_of_images_with_names(tmp_path: Path) -> None:
    run = stored(tmp_path, names=[f"{n}&.jpg" for n in range(6)])
    root = ElementTree.parse(exported(run, ".cvat.xml")).getroot()
    assert [each.get("name") for each in root.findall("image")] == [
        "1&.jpg",
        "2&.jpg",
        "registered_000003",
    ]


def test_cvat_of_a_video_has_tracks_that_end(tmp_path: Path) -> None:
    last = [*REGIONS, region(5, kind="moved")]
    path = region_run(tmp_path / "a.h5", last, [*NOT_REGISTERED, answer(5, 1)], TRACKS)
    root = ElementTree.parse(exported(Run(path), ".cvat-video.xml")).getroot()
    tracks = root.findall("track")
    assert [each.attrib for each in tracks] == [
        {"id": str(n), "label": kind, "source": "auto"}
        for n, kind in enumerate(("spot", "zebra", "moved"))
    ]
    boxes = [[(b.get("frame"), b.get("outside")) for b in each.findall("box")] for each in tracks]
    assert boxes[0] == [("1", "0"), ("3", "0"), ("4", "1")]
    assert boxes[1] == [("3", "0"), ("4", "1")]
    assert boxes[2] == [("5", "0")]  # the last frame of the run
    assert tracks[0].findall("box")[1].get("xtl") == "22.50"
    assert all(b.get("keyframe") == "1" for each in tracks for b in each.findall("box"))


def test_a_video_of_registered_frames_has_no_tracks(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"1 frames of .* were registered: .*export \.cvat\.xml"):
        exported(stored(tmp_path), ".cvat-video.xml")


def test_exports_undo_crop_and_resize(tmp_path: Path) -> None:
    """Frames of 200x150, of which 128x96 at (10, 5) were scored as 64x48: twice everything."""
    test = {"width": 200, "height": 150, "crop": [10, 5, 128, 96]}
    path = region_run(
        tmp_path / "a.h5",
        REGIONS[:1],
        ANSWERS[:1],
        TRACKS,
        test=test,
        names=["m.png"] * 6,
        config={"resize": "area"},
    )
    run = Run(path)
    found = json.loads(exported(run, ".coco.json").read_text())
    (image,), (drawn,) = found["images"], found["annotations"]
    assert (image["file_name"], image["width"], image["height"]) == ("m.png", 200, 150)
    assert drawn["bbox"] == [52, 23, 20, 16]
    rows, columns = np.nonzero(decode(drawn["segmentation"]["counts"], (150, 200)))
    assert drawn["area"] == len(rows) == 4 * 80
    extent = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert extent == (10 + 2 * 21, 5 + 2 * 9, 10 + 2 * 31, 5 + 2 * 17)
    for ending in (".cvat.xml", ".cvat-video.xml"):
        box = next(ElementTree.parse(exported(run, ending)).getroot().iter("box"))
        assert [box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")] == [
            *("50.00", "21.00", "74.00", "41.00")
        ]


def test_a_track_has_one_box_in_a_frame(tmp_path: Path) -> None:
    twice = [region(1, track=0), region(1, track=0, x=5)]
    path = region_run(tmp_path / "a.h5", twice, [answer(1, 2)], [Track(0, 1, 1, 2, "spot")])
    root = ElementTree.parse(exported(Run(path), ".cvat-video.xml")).getroot()
    starts = [each.findall("box")[0].get("xtl") for each in root.findall("track")]
    assert starts == ["20.00", "5.00"]


def test_a_table(tmp_path: Path) -> None:
    path = region_run(
        tmp_path / "a.h5", [region(1, caption="=1+1"), region(3)], ANSWERS, names=list("abcdef")
    )
    first, second = csv.DictReader(exported(Run(path), ".regions.csv").read_text().split("\n"))
    assert (first["id"], first["frame"], first["name"], first["time_s"]) == ("1", "1", "b", "0.04")
    assert first["caption"] == "'=1+1"
    assert (first["unit"], first["level"], second["box_x"]) == ("ratio", "1.0", "20.0")
    assert (first["tight_x"], first["box_w"], first["tight_w"]) == ("21.0", "12.0", "10.0")
    assert "mask" not in first


def test_the_report(tmp_path: Path) -> None:
    run = stored(tmp_path)
    found = json.loads(exported(run, ".regions.json").read_text())
    assert found == region_report(run)
    assert (found["format"], found["version"]) == ("vfiscope regions", 1)
    assert found["result"] == str(tmp_path / "a.h5")
    assert [each["path"] for each in found["inputs"]] == ["/v/a.mp4", "/v/truth.mp4"]
    assert found["parameters"] == {"method": "auto", "sensitivity": "medium"}
    assert found["size"] == {"width": 64, "height": 48}
    assert found["units"]["scores"] == ["ratio"]
    one, two, three = found["frames"]
    assert [each["frame"] for each in found["frames"]] == [1, 2, 3]
    assert (two["answer"], two["level"], two["regions"]) == ("same", None, [])
    assert three["light"] == {"gain": 1.05, "offset": 0.0}
    assert three["camera"]["registration"] == "ecc"
    assert three["camera"]["shift_x"] == 2.5
    assert one["sentence"] == "something changed: 1 region, 2.6 % of the frame"
    assert (one["time_s"], one["moment"], one["status"]) == (0.04, None, "ok")
    (drawn,) = one["regions"]
    assert drawn["box"] == {"x": 20, "y": 8, "w": 12, "h": 10}
    assert drawn["tight"] == {"x": 21, "y": 9, "w": 10, "h": 8}
    counts = drawn["mask"]["counts"]
    assert sum(counts) == 48 * 64
    assert sum(counts[1::2]) == 80
    assert drawn["polygons"] == [[[21, 9], [21, 17], [31, 17], [31, 9]]]
    assert three["regions"][0]["mask"] is None
    assert three["regions"][0]["polygons"] == []
    assert found["tracks"][0] == vars(TRACKS[0])
    assert found["errors"] == []


def test_the_report_names_frames_that_could_not_be_compared(tmp_path: Path) -> None:
    with Run(region_run(tmp_path / "a.h5", REGIONS, ANSWERS, TRACKS)) as run:
        run.frames.status[4] = 3
        assert region_report(run)["errors"] == [{"frame": 4, "name": None, "error": "unreadable"}]
        assert region_report(run, {1})["errors"] == []


def test_the_report_of_some_frames_has_their_tracks(tmp_path: Path) -> None:
    run = stored(tmp_path)
    for frames, tracks in (({1}, [0]), ({2}, []), ({2, 3}, [0, 1])):
        found = region_report(run, frames)
        assert {each["frame"] for each in found["frames"]} == frames
        assert [each["track"] for each in found["tracks"]] == tracks


@pytest.mark.parametrize("ending", ENDINGS)
def test_runs_without_regions_are_refused(ending: str, tmp_path: Path) -> None:
    run = Run(store_run(tmp_path / "a.h5", {"psnr": [1.0]}))
    with pytest.raises(UsageError, match="holds no regions: run vfiscope regions"):
        exported(run, ending)
    assert [each.name for each in tmp_path.iterdir()] == ["a.h5"]


def test_nothing_found_is_an_empty_export(tmp_path: Path) -> None:
    with Run(region_run(tmp_path / "a.h5", [], [answer(2)])) as run:
        assert json.loads(exported(run, ".coco.json").read_text())["annotations"] == []
        assert exported(run, ".regions.csv").read_text().count("\n") == 1
        assert ElementTree.parse(exported(run, ".cvat-video.xml")).getroot().find("track") is None


@pytest.mark.parametrize("ending", ENDINGS)
def test_masks_that_cannot_be_drawn(ending: str, tmp_path: Path) -> None:
    run = Run(region_run(tmp_path / "a.h5", [region(0, mask="0")], [answer(0, 1)]))
    with pytest.raises(StoreError, match="is not a mask of a frame of 64x48 pixels"):
        exported(run, ending)
    assert [each.name for each in tmp_path.iterdir()] == ["a.h5"]


@pytest.mark.parametrize("facts", [{"x": np.inf}, {"tight_w": np.nan}, {"area": -1e300}])
def test_places_that_are_none_are_not_stored(facts: dict[str, float], tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"region 1 \(x .*\) has no place"):
        region_run(tmp_path / "a.h5", [region(0), region(0, **facts)], [answer(0, 2)])
    assert Run(tmp_path / "a.h5").regions == []


def test_other_endings_and_files_that_exist(tmp_path: Path) -> None:
    run = stored(tmp_path)
    with pytest.raises(UsageError, match=r"out\.xml ends in \.xml: name .* \.cvat\.xml or"):
        exported(run, ".xml")
    exported(run, ".coco.json")
    with pytest.raises(OutputExistsError):
        exported(run, ".coco.json")
    assert json.loads(exported(run, ".json").read_text())["frames"]  # of the scores


def test_a_file_with_a_place_that_is_none_is_refused(tmp_path: Path) -> None:
    path = region_run(tmp_path / "a.h5", [region(0)], [answer(0, 1)])
    with h5py.File(path, "r+") as h5:
        h5["regions/tight_x"][0] = np.nan
    with pytest.raises(StoreError, match=r"region 0 .*tight_x nan.* has no place"):
        Run(path)


def test_answers_and_regions_of_frames_that_do_not_exist_are_listed_as_they_are(
    tmp_path: Path,
) -> None:
    run = Run(region_run(tmp_path / "a.h5", [region(2**62)], [answer(-(2**62), 1)]))
    found = [image["id"] for image in json.loads(exported(run, ".coco.json").read_text())["images"]]
    assert len(found) == len(set(found)) == 2
