"""Metrics of a frame between two real frames: what an interpolation did to it, with and without
ground truth."""
