-- Suppressions that end, those that were taken back, and what caps must know of past attempts.

-- When a suppression ends; empty for one that stands for good.
ALTER TABLE suppressions ADD COLUMN until INTEGER;

-- What stood on the list and was taken from it by hand; events name nobody, so the number is kept here.
CREATE TABLE lifted_suppressions (
    id        INTEGER PRIMARY KEY,
    phone     TEXT NOT NULL,
    reason    TEXT NOT NULL,
    source    TEXT NOT NULL,
    at        INTEGER NOT NULL,
    until     INTEGER,
    lifted_at INTEGER NOT NULL,
    why       TEXT NOT NULL,
    lifted_by TEXT NOT NULL
);
CREATE INDEX lifted_suppressions_by_phone ON lifted_suppressions (phone);

-- Why the people of a campaign are contacted, beside its revision: some caps count one purpose alone.
ALTER TABLE campaigns ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
UPDATE campaigns SET purpose = COALESCE(
    (SELECT json_extract(r.policy, '$.purpose') FROM revisions r WHERE r.id = campaigns.revision_id), '');
