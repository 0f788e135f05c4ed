"""Reading a tenant: when, how far, what it would change, and what a run tells of itself."""
