-- Why a contact is held for whom nothing was planned.

ALTER TABLE contacts ADD COLUMN reason TEXT NOT NULL DEFAULT '';
