"""The core: surveys, rules, pages, synchronisation and delivery. Imports the standard library alone."""
