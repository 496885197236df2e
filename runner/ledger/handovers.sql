-- The statements of native delivery and of calling off. A line `-- name: x` opens one; the comment below says what it promises.

-- name: first_due_of_step
-- Whose attempt of a step is due first, by which account and agent, in which zones; nobody who has a live attempt.
SELECT a.account, p.agent_id, k.zones FROM attempts a JOIN contacts k ON k.id = a.contact_id
JOIN payloads p ON p.contact_id = a.contact_id AND p.step = a.step
WHERE a.state = 'planned' AND a.due_at <= :due_by AND a.step = :step
    AND a.campaign_id = (SELECT id FROM campaigns WHERE name = :name)
    AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.phone = a.phone
                    AND l.state IN ('claimed', 'sending', 'accepted', 'in_doubt'))
ORDER BY a.due_at, a.id LIMIT 1

-- name: zones_of_step
-- In how many different zones those are whose attempt of a step is due.
SELECT COUNT(DISTINCT k.zones) AS count FROM attempts a JOIN contacts k ON k.id = a.contact_id
WHERE a.state = 'planned' AND a.due_at <= :due_by AND a.step = :step
    AND a.campaign_id = (SELECT id FROM campaigns WHERE name = :name)

-- name: due_of_step
-- Planned attempts of one step that are due, oldest first, nobody twice and nobody with a live attempt.
-- With `:zones` only those of exactly these zones.
SELECT a.id FROM attempts a JOIN contacts k ON k.id = a.contact_id
JOIN payloads p ON p.contact_id = a.contact_id AND p.step = a.step
WHERE a.state = 'planned' AND a.due_at <= :due_by AND a.step = :step AND a.account = :account
    AND p.agent_id = :agent_id AND (:zones IS NULL OR k.zones = :zones)
    AND a.campaign_id = (SELECT id FROM campaigns WHERE name = :name)
    AND NOT EXISTS (SELECT 1 FROM attempts l WHERE l.phone = a.phone
                    AND l.state IN ('claimed', 'sending', 'accepted', 'in_doubt'))
GROUP BY a.phone HAVING a.due_at = MIN(a.due_at) ORDER BY a.due_at, a.id LIMIT :count

-- name: add_handover
-- A handover that is about to be sent; the unique key lets it exist once.
INSERT INTO handovers (key, campaign_id, step, account, agent_id, name, state, people, concurrency, sent_at, changed_at)
VALUES (:key, (SELECT id FROM campaigns WHERE name = :campaign), :step, :account, :agent_id, :name, 'sending', :people,
    :concurrency, :at, :at)

-- name: join_handover
-- Attempts become part of a handover; `:ids` is a JSON list.
UPDATE attempts SET handover_id = :handover_id, calls = NULL WHERE id IN (SELECT value FROM json_each(:ids))

-- name: leave_handover
-- Attempts that went back in line are free for another handover.
UPDATE attempts SET handover_id = NULL, calls = NULL WHERE handover_id = :handover_id AND state = 'planned'

-- name: handover_count
-- How many handovers a step of a campaign has had.
SELECT COUNT(*) AS count FROM handovers h JOIN campaigns c ON c.id = h.campaign_id
WHERE c.name = :name AND h.step = :step

-- name: handover_by_id
-- One handover with the state of its campaign.
SELECT h.*, c.name AS campaign, c.state AS campaign_state FROM handovers h JOIN campaigns c ON c.id = h.campaign_id
WHERE h.id = :id

-- name: handovers_unfinished
-- Every handover that the provider may still be working on, oldest first.
SELECT h.*, c.name AS campaign, c.state AS campaign_state FROM handovers h JOIN campaigns c ON c.id = h.campaign_id
WHERE h.state IN ('sending', 'created', 'accepted', 'in_doubt') ORDER BY h.id

-- name: move_handover
-- One allowed change of a handover; changes nothing when it is no longer where it was.
UPDATE handovers SET state = :new, native_id = COALESCE(:native_id, native_id), poll_at = :poll_at, polls = :polls,
    tries = :tries, reason = CASE WHEN :reason = '' THEN reason ELSE :reason END
WHERE id = :id AND state = :old

-- name: telling_handover
-- An order is about to leave.
UPDATE handovers SET telling = :telling WHERE id = :id

-- name: tell_handover
-- What the provider was told and took, or refused; either is looked after again at `:poll_at`.
UPDATE handovers SET told = :told, telling = '', refused = :refused, poll_at = :poll_at, polls = 0, tries = 0,
    reason = CASE WHEN :reason = '' THEN reason ELSE :reason END
WHERE id = :id

-- name: people_of_handover
-- Everybody in a handover.
SELECT a.id, a.phone, a.state, COALESCE(a.calls, 0) AS calls, k.state AS contact_state
FROM attempts a JOIN contacts k ON k.id = a.contact_id WHERE a.handover_id = :handover_id ORDER BY a.due_at, a.id

-- name: set_calls
-- How often the provider dialled for an attempt.
UPDATE attempts SET calls = :calls WHERE id = :id AND COALESCE(calls, -1) <> :calls

-- name: place_handed
-- Where a contact stands whose attempt the provider still works on.
UPDATE contacts SET state = :state WHERE id = (SELECT contact_id FROM attempts WHERE id = :id
    AND state IN ('sending', 'accepted', 'in_doubt')) AND state IN ('pending', 'calling', 'retry') AND state <> :state

-- name: handover_changed
-- The provider told something new.
UPDATE handovers SET changed_at = :at WHERE id = :id

-- name: remark
-- Adds a sentence to why a campaign stands where it does; the same sentence once.
UPDATE campaigns SET reason = CASE WHEN reason = '' THEN :text ELSE reason || '; ' || :text END
WHERE name = :name AND state <> 'active' AND instr(reason, :text) = 0

-- name: attempts_to_call_off
-- Accepted attempts of cancelled campaigns, and of people who asked since then not to be contacted, anywhere but in
-- this very call, that the provider was not yet asked to call off.
SELECT a.id FROM attempts a INDEXED BY one_live_attempt JOIN campaigns c ON c.id = a.campaign_id
WHERE a.state = 'accepted' AND a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')
    AND a.handover_id IS NULL AND a.call_off_at IS NULL
    AND (c.state = 'cancelled' OR EXISTS (SELECT 1 FROM suppressions s WHERE s.phone = a.phone AND s.until IS NULL
                                          AND s.at >= a.sent_at AND s.source <> 'attempt ' || a.key))
ORDER BY a.id LIMIT :count

-- name: called_off
-- The provider was asked to call an attempt off.
UPDATE attempts SET call_off_at = :at WHERE id = :id

-- name: campaign_standing
-- The state of a campaign and why.
SELECT id, state, reason FROM campaigns WHERE name = :name

-- name: stop_campaign
-- Pauses a campaign by hand, also one that a fault had paused: then no later run resumes it by itself.
UPDATE campaigns SET state = 'paused', reason = :reason WHERE name = :name AND state IN ('active', 'paused')

-- name: cancel_campaign
-- Cancels a campaign and says why.
UPDATE campaigns SET state = 'cancelled', reason = :reason WHERE name = :name AND state <> 'cancelled'

-- name: note_cancelled
-- Writes an event for every attempt of a campaign that is about to be called off.
INSERT INTO events (at, attempt_id, kind, detail, salt)
SELECT :at, id, 'cancelled', :detail, randomblob(16) FROM attempts WHERE campaign_id = :campaign_id AND state = 'planned'

-- name: waiting_contacts
-- Whoever has an attempt in a campaign that was not sent yet.
SELECT DISTINCT contact_id FROM attempts WHERE campaign_id = :campaign_id AND state = 'planned'

-- name: cancel_attempts
-- Calls off everything of a campaign, or of one contact, that was not sent yet.
UPDATE attempts SET state = 'cancelled', reason = :reason, ended_at = :at, lease_until = NULL
WHERE campaign_id = :campaign_id AND state = 'planned' AND (:contact_id IS NULL OR contact_id = :contact_id)

-- name: calls_by_phone
-- How often providers dialled by themselves, for the people who were handed over.
SELECT phone, SUM(COALESCE(calls, 0)) AS calls FROM attempts WHERE handover_id IS NOT NULL GROUP BY phone

-- name: has_handovers
-- Whether the ledger has a table of handovers; one that was opened for reading alone may be older.
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'handovers'

-- name: open_handovers
-- Handovers in which somebody still waits for an outcome, oldest first.
SELECT h.id, c.name AS campaign, h.step, h.account, h.state, h.name, h.native_id, h.people, h.told, h.reason, h.sent_at,
    COUNT(a.id) AS waiting
FROM handovers h JOIN campaigns c ON c.id = h.campaign_id JOIN attempts a ON a.handover_id = h.id
WHERE h.state IN ('sending', 'created', 'accepted', 'in_doubt', 'held')
    AND a.state IN ('sending', 'accepted', 'in_doubt', 'held')
GROUP BY h.id ORDER BY h.id

-- name: held_people
-- Whoever is held in a handover; whether nothing else is under way to them, and whether anything was before.
SELECT a.id,
    NOT EXISTS (SELECT 1 FROM attempts l WHERE l.phone = a.phone
                AND l.state IN ('claimed', 'sending', 'accepted', 'in_doubt')) AS is_free,
    EXISTS (SELECT 1 FROM attempts f WHERE f.contact_id = a.contact_id AND f.state = 'finished') AS has_begun
FROM attempts a WHERE a.handover_id = :handover_id AND a.state = 'held' ORDER BY a.id

-- name: same_native_campaign
-- Another handover of the account that became this very campaign of the provider's, with or without what stands behind an `@`.
SELECT id FROM handovers WHERE account = :account AND id <> :id AND state <> 'held'
    AND (native_id = :native_id OR substr(native_id, 1, length(:native_id) + 1) = :native_id || '@')

-- name: handed_person
-- The newest attempt to a person who was handed over through an account, in this campaign of the provider's if one is
-- named and the handover's own is known. Whoever still waits comes first.
SELECT a.id, a.handover_id, COALESCE(a.calls, 0) AS calls FROM attempts a JOIN handovers h ON h.id = a.handover_id
WHERE a.phone = :phone AND h.account = :account
    AND (:native_id = '' OR h.native_id IS NULL OR h.native_id = :native_id)
ORDER BY a.state IN ('sending', 'accepted', 'in_doubt', 'held') DESC, a.id DESC LIMIT 1

-- name: hurry_handover
-- A provider's campaign is looked at sooner; never later than it would have been.
UPDATE handovers SET poll_at = :at WHERE id = :id AND state = 'accepted' AND poll_at > :at

-- name: hint
-- An unproven word about an attempt counts as one of the few that are heard.
UPDATE attempts SET hints = hints + 1 WHERE id = :id AND hints < :most

-- name: unname_handover
-- Nobody knows any more which campaign of the provider's a handover became.
UPDATE handovers SET native_id = NULL WHERE id = :id

-- name: heard_of
-- A proven webhook names a campaign of the provider's that a held handover may have become.
UPDATE handovers SET native_id = :native_id WHERE id = :id AND state = 'held' AND native_id IS NULL
