"""Detectors of segments."""
