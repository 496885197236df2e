-- What caps count and the list of people who must not be contacted. A line `-- name: x` opens a statement.

-- name: past_attempts
-- One person's attempts whose request may have left, known of since `:since`, oldest first.
-- A request that the provider refused reached nobody; one in doubt counts.
SELECT c.name AS campaign, c.purpose, a.channel, a.sent_at, a.ended_at, a.outcome, COALESCE(a.calls, r.calls) AS calls,
    a.handover_id IS NOT NULL AS handed_over
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id LEFT JOIN results r ON r.attempt_id = a.id
WHERE a.phone = :phone AND a.sent_at IS NOT NULL AND COALESCE(a.ended_at, :now) > :since
    AND a.state IN ('sending', 'accepted', 'in_doubt', 'held', 'finished')
    AND NOT (a.state = 'finished' AND a.provider_id IS NULL AND a.handover_id IS NULL
             AND a.outcome IN ('failed', 'invalid_number', 'opted_out'))
ORDER BY a.sent_at, a.id

-- name: all_past_attempts
-- The same of everybody, for plans.
SELECT a.phone, c.name AS campaign, c.purpose, a.channel, a.sent_at, a.ended_at, a.outcome,
    COALESCE(a.calls, r.calls) AS calls, a.handover_id IS NOT NULL AS handed_over
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id LEFT JOIN results r ON r.attempt_id = a.id
WHERE a.sent_at IS NOT NULL AND COALESCE(a.ended_at, :now) > :since
    AND a.state IN ('sending', 'accepted', 'in_doubt', 'held', 'finished')
    AND NOT (a.state = 'finished' AND a.provider_id IS NULL AND a.handover_id IS NULL
             AND a.outcome IN ('failed', 'invalid_number', 'opted_out'))
ORDER BY a.sent_at, a.id

-- name: suppressions
-- Everybody who must not be contacted, those included whose time is over.
SELECT phone, reason, source, at, until FROM suppressions ORDER BY at, phone

-- name: suppression
-- One person's entry.
SELECT phone, reason, source, at, until FROM suppressions WHERE phone = :phone

-- name: suppress
-- Adds a person, unless they were erased and are forbidden by a hash alone. The first reason stays, unless it ends and this one lasts longer.
INSERT INTO suppressions (phone, reason, source, at, until) SELECT :phone, :reason, :source, :at, :until
WHERE NOT EXISTS (SELECT 1 FROM erased WHERE pseudonym = pseudonym(:phone))
ON CONFLICT (phone) DO UPDATE SET
    reason = excluded.reason, source = excluded.source, at = excluded.at, until = excluded.until
WHERE suppressions.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppressions.until)

-- name: lift_suppression
-- Takes a person from the list.
DELETE FROM suppressions WHERE phone = :phone

-- name: keep_lifted
-- Keeps an entry that is taken from the list, with who did it and why.
INSERT INTO lifted_suppressions (phone, reason, source, at, until, lifted_at, why, lifted_by)
SELECT phone, reason, source, at, until, :lifted_at, :why, :lifted_by FROM suppressions WHERE phone = :phone

-- name: lists_with
-- The accounts whose own list knows a number.
SELECT account FROM listed_numbers WHERE phone = :phone ORDER BY account

-- name: forget_listed
-- Forgets that accounts' own lists know a number; the next run reads them anew.
DELETE FROM listed_numbers WHERE phone = :phone
