"""From a campaign and its contacts to a plan; pure."""
