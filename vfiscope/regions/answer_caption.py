"""One sentence about a pair of frames."""

from __future__ import annotations

from collections.abc import Sequence

from vfiscope.regions.share_words import percent
from vfiscope.regions.steps import Light
from vfiscope.regions.viewpoint.camera_move import CameraMove

__all__ = ["answer_caption", "colour_words", "light_words", "move_words"]

MIN_SHIFT_PX, MIN_ROTATION, MIN_ZOOM = 0.15, 0.05, 0.001
"""What is rounded to nothing is not said."""
MIN_RISE_CODES = 1.0
LOST_STRENGTH = 0.1
"""Of colours, below which nobody sees any."""
NOTHING_ELSE = "nothing else changed"


def answer_caption(
    answer: str, regions: int, area: float, reasons: Sequence[str], *, by_colour: bool = False
) -> str:
    """The sentence of a pair.

    Args:
        answer: same, light, moved, changed or undecided.
        regions: number of them.
        area: part of the frame that they cover, 0..1.
        reasons: what else is to be said: of the camera, the light, why it is undecided.
        by_colour: whether colours alone were compared.
    """
    joined = " and ".join(reasons)
    if answer == "same":
        return "Nothing changed."
    if answer == "undecided":
        where = "; the regions say only where the frames differ" if regions else ""
        return f"It cannot be told what changed: {joined}{where}."
    if answer == "changed":
        noun = "region" if regions == 1 else "regions"
        also = ", told by colours alone" if by_colour else ""
        also += f"; {joined}" if joined else ""
        return f"{regions} {noun} changed ({percent(area)} of the frame){also}."
    rest = "no colour came or went that this does not explain" if by_colour else NOTHING_ELSE
    return f"{joined[:1].upper()}{joined[1:]}; {rest}."


def move_words(move: CameraMove) -> str:
    """ "the camera moved (view 12 px right, 1.3 degrees clockwise, zoom 1.02)"."""
    parts = []
    for value, words in ((move.shift_x, ("right", "left")), (move.shift_y, ("down", "up"))):
        if abs(value) >= MIN_SHIFT_PX:
            length = f"{abs(value):.0f}" if abs(value) >= 10 else f"{abs(value):.1f}"
            parts.append(f"{length} px {words[value < 0]}")
    if abs(move.rotation) >= MIN_ROTATION:
        way = "clockwise" if move.rotation > 0 else "anticlockwise"
        parts.append(f"{abs(move.rotation):.1f} degrees {way}")
    if abs(move.zoom - 1) >= MIN_ZOOM:
        parts.append(f"zoom {move.zoom:.3f}")
    return f"the camera moved (view {', '.join(parts)})" if parts else "the camera moved"


def light_words(light: Light, mean: float) -> str:
    """ "the light rose by 8.2 of 255 code values" or, where the mean stays, "the contrast fell by
    20 %". Code values, not shares of the mean: of a nearly black frame that is 1900 %.

    Args:
        light: as fitted.
        mean: luma of the reference, 0..255.
    """
    rise = light.gain * mean + light.offset - mean
    if abs(rise) < MIN_RISE_CODES:
        way = "rose" if light.gain > 1 else "fell"
        return f"the contrast {way} by {100 * abs(light.gain - 1):.0f} %"
    codes = f"{abs(rise):.0f}" if abs(rise) >= 10 else f"{abs(rise):.1f}"
    return f"the light {'rose' if rise > 0 else 'fell'} by {codes} of 255 code values"


def colour_words(strength: float) -> str:
    """ "the colour was lost", "colours are weaker by 40 %".

    Args:
        strength: of colours over that in the reference; infinite where that had none.
    """
    if strength < LOST_STRENGTH:
        return "the colour was lost"
    if strength > 1 / LOST_STRENGTH:
        return "colour was added everywhere"
    if strength < 1:
        return f"colours became weaker by {100 * (1 - strength):.0f} %"
    return f"colours became stronger by {100 * (strength - 1):.0f} %"
