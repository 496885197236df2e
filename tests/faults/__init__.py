"""What goes wrong between us and a provider, and what must come of it."""
