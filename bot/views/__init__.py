"""What is drawn and changed for one person, a module a topic; `bot/actions.py` lists all of it in two tables."""
