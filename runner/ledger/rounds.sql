-- Statements about campaigns that repeat and their rounds.

-- name: recurring
-- The campaigns in force that repeat and are neither cancelled nor half applied; `since` is up to when rounds are accounted for.
SELECT c.name, q.file, r.digest, r.tool_version, c.state = 'active' AS is_active,
    MAX(r.applied_at, COALESCE((SELECT MAX(n.at) FROM rounds n WHERE n.campaign_id = c.id), r.applied_at)) AS since
FROM recurring q JOIN campaigns c ON c.id = q.campaign_id JOIN revisions r ON r.id = c.revision_id
WHERE r.complete AND c.state <> 'cancelled' ORDER BY c.id

-- name: put_recurring
-- A campaign repeats, and this is its file.
INSERT INTO recurring (campaign_id, file) SELECT id, :file FROM campaigns WHERE name = :name
ON CONFLICT (campaign_id) DO UPDATE SET file = excluded.file

-- name: forget_recurring
-- A campaign repeats no more; what became of its rounds stays.
DELETE FROM recurring WHERE campaign_id = (SELECT id FROM campaigns WHERE name = :name)

-- name: note_round
-- What became of a round; the first word about it stays.
INSERT INTO rounds (campaign_id, at, state, name, count, reason, noted_at)
SELECT id, :at, :state, :round, :count, :reason, :noted_at FROM campaigns WHERE name = :name
ON CONFLICT (campaign_id, at) DO NOTHING

-- name: rounds_noted
-- What became of the rounds of every campaign, oldest first.
SELECT c.name AS campaign, n.at, n.state, n.name, n.count, n.reason, n.noted_at
FROM rounds n JOIN campaigns c ON c.id = n.campaign_id ORDER BY c.id, n.at

-- name: rounds_in_force
-- The campaigns of a campaign's rounds, oldest first.
SELECT n.name FROM rounds n JOIN campaigns c ON c.id = n.campaign_id
WHERE c.name = :name AND n.state = 'started' ORDER BY n.at

-- name: rounds_written
-- The rounds of a campaign that stand in the ledger, and whether each was written to its end.
SELECT c.name, r.complete FROM campaigns c JOIN revisions r ON r.id = c.revision_id
WHERE c.name > :name || '@' AND c.name < :name || 'A'

-- name: rules_taken_over
-- The rules that a campaign repeated by before the revision that is about to be completed, up to when their rounds are
-- accounted for, and since when no rules are in force.
SELECT r.policy, c.state,
    MAX(r.applied_at, COALESCE((SELECT MAX(n.at) FROM rounds n WHERE n.campaign_id = c.id), r.applied_at)) AS since,
    (SELECT MIN(h.applied_at) FROM revisions h WHERE h.campaign_id = c.id AND h.id > r.id) AS half_since
FROM recurring q JOIN campaigns c ON c.id = q.campaign_id JOIN revisions r ON r.campaign_id = c.id
WHERE c.name = :name AND c.state <> 'cancelled' AND r.complete ORDER BY r.id DESC LIMIT 1

-- name: drop_half_round
-- A round that was being written down when the runner stopped, and that is too late now, never begins.
UPDATE campaigns SET state = 'cancelled', reason = :reason WHERE name = :name AND state <> 'cancelled'
    AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.id = campaigns.revision_id AND r.complete)

-- name: repeating
-- The campaigns that repeat, whatever their state.
SELECT c.name FROM recurring q JOIN campaigns c ON c.id = q.campaign_id
