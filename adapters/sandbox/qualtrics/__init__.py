"""A simulated Qualtrics brand: what is in it, what can happen to it, and its API in the recorded shapes."""
