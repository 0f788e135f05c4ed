"""A simulated Slack workspace: its state, its Web API behind the gate, and what it sends to the bot."""
