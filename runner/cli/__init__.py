"""The command `outreach`: one thin function for each command; only this room prints."""
