"""Qualtrics: read only, save for event subscriptions."""
