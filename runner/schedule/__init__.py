"""The clock and the alarm: what time it is, and waking at the right one."""
