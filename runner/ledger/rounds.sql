-- Statements about campaigns that repeat and their rounds.

-- name: recurring
-- The campaigns in force that repeat and are neither cancelled nor half applied; `since` is up to when rounds are accounted for.
SELECT c.name, q.file, r.digest, r.tool_version, c.state = 'active' AS is_active, r.applied_at,
    COALESCE(r.completed_at, r.applied_at) AS in_force_since,
    MAX(q.since, COALESCE((SELECT MAX(n.at) FROM rounds n WHERE n.campaign_id = c.id), 0)) AS since
FROM recurring q JOIN campaigns c ON c.id = q.campaign_id JOIN revisions r ON r.id = c.revision_id
WHERE r.complete AND c.state <> 'cancelled' ORDER BY c.id

-- name: put_recurring
-- A campaign repeats, and this is its file; `anew` when rounds of before count no more. A `since` that a wrong clock had
-- put ahead comes back.
INSERT INTO recurring (campaign_id, file, since)
SELECT c.id, :file, CASE WHEN :anew THEN MAX(r.applied_at, r.completed_at - :grace) ELSE r.applied_at END
FROM campaigns c JOIN revisions r ON r.id = c.revision_id WHERE c.name = :name
ON CONFLICT (campaign_id) DO UPDATE SET
    file = excluded.file,
    since = CASE WHEN :anew THEN excluded.since ELSE MIN(recurring.since, excluded.since) END

-- name: account_for_rounds
-- Rounds up to an instant are accounted for.
UPDATE recurring SET since = MAX(since, :until) WHERE campaign_id = (SELECT id FROM campaigns WHERE name = :name)

-- name: earlier_rules
-- The rules that were written for a campaign before those in force, oldest first, from when to when each was the newest,
-- and when it came in force; those whose rounds are accounted for are left out.
SELECT * FROM (
    SELECT r.id, r.policy, r.applied_at AS since, r.completed_at AS in_force_since,
        (SELECT n.applied_at FROM revisions n WHERE n.campaign_id = c.id AND n.id > r.id ORDER BY n.id LIMIT 1) AS until
    FROM recurring q JOIN campaigns c ON c.id = q.campaign_id JOIN revisions r ON r.campaign_id = c.id
    WHERE c.name = :name AND r.id < c.revision_id)
WHERE until > (SELECT MAX(q.since, COALESCE((SELECT MAX(n.at) FROM rounds n WHERE n.campaign_id = q.campaign_id), 0))
    FROM recurring q JOIN campaigns c ON c.id = q.campaign_id WHERE c.name = :name)
ORDER BY id

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

-- name: rounds_written
-- The rounds of a campaign that stand in the ledger, oldest first, and whether each was written to its end. A runner may
-- have ended before it noted the newest; no other campaign can have such a name.
SELECT c.name, r.complete FROM campaigns c JOIN revisions r ON r.id = c.revision_id
WHERE c.name > :name || '@' AND c.name < :name || 'A' ORDER BY c.name

-- name: drop_half_round
-- A round that was being written down when the runner stopped, and that is too late now, never begins.
UPDATE campaigns SET state = 'cancelled', reason = :reason WHERE name = :name AND state <> 'cancelled'
    AND NOT EXISTS (SELECT 1 FROM revisions r WHERE r.id = campaigns.revision_id AND r.complete)

-- name: repeating
-- The campaigns that repeat, whatever their state.
SELECT c.name FROM recurring q JOIN campaigns c ON c.id = q.campaign_id
