"""Difference maps of two frames, each with its unit."""
