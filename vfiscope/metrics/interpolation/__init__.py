"""Metrics of an interpolated frame between two real frames, with and without ground truth."""
