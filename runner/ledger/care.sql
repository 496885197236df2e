-- Care of the ledger: which one it is, what a copy may have sent, who was erased. A line `-- name: x` opens a statement.

-- name: set_home
-- Which file is the ledger itself.
INSERT INTO facts (name, value) VALUES ('home', :home) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: set_fact
-- Writes down a fact about the ledger in place of what it was.
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: any_fact
-- Every fact about the ledger.
SELECT name, value FROM facts

-- name: is_erased
-- Whether a number was erased.
SELECT reason FROM erased WHERE pseudonym = pseudonym(:phone)

-- name: erased_people
-- Every pseudonym of an erased number.
SELECT pseudonym, reason FROM erased

-- name: count_erased
-- How many people were erased.
SELECT COUNT(*) AS count FROM erased

-- name: put_erased
-- A number that was erased stays forbidden, as a keyed hash alone.
INSERT INTO erased (pseudonym, reason, at) VALUES (pseudonym(:phone), :reason, :at) ON CONFLICT (pseudonym) DO NOTHING

-- name: lift_erased
-- A number that was erased may be contacted again.
DELETE FROM erased WHERE pseudonym = pseudonym(:phone)

-- name: contacts_of_number
-- Whoever has a number in any campaign, now or when an attempt was made.
SELECT id, key, phone FROM contacts WHERE phone = :phone
    OR id IN (SELECT contact_id FROM attempts WHERE phone = :phone) ORDER BY id

-- name: attempts_of_contacts
-- Every attempt on contacts, or to a number; `:contacts` is a JSON list.
SELECT id, key, state, provider_id FROM attempts
WHERE phone = :phone OR contact_id IN (SELECT value FROM json_each(:contacts)) ORDER BY id

-- name: erase_contact
-- Leaves of a contact where it stood, and nothing that says who it was.
UPDATE contacts SET key = 'erased-' || id, phone = '', row = 0, zones = 'UTC', zone_source = '', jurisdictions = '',
    cells = '{}', reason = '', state = CASE WHEN state IN ('pending', 'calling', 'retry', 'held') THEN 'suppressed' ELSE state END
WHERE id = :id

-- name: erase_payloads
-- Leaves of a contact's requests which step and account they were for.
UPDATE payloads SET path = '', body = '{}', fingerprint = '' WHERE contact_id = :id

-- name: erase_backups
-- The same of the requests of its backups.
UPDATE backups SET path = '', body = '{}' WHERE contact_id = :id

-- name: erase_attempt
-- Leaves of an attempt when it was and how it ended; one that nobody knows the end of has an unknown one.
UPDATE attempts SET key = 'erased-' || id, phone = '', provider_id = NULL, summary = '', reason = '', lease_until = NULL,
    ended_at = COALESCE(ended_at, :at),
    outcome = CASE state WHEN 'held' THEN 'unknown' ELSE outcome END,
    state = CASE state WHEN 'held' THEN 'finished' WHEN 'planned' THEN 'suppressed' ELSE state END
WHERE id = :id

-- name: erase_result
-- Leaves of a result the outcome and how long it took.
UPDATE results SET sentiment = '', recording_url = '', transcript_url = '', hangup_cause = '', detail = :detail
WHERE attempt_id = :id

-- name: erase_replies
-- Drops what a person sent back.
DELETE FROM replies WHERE phone = :phone OR attempt_id IN (SELECT value FROM json_each(:attempts))

-- name: erase_suppression
-- Drops the entry of a number; its hash forbids it.
DELETE FROM suppressions WHERE phone = :phone

-- name: erase_lifted
-- Drops what stood on the list for a number once.
DELETE FROM lifted_suppressions WHERE phone = :phone

-- name: events_of_person
-- The events of attempts and contacts, and those whose detail has any of some words; both are JSON lists.
SELECT id FROM events WHERE detail <> '{"erased":true}' AND kind NOT IN ('erased', 'purged')
    AND (attempt_id IN (SELECT value FROM json_each(:attempts))
         OR (attempt_id IS NULL AND json_extract(detail, '$.contact') IN (SELECT value FROM json_each(:contacts)))
         OR EXISTS (SELECT 1 FROM json_each(:words) w WHERE instr(events.detail, w.value) > 0))
ORDER BY id

-- name: erase_event
-- Takes the detail of an event, and the salt by which it could be guessed.
UPDATE events SET salt = NULL, detail = '{"erased":true}' WHERE id = :id

-- name: letters_of_person
-- Webhooks whose body has any of some words; `:words` is a JSON list.
SELECT id FROM inbox WHERE body <> x'' AND EXISTS
    (SELECT 1 FROM json_each(:words) w WHERE instr(CAST(inbox.body AS TEXT), w.value) > 0)

-- name: erase_letter
-- Drops the body of a webhook and what it led to; its digest stays, so that it still counts once.
UPDATE inbox SET body = x'', result = 'erased' WHERE id = :id

-- name: policies_with
-- The revisions whose rules have any of some words.
SELECT id, policy FROM revisions WHERE EXISTS
    (SELECT 1 FROM json_each(:words) w WHERE instr(revisions.policy, w.value) > 0)

-- name: set_policy
-- The rules of a revision without somebody who was erased.
UPDATE revisions SET policy = :policy WHERE id = :id

-- name: purgeable_contacts
-- Contacts whose sequence is over since before an instant; of one campaign, with its rounds, or of all.
SELECT k.id FROM contacts k JOIN campaigns c ON c.id = k.campaign_id
WHERE k.state IN ('completed', 'failed', 'suppressed', 'removed')
    AND (:name IS NULL OR c.name = :name OR c.name GLOB :name || '@*')
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = k.id
                    AND (a.state IN ('planned', 'claimed', 'sending', 'accepted', 'in_doubt', 'held')
                         OR COALESCE(a.ended_at, a.due_at) >= :before))
    AND COALESCE((SELECT MAX(COALESCE(a.ended_at, a.due_at)) FROM attempts a WHERE a.contact_id = k.id),
                 (SELECT r.applied_at FROM revisions r WHERE r.id = c.revision_id), 0) < :before
ORDER BY k.id

-- name: purge_contact
-- Empties the row of a contact: its variables and the columns beside them.
UPDATE contacts SET cells = '{}' WHERE id = :id AND cells <> '{}'

-- name: purge_payloads
-- Empties the requests of a contact.
UPDATE payloads SET body = '{}' WHERE contact_id = :id AND body <> '{}'

-- name: purge_backups
-- Empties the requests of its backups.
UPDATE backups SET body = '{}' WHERE contact_id = :id AND body <> '{}'

-- name: purge_attempts
-- Drops the summaries of what was said to a contact.
UPDATE attempts SET summary = '' WHERE contact_id = :id AND summary <> ''

-- name: purge_results
-- Drops transcripts, links and whatever else was told of a contact's results; outcome, tag and seconds stay.
UPDATE results SET sentiment = '', recording_url = '', transcript_url = '', detail = :detail
WHERE attempt_id IN (SELECT a.id FROM attempts a WHERE a.contact_id = :id) AND (detail <> :detail OR recording_url <> '')

-- name: purge_replies
-- Drops the words of the texts that a contact sent back.
UPDATE replies SET body = '' WHERE attempt_id IN (SELECT a.id FROM attempts a WHERE a.contact_id = :id) AND body <> ''

-- name: purge_letters
-- Drops the bodies of webhooks from before an instant.
UPDATE inbox SET body = x'' WHERE received_at < :before AND body <> x''

-- name: purge_loose_replies
-- Drops the words of texts from before an instant that belong to no attempt.
UPDATE replies SET body = '' WHERE attempt_id IS NULL AND at < :before AND body <> ''

-- name: newest_word
-- The newest instant that a ledger knows of what it did itself.
SELECT MAX(at) AS at FROM (SELECT MAX(at) AS at FROM events UNION ALL SELECT MAX(sent_at) FROM attempts
    UNION ALL SELECT MAX(received_at) FROM inbox)

-- name: lost_attempts
-- What was open, and would have been dealt with by the end of a time that another copy may have used.
SELECT a.id, a.state, a.contact_id, a.campaign_id, a.step,
    EXISTS (SELECT 1 FROM backups b WHERE b.contact_id = a.contact_id AND b.step = a.step) AS has_backups
FROM attempts a WHERE a.state IN ('claimed', 'sending', 'in_doubt', 'accepted', 'held')
    OR (a.state = 'planned' AND a.due_at <= :until)
ORDER BY a.id

-- name: lose_attempt
-- Another copy may have sent an attempt between two instants.
UPDATE attempts SET lost_since = MIN(COALESCE(lost_since, :since), :since), lost_until = :until, lost_asked = :asked
WHERE id = :id

-- name: lose_contact
-- Another copy may have gone on with a person between two instants.
UPDATE contacts SET lost_since = MIN(COALESCE(lost_since, :since), :since), lost_until = :until WHERE id = :id

-- name: ask_at
-- An attempt is asked about at an instant; empty look-ups of before prove nothing any more.
UPDATE attempts SET poll_at = :at, polls = CASE state WHEN 'in_doubt' THEN 0 ELSE polls END
WHERE id = :id AND state IN ('accepted', 'in_doubt')

-- name: end_lease
-- Whoever held the state that was copied holds nothing here.
UPDATE lease SET epoch = epoch + 1, until = 0 WHERE id = 1

-- name: policies_in_force
-- The rules of every applied campaign.
SELECT c.id, r.policy FROM campaigns c JOIN revisions r ON r.id = c.revision_id
