-- What `outreach why` reads of one person. A line `-- name: x` opens a statement.

-- name: put_places
-- Where the rules of a revision stand in its files.
UPDATE revisions SET places = :places WHERE id = :revision_id

-- name: phones_of
-- The numbers of everybody who has this number or is called by this key, in any campaign.
SELECT phone FROM contacts WHERE phone = :wanted
UNION SELECT phone FROM contacts WHERE key = :wanted
UNION SELECT phone FROM attempts WHERE phone = :wanted
UNION SELECT phone FROM suppressions WHERE phone = :wanted

-- name: phone_by_attempt_key
-- The number of the person of an attempt that a provider calls by this key.
SELECT phone FROM attempts WHERE key = :key AND phone <> ''

-- name: phones_by_log_id
-- The number of the person of an attempt that logs call so; works the id of every attempt out.
SELECT DISTINCT phone FROM attempts WHERE phone <> '' AND log_id(key) = :log_id ORDER BY phone

-- name: phones_by_pseudonym
-- The numbers of everybody whose pseudonym begins so.
SELECT phone FROM (
    SELECT phone FROM contacts UNION SELECT phone FROM attempts UNION SELECT phone FROM suppressions
) WHERE phone <> '' AND substr(pseudonym(phone), 1, 8) = :pseudonym ORDER BY phone

-- name: stories_of
-- A person in every campaign, with the revision in force, in the order of the campaigns' first apply.
SELECT c.name, c.state AS campaign_state, c.reason AS campaign_reason, k.id, k.key, k.phone, k.row,
    k.state, k.reason, k.zones, k.zone_source, k.jurisdictions, k.cells, r.id AS revision_id, r.digest, r.policy,
    r.places, r.git_commit, r.applied_by, r.applied_at, r.tool_version, r.tzdata
FROM contacts k JOIN campaigns c ON c.id = k.campaign_id JOIN revisions r ON r.id = c.revision_id
WHERE k.phone = :phone OR k.id IN (SELECT contact_id FROM attempts WHERE phone = :phone)
ORDER BY c.id, k.id

-- name: attempts_of_contact
-- Every attempt on a contact, oldest first.
SELECT id, log_id(key) AS log_id, reason, outcome, tag, ended_at FROM attempts WHERE contact_id = :contact_id ORDER BY id

-- name: events_of_attempts
-- All that happened to attempts, oldest first; `:ids` is a JSON list.
SELECT attempt_id, at, kind, detail FROM events WHERE attempt_id IN (SELECT value FROM json_each(:ids)) ORDER BY id

-- name: events_of_contact
-- What happened to a contact itself, oldest first.
SELECT at, kind, detail FROM events
WHERE attempt_id IS NULL AND kind IN ('held', 'called_off') AND json_extract(detail, '$.contact') = :contact_id
ORDER BY id

-- name: lifted_of
-- What stood on the list for a number and was taken from it, oldest first.
SELECT phone, reason, source, at, until FROM lifted_suppressions WHERE phone = :phone ORDER BY id
