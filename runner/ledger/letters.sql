-- What providers and people told us by themselves: webhooks that wait, replies, lists of numbers.

-- name: quarantine
-- A webhook waits for the call that it names.
INSERT INTO quarantine (inbox_id, provider_id, reference)
SELECT id, :provider_id, :reference FROM inbox WHERE account = :account AND digest = :digest
ON CONFLICT DO NOTHING

-- name: count_quarantine
-- How many names are waited for.
SELECT COUNT(*) AS count FROM quarantine

-- name: trim_quarantine
-- Drops waiting webhooks beyond `:most`: those that nothing proves first, the oldest before the others.
DELETE FROM inbox WHERE id IN
    (SELECT DISTINCT i.id FROM quarantine q JOIN inbox i ON i.id = q.inbox_id
     ORDER BY i.verified DESC, i.id DESC LIMIT -1 OFFSET :most)

-- name: waiting
-- The webhooks since `:since` that wait for a provider's id or a planted key, oldest first.
SELECT i.id, i.body, i.verified FROM inbox i
WHERE i.id IN (SELECT q.inbox_id FROM quarantine q WHERE :provider_id <> '' AND q.provider_id = :provider_id
               UNION SELECT q.inbox_id FROM quarantine q WHERE q.reference = :key)
    AND +i.account = :account AND +i.received_at >= :since AND i.body <> x''
ORDER BY i.id

-- name: leave_quarantine
-- A webhook waits no more.
DELETE FROM quarantine WHERE inbox_id = :id

-- name: result_of_webhook
-- What a webhook that waited led to.
UPDATE inbox SET result = :result WHERE id = :id

-- name: forget_bodies
-- Drops the bodies of webhooks that are older than `:before`; digest and result stay.
UPDATE inbox SET body = x'' WHERE received_at < :before AND body <> x''

-- name: add_reply
-- A text that a person sent back; one that the provider told before changes nothing.
INSERT INTO replies (account, provider_id, phone, to_number, body, at, stops, verified, attempt_id)
VALUES (:account, :provider_id, :phone, :to_number, :body, :at, :stops, :verified, :attempt_id)
ON CONFLICT DO NOTHING

-- name: newest_sent
-- The newest attempt to a person whose request left: a text through this account if there is one, else any.
SELECT id FROM attempts WHERE phone = :phone AND sent_at IS NOT NULL
ORDER BY channel = 'text' AND account = :account DESC, channel = 'text' DESC, sent_at DESC, id DESC LIMIT 1

-- name: locales_of_person
-- The rules of the campaigns that hold a person.
SELECT DISTINCT json_extract(r.policy, '$.locale') AS locale FROM contacts k
JOIN campaigns c ON c.id = k.campaign_id JOIN revisions r ON r.id = c.revision_id
WHERE k.phone = :phone AND json_extract(r.policy, '$.locale') IS NOT NULL

-- name: same_event
-- Whether an attempt has an event of this kind and detail.
SELECT 1 AS found FROM events WHERE attempt_id = :attempt_id AND kind = :kind AND detail = :detail

-- name: suppress_attempt
-- Calls off one planned attempt to a person who must not be contacted.
UPDATE attempts SET state = 'suppressed', reason = :reason, ended_at = :at, lease_until = NULL
WHERE id = :id AND state = 'planned'

-- name: planned_for
-- What is planned for a person, in every campaign.
SELECT id FROM attempts WHERE phone = :phone AND state = 'planned' ORDER BY id

-- name: suppress_contacts
-- A person who must not be contacted waits for nothing more, in every campaign.
UPDATE contacts SET state = 'suppressed' WHERE phone = :phone AND state IN ('pending', 'retry')

-- name: leave_alone
-- A contact for whom the campaign has ended asked to be left alone.
UPDATE contacts SET state = 'suppressed' WHERE id = :contact_id AND state IN ('completed', 'failed')

-- name: count_unlisted
-- How many people must not be contacted and are unknown to an account's own list, which holds nobody else.
SELECT (SELECT COUNT(*) FROM suppressions WHERE until IS NULL) - (SELECT COUNT(*) FROM listed_numbers WHERE account = :account) AS count

-- name: unlisted
-- People who must not be contacted and whom an account's own list does not know yet.
SELECT s.phone FROM suppressions s WHERE s.until IS NULL AND NOT EXISTS
    (SELECT 1 FROM listed_numbers n WHERE n.account = :account AND n.phone = s.phone)
ORDER BY s.at, s.phone LIMIT :count

-- name: list_number
-- An account's own list knows a number; one that was erased is not kept here again.
INSERT INTO listed_numbers (account, phone, at) SELECT :account, :phone, :at
WHERE NOT EXISTS (SELECT 1 FROM erased WHERE pseudonym = pseudonym(:phone)) ON CONFLICT DO NOTHING

-- name: is_suppressed
-- Whether a person must not be contacted, for good.
SELECT 1 AS found FROM suppressions WHERE phone = :phone AND until IS NULL
UNION ALL SELECT 1 FROM erased WHERE pseudonym = pseudonym(:phone)

-- name: outcome_of_attempt
-- How an attempt ended.
SELECT outcome FROM attempts WHERE id = :id
