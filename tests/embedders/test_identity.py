"""What identifies an embedder without its network is what the opened embedder says of itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.networks import shallow, write_weights

from vfiscope.embedders import EMBEDDERS, identify, open_embedder
from vfiscope.errors import EmbedderError

OPTIONS: list[dict[str, Any]] = [
    {},
    {"size": 70, "aspect": "stretch", "pool": "all", "precision": "float32"},
]


@pytest.mark.slow
@pytest.mark.parametrize("name", EMBEDDERS)
def test_an_identity_is_that_of_the_opened_embedder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shallow(monkeypatch)
    weights = None if name == "dsift" else write_weights(name, tmp_path / "weights.pt")
    for options in OPTIONS:
        known = identify(name, weights=weights, **options)
        opened = open_embedder(name, weights=weights, **options)
        assert known == opened.identity
        for size in ((480, 640), (99, 30)):
            described = opened.describe(*size)
            described.pop("weights", None)
            assert known.describe(*size) == described
            assert known.grid(*size) == opened.grid(*size)
            assert known.floats(*size) == opened.floats(*size)


def test_the_bytes_of_the_weights_identify_and_not_their_name(tmp_path: Path) -> None:
    first = write_weights("dinov2-small", tmp_path / "a.pt")
    known = identify("dinov2-small", weights=first)
    moved = first.rename(tmp_path / "b.pt")
    assert identify("dinov2-small", weights=moved) == known
    write_weights("dinov2-small", moved, value=1.0)
    changed = identify("dinov2-small", weights=moved)
    assert changed.weights_digest != known.weights_digest


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 75}, "size is 75: it must be a multiple"),
        ({"pool": "max"}, "pool is 'max': choose one of patch, all, cls"),
        ({"aspect": "crop"}, "aspect is 'crop': choose one of"),
        ({"precision": "half"}, "precision is 'half': choose one of auto, float32, bfloat16"),
        ({"device": "tpu"}, "there is no device 'tpu'"),
    ],
)
def test_what_cannot_be_opened_has_no_identity(
    tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    weights = write_weights("dinov2-small", tmp_path / "a.pt")
    with pytest.raises(EmbedderError, match=message):
        identify("dinov2-small", weights=weights, **options)
    with pytest.raises(EmbedderError, match="do not exist"):
        identify("dinov2-small", weights=tmp_path / "none.pt")
