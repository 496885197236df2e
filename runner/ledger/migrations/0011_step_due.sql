-- When a step became due for a person, from which `until` and `expires` count; empty for attempts of before.
ALTER TABLE attempts ADD COLUMN step_due_at INTEGER;
-- An attempt at a time that the person named eats nothing of the step's budget of tries.
ALTER TABLE attempts ADD COLUMN is_callback INTEGER NOT NULL DEFAULT 0;
