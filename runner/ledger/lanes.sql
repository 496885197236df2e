-- What pacing asks: lanes, who is due in them, what is live, what started when, which accounts are ill.

-- name: put_lane
-- A lane; the one that is there stays.
INSERT INTO lanes (campaign_id, step, account, agent, from_number)
VALUES (:campaign_id, :step, :account, :agent, :from_number) ON CONFLICT DO NOTHING

-- name: lane_id
-- The id of a lane.
SELECT id FROM lanes WHERE campaign_id = :campaign_id AND step = :step AND account = :account AND agent = :agent
    AND from_number = :from_number

-- name: lanes_after
-- The lanes that came after another one, oldest first.
SELECT l.id, c.name AS campaign, l.step, l.account, l.agent, l.from_number
FROM lanes l JOIN campaigns c ON c.id = l.campaign_id WHERE l.id > :after ORDER BY l.id

-- name: due_in_lane
-- Planned attempts of a lane that are due, oldest first; nobody with a live attempt.
SELECT a.id, a.due_at FROM attempts a INDEXED BY attempts_due_by_lane
WHERE a.lane_id = :lane_id AND a.state = 'planned' AND a.due_at <= :now
    AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.phone = a.phone
                    AND l.state IN ('claimed', 'sending', 'accepted', 'in_doubt'))
ORDER BY a.due_at, a.id LIMIT :count

-- name: any_due
-- Whether an attempt of these lanes is due.
SELECT 1 FROM json_each(:lanes) l JOIN attempts a ON a.lane_id = l.value
WHERE a.state = 'planned' AND a.due_at <= :now LIMIT 1

-- name: live_slots
-- Calls without an outcome, and texts that are being sent; the provider itself paces those that were handed over.
SELECT a.lane_id, CASE a.state WHEN 'claimed' THEN :now ELSE COALESCE(a.sent_at, :now) END AS since FROM attempts a
WHERE a.state IN ('claimed', 'sending', 'accepted', 'in_doubt') AND a.handover_id IS NULL AND a.lane_id IS NOT NULL
    AND (a.channel = 'call' OR a.state IN ('claimed', 'sending'))
ORDER BY since

-- name: starts_of_lanes
-- When the last attempts of lanes started, oldest first; those that are just claimed start now.
SELECT a.sent_at AS at FROM json_each(:lanes) l JOIN attempts a ON a.lane_id = l.value
WHERE a.sent_at > :since AND a.handover_id IS NULL
UNION ALL
SELECT :now FROM attempts a WHERE a.state = 'claimed' AND a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')
    AND a.lane_id IN (SELECT value FROM json_each(:lanes)) AND a.handover_id IS NULL
ORDER BY 1

-- name: first_start_of_lanes
-- When the very first attempt of lanes started.
SELECT MIN((SELECT MIN(a.sent_at) FROM attempts a WHERE a.lane_id = l.value AND a.sent_at IS NOT NULL)) AS at
FROM json_each(:lanes) l

-- name: recent_doubts
-- How many attempts of a campaign were sent, and how many came into doubt, since an instant or its last resumption.
SELECT (SELECT COUNT(*) FROM lanes l JOIN attempts a ON a.lane_id = l.id
        WHERE l.campaign_id = c.id AND a.sent_at > :since AND a.handover_id IS NULL) AS sent,
    (SELECT COUNT(*) FROM attempts a WHERE a.campaign_id = c.id
        AND a.doubted_at > MAX(:since, COALESCE(c.resumed_at, 0)) AND a.handover_id IS NULL) AS doubted
FROM campaigns c WHERE c.name = :name

-- name: all_health
-- How every account that ever failed stands.
SELECT * FROM account_health ORDER BY account

-- name: has_health
-- Whether the ledger knows of accounts that fail; one that was opened for reading alone may be older.
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'account_health'

-- name: put_health
-- How an account stands now.
INSERT INTO account_health (account, state, recent, reason, since, retry_at, trials, trial, slowed_until, slowed_times)
VALUES (:account, :state, :recent, :reason, :since, :retry_at, :trials, :trial, :slowed_until, :slowed_times)
ON CONFLICT (account) DO UPDATE SET state = excluded.state, recent = excluded.recent, reason = excluded.reason,
    since = excluded.since, retry_at = excluded.retry_at, trials = excluded.trials, trial = excluded.trial,
    slowed_until = excluded.slowed_until, slowed_times = excluded.slowed_times

-- name: anything_open
-- Whether any attempt still waits for something that the runner does; says so as soon as it finds one.
SELECT EXISTS (
    SELECT 1 FROM attempts a INDEXED BY attempts_due JOIN campaigns c ON c.id = a.campaign_id
    JOIN revisions r ON r.id = c.revision_id
    WHERE a.state = 'planned' AND c.state = 'active' AND r.complete
        AND (:only IS NULL OR c.name IN (SELECT value FROM json_each(:only)))
) OR EXISTS (
    SELECT 1 FROM attempts a INDEXED BY one_live_attempt JOIN campaigns c ON c.id = a.campaign_id
    JOIN revisions r ON r.id = c.revision_id
    WHERE a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')
        AND (:only IS NULL OR c.name IN (SELECT value FROM json_each(:only)))
        AND NOT EXISTS (SELECT 1 FROM handovers h, contacts k
                        WHERE h.id = a.handover_id AND k.id = a.contact_id AND k.state <> 'calling'
                            AND c.state = 'paused' AND (h.told = 'paused' OR h.state = 'created'))
) AS is_open
