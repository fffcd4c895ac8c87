"""Frames of a camera that moved: bringing them onto each other, and telling changed things from
things seen from elsewhere."""
