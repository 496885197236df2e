"""Campaign, project, contact and template files in; every error with its place and a line to paste."""
