"""What the runner serves over HTTP."""
