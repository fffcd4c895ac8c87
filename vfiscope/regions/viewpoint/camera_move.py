"""How the view moved between two frames, in words that a person uses: shift, rotation, zoom."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vfiscope.pixels import luma_bytes
from vfiscope.regions.steps import Difference, FramePair
from vfiscope.registration.homography import corners, project
from vfiscope.types import Float64

__all__ = ["CameraMove", "camera_move"]

MIN_CORNER_PX = 0.75
"""Movement of a corner from which the view moved."""
FLOW_POINTS_ACROSS = 64
"""Points along each side at which the local shift is looked at."""
MIN_SLOPE = 4.0
"""Change of luma over two pixels: where nothing is to be seen no shift is seen either."""
MIN_FLOW_POINTS, MIN_FLOW_SHARE = 24, 0.6
FLOW_REACH_PX = 0.5
"""Within which a local shift agrees with that of the view."""


class CameraMove(NamedTuple):
    """Where the view of the reference lies in the test frame."""

    shift_x: float = 0.0
    """shift_x, shift_y: of the centre, pixels to the right and down."""
    shift_y: float = 0.0
    rotation: float = 0.0
    """Degrees, clockwise as seen."""
    zoom: float = 1.0
    """Above 1: things look larger in the test frame."""
    moved: bool = False
    """Whether a corner moved by 0.75 px or more; else the rest says that nothing moved."""


def camera_move(pair: FramePair, difference: Difference) -> CameraMove:
    """How the view moved: by the registration where there is one, else by the local shifts where
    most of them agree on one similarity."""
    registration = pair.registration
    if registration is not None and registration.accepted:
        return _of_matrix(np.linalg.inv(registration.matrix).astype(np.float64), pair.size)
    matrix = _by_flow(pair, difference)
    return CameraMove() if matrix is None else _of_matrix(matrix, pair.size)


def _of_matrix(matrix: Float64, size: tuple[int, int]) -> CameraMove:
    """The move of a matrix from reference to test."""
    centre = np.array([(size[1] - 1) / 2, (size[0] - 1) / 2])
    at, right, down = project(matrix, centre + np.array([[0.0, 0.0], [0.5, 0.0], [0.0, 0.5]]))
    slope = 2 * np.column_stack([right - at, down - at])
    rotation = np.degrees(np.arctan2(slope[1, 0] - slope[0, 1], slope[0, 0] + slope[1, 1]))
    zoom = float(np.sqrt(abs(np.linalg.det(slope))))
    places = corners(size)
    far = float(np.linalg.norm(project(matrix, places) - places, axis=1).max())
    if far < MIN_CORNER_PX:
        return CameraMove()
    shift = at - centre
    return CameraMove(float(shift[0]), float(shift[1]), float(rotation), zoom, moved=True)


def _by_flow(pair: FramePair, difference: Difference) -> Float64 | None:
    """The similarity from reference to test that the local shifts agree on; None where they do
    not."""
    flow = difference.flow
    if flow is None or not flow.any() or min(pair.size) < 3:
        return None
    grey = luma_bytes(pair.test)
    rows, columns = np.meshgrid(*(_inner(side) for side in pair.size), indexing="ij")
    across = grey[rows, columns + 1].astype(np.float32) - grey[rows, columns - 1]
    along = grey[rows + 1, columns].astype(np.float32) - grey[rows - 1, columns]
    taken = (np.hypot(across, along) >= MIN_SLOPE) & difference.valid[rows, columns]
    rows, columns = rows[taken], columns[taken]
    test = np.column_stack([columns, rows]).astype(np.float64)
    ref = test + flow[:, rows, columns].T
    if len(test) < MIN_FLOW_POINTS:
        return None
    found, agree = cv2.estimateAffinePartial2D(
        ref, test, method=cv2.RANSAC, ransacReprojThreshold=FLOW_REACH_PX
    )
    if found is None or agree.mean() < MIN_FLOW_SHARE:
        return None
    return np.vstack([np.asarray(found, np.float64), [0.0, 0.0, 1.0]])


def _inner(side: int) -> NDArray[np.int64]:
    """Up to 64 places along a side, none at its ends."""
    step = max(1, side // FLOW_POINTS_ACROSS)
    return np.arange(1 + (step - 1) // 2, side - 1, step)
