"""Masks of proposals."""
