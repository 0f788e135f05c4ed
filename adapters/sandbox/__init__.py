"""A simulated Qualtrics tenant and Slack workspace over real HTTP, and the browser page that shows them. Never part of a production run."""
