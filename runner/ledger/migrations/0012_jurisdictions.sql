-- Whose law counts for a person, such as `US US-TX`; empty where none was looked at.

ALTER TABLE contacts ADD COLUMN jurisdictions TEXT NOT NULL DEFAULT '';
