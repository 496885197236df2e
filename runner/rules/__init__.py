"""Pure decisions: every function takes `now` and values and gives values; nothing here reads a clock or a file."""
