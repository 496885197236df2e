-- Rounds stay accounted for when other rules take over: since when a campaign's rounds are, and when a revision came in force.
ALTER TABLE revisions ADD COLUMN completed_at INTEGER;
UPDATE revisions SET completed_at = applied_at WHERE complete;

ALTER TABLE recurring ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE recurring SET since = (
    SELECT COALESCE(MAX(r.applied_at), 0) FROM campaigns c JOIN revisions r ON r.id = c.revision_id
    WHERE c.id = recurring.campaign_id);
