-- What must hold of a ledger; each statement gives the rows that break it. A line `-- name: x` opens a statement.

-- name: broken_live
-- I1: one person has at most one live attempt.
SELECT MIN(id) AS id, 'attempts ' || group_concat(id, ', ') || ' to one person are live at once' AS what
FROM attempts WHERE state IN ('claimed', 'sending', 'accepted', 'in_doubt') AND phone <> '' GROUP BY phone HAVING COUNT(*) > 1

-- name: broken_open
-- I1: a contact has at most one attempt that is planned or under way.
SELECT MIN(id) AS id, 'attempts ' || group_concat(id, ', ') || ' of contact ' || contact_id || ' are open at once' AS what
FROM attempts WHERE state IN ('planned', 'claimed', 'sending', 'accepted', 'in_doubt') GROUP BY contact_id HAVING COUNT(*) > 1

-- name: broken_ids
-- I2: an id of a provider belongs to one attempt.
SELECT MIN(id) AS id, 'attempts ' || group_concat(id, ', ') || ' share the id of one call at ' || account AS what
FROM attempts WHERE provider_id IS NOT NULL GROUP BY account, provider_id HAVING COUNT(*) > 1

-- name: broken_accepted
-- I2: what was accepted has the provider's id, unless it was handed over or the provider gave the id of another one.
SELECT id, 'attempt ' || id || ' is accepted and has no id of the provider' AS what FROM attempts
WHERE state = 'accepted' AND provider_id IS NULL AND handover_id IS NULL
    AND reason NOT LIKE 'the provider gave the id of another attempt%'

-- name: broken_states
-- I3: every attempt and every contact is in a state that there is.
SELECT id, 'attempt ' || id || ' is in the state `' || state || '`, which there is not' AS what FROM attempts
WHERE state NOT IN (SELECT value FROM json_each(:attempt_states))
UNION ALL SELECT id, 'contact ' || id || ' is in the state `' || state || '`, which there is not' FROM contacts
WHERE state NOT IN (SELECT value FROM json_each(:contact_states))

-- name: broken_contacts
-- I3: where a contact stands and what there is of it fit together, in campaigns that were applied to their end.
SELECT k.id, 'contact ' || k.id || ' is ' || k.state || ', and has an attempt that is ' || a.state AS what
FROM contacts k JOIN attempts a ON a.contact_id = k.id
WHERE (k.state IN ('completed', 'failed') AND a.state IN ('planned', 'claimed', 'sending', 'accepted', 'in_doubt'))
UNION ALL SELECT k.id, 'contact ' || k.id || ' is ' || k.state || ', and nothing is planned or under way' FROM contacts k
JOIN campaigns c ON c.id = k.campaign_id JOIN revisions r ON r.id = c.revision_id
WHERE r.complete AND c.state <> 'cancelled' AND k.state IN ('calling', 'retry') AND NOT EXISTS (SELECT 1 FROM attempts a
    WHERE a.contact_id = k.id AND a.state IN ('planned', 'claimed', 'sending', 'accepted', 'in_doubt', 'held'))

-- name: broken_intents
-- I4: whatever left had a durable intent, and what has an id had left.
SELECT a.id, 'attempt ' || a.id || ' is ' || a.state || ', and no intent was written' AS what FROM attempts a
WHERE a.state IN ('sending', 'accepted') AND a.lost_until IS NULL AND a.handover_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.attempt_id = a.id AND e.kind = 'sending')
UNION ALL SELECT id, 'attempt ' || id || ' has an id of the provider, and never left' FROM attempts
WHERE provider_id IS NOT NULL AND sent_at IS NULL AND handover_id IS NULL

-- name: broken_outcomes
-- I5: what is over says when, and what has finished says how; nothing else has an outcome.
SELECT id, 'attempt ' || id || ' has finished without an outcome' AS what FROM attempts WHERE state = 'finished' AND outcome = ''
UNION ALL SELECT id, 'attempt ' || id || ' is ' || state || ', and has the outcome ' || outcome FROM attempts
WHERE state IN ('planned', 'claimed', 'sending', 'in_doubt') AND outcome <> ''
UNION ALL SELECT id, 'attempt ' || id || ' is ' || state || ', and nothing says when it ended' FROM attempts
WHERE state = 'finished' AND ended_at IS NULL

-- name: broken_suppressions
-- I6: nothing was sent to somebody after they were put on the list for good. What came first is told by the events, since
-- clocks are set, and a rehearsal's runs ahead.
WITH listed AS (
    SELECT at, MAX(id) AS event_id FROM events WHERE kind = 'suppressed' AND attempt_id IS NULL GROUP BY at
)
SELECT a.id, 'attempt ' || a.id || ' left after its person was put on the list of those who must not be contacted' AS what
FROM suppressions s LEFT JOIN listed l ON l.at = s.at JOIN attempts a ON a.phone = s.phone
WHERE s.until IS NULL AND a.state IN ('sending', 'accepted', 'in_doubt', 'finished') AND a.lost_until IS NULL
    AND a.handover_id IS NULL
    AND CASE WHEN l.event_id IS NULL THEN s.at < a.sent_at
        ELSE l.event_id < (SELECT MAX(e.id) FROM events e WHERE e.attempt_id = a.id AND e.kind = 'sending') END

-- name: moves_of_attempts
-- What was written down of every attempt, in order, and where it stands.
SELECT a.id, a.state, e.id AS event_id, e.kind, e.detail FROM attempts a
LEFT JOIN events e ON e.attempt_id = a.id AND e.kind IN (SELECT value FROM json_each(:attempt_states))
ORDER BY a.id, e.id

-- name: count_rows
-- How many people and attempts there are.
SELECT (SELECT COUNT(*) FROM contacts) AS contacts, (SELECT COUNT(*) FROM attempts) AS attempts
