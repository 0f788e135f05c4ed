"""Messages to people: who is due, whom to write to, sent once, looked for when the answer was lost, and kept true afterwards."""
