"""A simulated Teams: a Bot Connector, an identity provider, and the strict gate of its cards."""
