"""Qualtrics, read only."""
