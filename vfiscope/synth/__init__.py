"""Made-up media whose answers can be computed by hand.

A :class:`Scene` renders any instant of a moving image and knows its true motion; a :class:`Clip`
holds a few frames of one, together with what was planted in them; the functions named for faults
plant them; :func:`stamp` writes frame numbers into the pixels; :func:`write_video` and
:func:`write_images` make files. Imports no torch.

    >>> from vfiscope import synth
    >>> scene = synth.Scene(180, 320, seed=1, velocity=(0.25, 0.0))
    >>> clip = synth.ghost(scene.clip(24), 8, 12, distance=3)
    >>> clip.truth["events"]
    [{'kind': 'ghosting', 'start': 8, 'stop': 12, 'weight': 0.5, 'distance': 3}]
"""

from __future__ import annotations

from vfiscope.synth.clip import Clip, Event
from vfiscope.synth.events import (
    blur,
    brightness_step,
    cut,
    drop,
    fade,
    flicker,
    ghost,
    insert,
    interpolate_by,
    noise,
    repeat,
    shift,
    tear,
    variable_rate,
)
from vfiscope.synth.lapse import TimeLapse
from vfiscope.synth.number import read_stamp, stamp
from vfiscope.synth.scene import Scene, Shape
from vfiscope.synth.texture import Ground, Photo, Texture
from vfiscope.synth.write import write_images, write_video

__all__ = [
    "Clip",
    "Event",
    "Ground",
    "Photo",
    "Scene",
    "Shape",
    "Texture",
    "TimeLapse",
    "blur",
    "brightness_step",
    "cut",
    "drop",
    "fade",
    "flicker",
    "ghost",
    "insert",
    "interpolate_by",
    "noise",
    "read_stamp",
    "repeat",
    "shift",
    "stamp",
    "tear",
    "variable_rate",
    "write_images",
    "write_video",
]
