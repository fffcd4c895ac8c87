"""Proposals: from a mask to areas that may be regions."""
