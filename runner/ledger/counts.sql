-- name: due_by_lane
-- How many attempts of running campaigns are due, by campaign and account, and since when.
SELECT c.name AS campaign, a.account, COUNT(*) AS count, MIN(a.due_at) AS oldest
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id
WHERE a.state = 'planned' AND a.due_at <= :now AND c.state = 'active'
GROUP BY c.name, a.account

-- name: live_by_lane
-- How many attempts are on their way or in doubt, by campaign, account and state.
SELECT c.name AS campaign, a.account, a.state, COUNT(*) AS count
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id
WHERE a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')
GROUP BY c.name, a.account, a.state

-- name: held_by_lane
-- How many attempts wait for a person, by campaign and account; reads every attempt.
SELECT c.name AS campaign, a.account, COUNT(*) AS count
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id
WHERE a.state = 'held'
GROUP BY c.name, a.account

-- name: campaign_states
-- Every campaign and whether it runs.
SELECT name, state FROM campaigns

-- name: webhooks_waiting
-- How many webhooks wait for the calls that they name.
SELECT COUNT(DISTINCT inbox_id) AS count FROM quarantine

-- name: outbox_counts
-- How many notifications wait, or were given up.
SELECT 'waiting' AS state, COUNT(*) AS count FROM outbox WHERE state = 'waiting'
UNION ALL SELECT 'dead', COUNT(*) FROM outbox WHERE state <> 'waiting' AND state = 'dead'

-- name: lease_epoch
-- How many runners have taken the ledger.
SELECT epoch FROM lease

-- name: newest_event
-- The newest event.
SELECT COALESCE(MAX(id), 0) AS id FROM events

-- name: happenings_after
-- What happened to attempts after an event, in the order in which it happened.
SELECT e.id, e.at, e.kind, COALESCE(json_extract(e.detail, '$.from'), '') AS was, a.key AS attempt,
    k.key AS contact, c.name AS campaign, a.step, a.number, a.account, a.channel, a.outcome, a.sent_at
FROM events e JOIN attempts a ON a.id = e.attempt_id
JOIN contacts k ON k.id = a.contact_id JOIN campaigns c ON c.id = a.campaign_id
WHERE e.id > :after AND e.id <= :newest ORDER BY e.id
