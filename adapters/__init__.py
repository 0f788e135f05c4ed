"""The outside world: Slack, Teams, Qualtrics, the web, the command line, and the sandbox that simulates the first three."""
