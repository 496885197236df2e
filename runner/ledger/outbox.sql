-- What waits to be told to other systems. Triggers of the schema write it; only sending settles it.

-- name: outbox_targets
-- The targets for which something waits; goes from one to the next by the index, however much waits.
WITH RECURSIVE found (target) AS (
    SELECT MIN(target) FROM outbox WHERE state = 'waiting'
    UNION ALL
    SELECT (SELECT MIN(o.target) FROM outbox o WHERE o.state = 'waiting' AND o.target > found.target)
    FROM found WHERE found.target IS NOT NULL)
SELECT target FROM found WHERE target IS NOT NULL

-- name: outbox_due
-- What is to be told to one target by now, with all that it may say.
SELECT o.id, o.kind, o.at, o.target, o.tries, o.campaign_id, o.attempt_id, c.name AS campaign,
    COALESCE(json_extract(e.detail, '$.reason'), '') AS reason, COALESCE(json_extract(e.detail, '$.cause'), '') AS cause,
    a.key, k.key AS contact_key, a.phone, a.step, a.number, a.channel, p.provider, a.account, a.outcome, a.tag,
    a.summary, a.sent_at, a.ended_at
FROM outbox o JOIN campaigns c ON c.id = o.campaign_id
LEFT JOIN events e ON e.id = o.event_id
LEFT JOIN attempts a ON a.id = o.attempt_id
LEFT JOIN contacts k ON k.id = a.contact_id
LEFT JOIN payloads p ON p.contact_id = a.contact_id AND p.step = a.step
WHERE o.state = 'waiting' AND o.target = :target AND o.due_at <= :now ORDER BY o.due_at, o.id LIMIT :count

-- name: stats_of_campaign
-- How many contacts of one campaign stand where.
SELECT state, COUNT(*) AS count FROM contacts WHERE campaign_id = :campaign_id AND state <> 'removed'
GROUP BY state ORDER BY state

-- name: settle_notification
-- What became of a try; one that was settled otherwise meanwhile stays so.
UPDATE outbox SET state = :state, tries = tries + 1, due_at = COALESCE(:again_at, due_at), says = :says,
    settled_at = CASE WHEN :state = 'waiting' THEN NULL ELSE :at END
WHERE id = :id AND state = 'waiting'

-- name: hooks_on_finish
-- The active, complete campaigns that tell of their end and whose end was not told as of this revision.
-- One that repeats has no people of its own: its rounds have.
SELECT c.id, c.revision_id, EXISTS (SELECT 1 FROM told_finished t WHERE t.campaign_id = c.id) AS is_told
FROM campaigns c JOIN revisions r ON r.id = c.revision_id
WHERE c.state = 'active' AND r.complete
    AND c.id IN (SELECT h.campaign_id FROM hooks h WHERE h.event = 'finished')
    AND NOT EXISTS (SELECT 1 FROM told_finished t WHERE t.campaign_id = c.id AND t.revision_id = c.revision_id)

-- name: has_open_contacts
-- Whether somebody of a campaign still waits for something that the runner does, or nobody is in it at all.
SELECT EXISTS (SELECT 1 FROM contacts WHERE campaign_id = :campaign_id AND state IN ('pending', 'calling', 'retry'))
    OR NOT EXISTS (SELECT 1 FROM contacts WHERE campaign_id = :campaign_id AND state <> 'removed') AS is_open

-- name: put_finished
-- A notification of a campaign's end for each target.
INSERT INTO outbox (campaign_id, kind, at, target, due_at)
SELECT h.campaign_id, 'campaign.finished', :now, h.target, :now FROM hooks h
WHERE h.campaign_id = :campaign_id AND h.event = 'finished'

-- name: note_told_finished
-- The end of a campaign was told, as of a revision.
INSERT INTO told_finished (campaign_id, revision_id) VALUES (:campaign_id, :revision_id)
ON CONFLICT (campaign_id) DO UPDATE SET revision_id = excluded.revision_id

-- name: forget_told_finished
-- A campaign has begun anew, and its next end is told again.
DELETE FROM told_finished WHERE campaign_id = :campaign_id

-- name: give_up_old
-- Gives up what has waited too long.
UPDATE outbox SET state = 'dead', settled_at = :now, says = CASE says WHEN '' THEN 'it waited too long' ELSE says END
WHERE state = 'waiting' AND at < :before

-- name: waiting_count
-- How much waits for one target.
SELECT COUNT(*) AS count FROM outbox WHERE state = 'waiting' AND target = :target

-- name: give_up_most
-- Gives up the oldest of what waits for one target.
UPDATE outbox SET state = 'dead', settled_at = :now, says = 'too many waited'
WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND target = :target ORDER BY id LIMIT :count)

-- name: forget_settled
-- Forgets what was settled long ago.
DELETE FROM outbox WHERE state <> 'waiting' AND settled_at < :before

-- name: withhold
-- Has what waits never be sent.
UPDATE outbox SET state = 'withheld', settled_at = :now WHERE state = 'waiting'

-- name: outbox_waiting_counts
-- How much waits for each target.
SELECT target, COUNT(*) AS count FROM outbox WHERE state = 'waiting' GROUP BY target

-- name: has_outbox
-- Whether the ledger knows notifications; one that is only read may be older.
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'outbox'

-- name: outbox_standing
-- How the notifications to each target stand, and the newest fault.
SELECT o.target, SUM(o.state = 'waiting') AS waiting, SUM(o.state = 'sent') AS sent, SUM(o.state = 'dead') AS dead,
    SUM(o.state = 'withheld') AS withheld,
    COALESCE((SELECT f.says FROM outbox f WHERE f.target = o.target AND f.says <> '' ORDER BY f.id DESC LIMIT 1), '') AS says
FROM outbox o GROUP BY o.target ORDER BY o.target
