"""Pages become vendor JSON: pure functions that know no client and no network."""
