"""Which images are one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from vfiscope.views.segment_exports.numbered_images import NumberedImages, numbered_images


@pytest.mark.parametrize(
    ("path", "names", "ordinals", "sequence"),
    [
        ("/v", ["a007.png", "a008.png"], [0, 1], ("/v", "a", ".png", 7, 1, 3)),
        ("/v/a%03d.png", ["a007.png", "a009.png"], [3, 4], ("/v", "a", ".png", 1, 2, 3)),
        ("/v/*.png", ["9.png", "10.png"], [0, 1], ("/v", "", ".png", 9, 1, 1)),
        ("/v", ["2 x1.tif"], [5], None),  # it would have begun below 0
        ("/v", ["2 x5.tif"], [5], ("/v", "2 x", ".tif", 0, 1, 1)),
        ("/v", ["1.png", "2.png", "4.png"], [0, 1, 2], None),
        ("/v", ["2.png", "1.png"], [0, 1], None),
        ("/v", ["01.png", "002.png"], [0, 1], None),
        ("/v", ["1.png", "2.jpg"], [0, 1], None),
        ("/v", ["s1/1.png", "s1/2.png"], [0, 1], None),
        ("/v", ["one.png", "two.png"], [0, 1], None),
    ],
)
def test_sequences(path: str, names: Sequence[str], ordinals: list[int], sequence: Any) -> None:
    found = numbered_images(path, names, np.array(ordinals))
    assert found == (None if sequence is None else NumberedImages(*sequence))
