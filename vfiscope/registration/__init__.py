"""Spatial alignment: where a test frame lies on its reference, and the frame resampled onto it."""

from vfiscope.registration.register import (
    Register,
    describe,
    fill,
    open_register,
    register,
    register_pairs,
    valid_cells,
    warp,
)

__all__ = [
    "Register",
    "describe",
    "fill",
    "open_register",
    "register",
    "register_pairs",
    "valid_cells",
    "warp",
]
