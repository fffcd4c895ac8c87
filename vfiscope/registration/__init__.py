"""Registration in space: how a test frame maps onto its reference, and warping it there."""

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
