"""Slack: what comes in, what goes out, and who is there."""
