-- Every statement of the ledger. A line `-- name: x` opens one; the comment below it says what it promises.

-- name: campaign_id
-- The id of a campaign.
SELECT id FROM campaigns WHERE name = :name

-- name: add_campaign
-- A campaign that was never applied before; does nothing when it is there.
INSERT INTO campaigns (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: campaign_in_force
-- The revision in force of one campaign.
SELECT c.id, c.state, c.reason, r.id AS revision_id, r.digest, r.policy, r.accounts, r.complete
FROM campaigns c JOIN revisions r ON r.id = c.revision_id WHERE c.name = :name

-- name: campaigns_in_force
-- Every applied campaign with its revision in force, in the order of their first apply.
SELECT c.id, c.name, c.state, c.reason, r.id AS revision_id, r.digest, r.policy, r.accounts, r.complete
FROM campaigns c JOIN revisions r ON r.id = c.revision_id ORDER BY c.id

-- name: begun_revision
-- The revision in force when it is this very one and a crash kept it from being written to its end.
SELECT r.id FROM revisions r JOIN campaigns c ON c.revision_id = r.id
WHERE c.id = :campaign_id AND r.digest = :digest AND r.policy = :policy AND r.accounts = :accounts AND NOT r.complete

-- name: add_revision
-- A revision, not complete yet.
INSERT INTO revisions (campaign_id, digest, policy, accounts, git_commit, applied_by, applied_at, tool_version, tzdata)
VALUES (:campaign_id, :digest, :policy, :accounts, :git_commit, :applied_by, :applied_at, :tool_version, :tzdata)

-- name: put_in_force
-- Points a campaign at a revision; one that was cancelled stays so until the revision is complete.
UPDATE campaigns SET revision_id = :revision_id,
    purpose = COALESCE((SELECT json_extract(r.policy, '$.purpose') FROM revisions r WHERE r.id = :revision_id), '')
WHERE id = :campaign_id

-- name: is_in_force
-- Whether a campaign points at a revision that is complete, or is not.
SELECT 1 FROM campaigns c JOIN revisions r ON r.id = c.revision_id
WHERE c.name = :name AND r.id = :revision_id AND r.complete = :complete

-- name: revive_campaign
-- A cancelled campaign comes back to life.
UPDATE campaigns SET state = 'active', reason = '' WHERE name = :name AND state = 'cancelled'

-- name: complete_revision
-- All chunks of the revision are written, and it is in force.
UPDATE revisions SET complete = 1, completed_at = :at WHERE id = :revision_id

-- name: pause_campaign
-- Pauses a campaign and says why.
UPDATE campaigns SET state = 'paused', reason = :reason WHERE name = :name AND state = 'active'

-- name: resume_campaign
-- Ends a pause; doubts from before it count no more.
UPDATE campaigns SET state = 'active', reason = '', resumed_at = :at WHERE name = :name AND state = 'paused'

-- name: add_contact
-- A contact, as the plan has it; an existing one (an edited row) takes the new facts.
INSERT INTO contacts (campaign_id, key, phone, row, zones, zone_source, jurisdictions, cells, variant, state)
VALUES (:campaign_id, :key, :phone, :row, :zones, :zone_source, :jurisdictions, :cells, :variant, 'pending')
ON CONFLICT (campaign_id, key) DO UPDATE SET
    phone = excluded.phone, row = excluded.row, zones = excluded.zones, zone_source = excluded.zone_source,
    jurisdictions = excluded.jurisdictions, cells = excluded.cells, variant = excluded.variant
RETURNING id

-- name: put_payload
-- What one step sends to one contact. A step that leaves the campaign keeps its own: attempts under way need it.
INSERT INTO payloads
    (contact_id, step_index, step, account, provider, agent_id, method, path, body, fingerprint, lane_id)
VALUES (:contact_id, :step_index, :step, :account, :provider, :agent_id, :method, :path, :body, :fingerprint, :lane_id)
ON CONFLICT (contact_id, step) DO UPDATE SET
    step_index = excluded.step_index, account = excluded.account, provider = excluded.provider, agent_id = excluded.agent_id,
    method = excluded.method, path = excluded.path, body = excluded.body, fingerprint = excluded.fingerprint, lane_id = excluded.lane_id

-- name: add_attempt
-- A planned attempt; the unique key lets it exist once, however often it is applied. What another copy of the ledger may
-- have done with the person, it may have done with what follows too.
INSERT INTO attempts (key, campaign_id, contact_id, phone, step, number, channel, account, state, due_at, step_due_at,
    is_callback, lane_id, lost_since, lost_until)
VALUES (:key, :campaign_id, :contact_id, :phone, :step, :number, :channel, :account, 'planned', :due_at, :step_due_at,
    :is_callback, (SELECT p.lane_id FROM payloads p WHERE p.contact_id = :contact_id AND p.step = :step),
    (SELECT k.lost_since FROM contacts k WHERE k.id = :contact_id), (SELECT k.lost_until FROM contacts k WHERE k.id = :contact_id))
ON CONFLICT (key) DO NOTHING

-- name: add_first_attempt
-- The attempt that opens a contact's sequence; only for somebody to whom nothing was sent, whatever the steps were called.
INSERT INTO attempts (key, campaign_id, contact_id, phone, step, number, channel, account, state, due_at, step_due_at,
    lane_id)
SELECT :key, :campaign_id, :contact_id, :phone, :step, 1, :channel, :account, 'planned', :due_at, :due_at,
    (SELECT p.lane_id FROM payloads p WHERE p.contact_id = :contact_id AND p.step = :step)
WHERE NOT EXISTS (SELECT 1 FROM attempts WHERE contact_id = :contact_id AND state <> 'superseded')
ON CONFLICT (key) DO NOTHING

-- name: revive_attempt
-- A contact that had left the plan has come back: what was called off last is planned again, if its step still exists.
UPDATE attempts SET state = 'planned', due_at = :due_at, step_due_at = :due_at, ended_at = NULL, reason = ''
WHERE id = (SELECT MAX(s.id) FROM attempts s WHERE s.contact_id = :contact_id AND s.state = 'superseded'
            AND s.step IN (SELECT value FROM json_each(:steps)))
    AND NOT EXISTS (SELECT 1 FROM attempts n WHERE n.contact_id = :contact_id AND n.state <> 'superseded'
                    AND (n.id > attempts.id OR n.state <> 'finished'))

-- name: readdress_attempts
-- What is planned for a contact follows the new plan: its number, and the account and lane of each step.
-- One that once was in doubt stays with the backup that it went through, as long as there is that one.
UPDATE attempts SET phone = :phone,
    account = COALESCE(kept.account, (SELECT p.account FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step = attempts.step), attempts.account),
    lane_id = COALESCE(kept.lane_id, (SELECT p.lane_id FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step = attempts.step), attempts.lane_id),
    backup = COALESCE(kept.rank, 0)
FROM (SELECT a.id, b.account, b.lane_id, b.rank FROM attempts a LEFT JOIN backups b ON b.contact_id = a.contact_id
          AND b.step = a.step AND b.rank = a.backup AND b.account = a.account AND a.doubted_at IS NOT NULL
      WHERE a.contact_id = :contact_id AND a.state = 'planned') kept
WHERE attempts.id = kept.id

-- name: reschedule_attempt
-- The first attempt of a contact, still planned, gets its first allowed instant from the new plan.
UPDATE attempts SET due_at = :due_at, step_due_at = :due_at WHERE key = :key AND state = 'planned'

-- name: supersede_contact
-- Calls off what is planned for a contact that is no longer in the plan.
UPDATE attempts SET state = 'superseded', reason = :reason, ended_at = :at, lease_until = NULL
WHERE contact_id = :contact_id AND state = 'planned'

-- name: supersede_steps
-- Calls off what is planned for a contact by steps that are no longer in the campaign.
UPDATE attempts SET state = 'superseded', reason = :reason, ended_at = :at, lease_until = NULL
WHERE contact_id = :contact_id AND state = 'planned' AND step NOT IN (SELECT value FROM json_each(:steps))

-- name: place_contact
-- Where a contact that is in the plan stands, when nobody else will say so: with nothing left to do its sequence is over.
UPDATE contacts SET state = CASE
    WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id
                 AND a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')) THEN 'calling'
    WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state = 'held') THEN 'held'
    WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state = 'planned')
        THEN CASE WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state = 'finished')
                  THEN 'retry' ELSE 'pending' END
    WHEN EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state = 'finished'
                 AND a.outcome IN (SELECT value FROM json_each(:reached))) THEN 'completed'
    ELSE 'failed' END
WHERE id = :contact_id AND state IN ('pending', 'calling', 'retry', 'removed', 'suppressed')

-- name: contact_of
-- A contact by campaign and key.
SELECT id, phone, state, zones FROM contacts WHERE campaign_id = :campaign_id AND key = :key

-- name: call_off_contact
-- A contact leaves the plan; one whose sequence is over stays as it is. Changes nothing when it has left before.
-- One with a held attempt leaves, too: a late webhook must not have the next try planned.
UPDATE contacts SET state = :state WHERE id = :contact_id AND state IN ('pending', 'calling', 'retry', 'held')

-- name: set_contact_state
-- Where a contact stands now; one that has left the plan while its attempt was under way stays out of it.
UPDATE contacts SET state = :state
WHERE id = :contact_id AND state NOT IN ('removed', 'suppressed')

-- name: known_contacts
-- Everything that a plan must know of a campaign's contacts.
SELECT id, key, phone, state, zones, jurisdictions, variant FROM contacts WHERE campaign_id = :campaign_id ORDER BY id

-- name: known_payloads
-- The fingerprints of a campaign's payloads.
SELECT p.contact_id, p.step, p.fingerprint FROM payloads p JOIN contacts c ON c.id = p.contact_id
WHERE c.campaign_id = :campaign_id

-- name: known_attempts
-- The states of a campaign's attempts, newest last.
SELECT contact_id, step, state FROM attempts WHERE campaign_id = :campaign_id ORDER BY id

-- name: accounts_due
-- The accounts through which planned calls of running campaigns are due.
SELECT DISTINCT a.account FROM attempts a WHERE a.state = 'planned' AND a.due_at <= :now AND a.channel = 'call'
    AND a.campaign_id IN (SELECT c.id FROM campaigns c JOIN revisions r ON r.id = c.revision_id
                          WHERE c.state = 'active' AND r.complete)

-- name: claim
-- Takes one attempt by a lease.
UPDATE OR IGNORE attempts SET state = 'claimed', lease_until = :lease_until WHERE id = :id AND state = 'planned'

-- name: attempts_by_id
-- Attempts as the engine sees them; `:ids` is a JSON list.
SELECT a.id, a.key, c.name AS campaign, a.contact_id, k.key AS contact_key, a.phone, k.zones, k.zone_source, k.jurisdictions, a.step, a.number,
    a.channel, COALESCE(b.provider, p.provider) AS provider, a.account, a.state, a.due_at, COALESCE(a.step_due_at, a.due_at) AS step_due_at, a.is_callback,
    a.transport_tries, a.provider_id, a.sent_at, a.poll_at, a.lost_since, a.lost_until, a.lost_asked,
    a.polls, COALESCE(b.agent_id, p.agent_id) AS agent_id, COALESCE(b.method, p.method) AS method,
    COALESCE(b.path, p.path) AS path, COALESCE(b.body, p.body) AS body, COALESCE(l.agent, '') AS agent, k.variant, k.cells, COALESCE(g.reason, s.reason) AS suppression,
    CASE WHEN g.pseudonym IS NULL THEN s.until END AS suppressed_until,
    c.state = 'active' AND r.complete AS is_active, k.state IN ('removed', 'suppressed') AS has_left
FROM attempts a
JOIN campaigns c ON c.id = a.campaign_id
JOIN revisions r ON r.id = c.revision_id
JOIN contacts k ON k.id = a.contact_id
JOIN payloads p ON p.contact_id = a.contact_id AND p.step = a.step
LEFT JOIN backups b ON b.contact_id = a.contact_id AND b.step = a.step AND b.rank = a.backup AND b.account = a.account
LEFT JOIN lanes l ON l.id = a.lane_id
LEFT JOIN suppressions s ON s.phone = a.phone
LEFT JOIN erased g ON g.pseudonym = CASE WHEN EXISTS (SELECT 1 FROM erased) THEN pseudonym(a.phone) END
WHERE a.id IN (SELECT value FROM json_each(:ids)) ORDER BY a.due_at, a.id

-- name: attempts_to_ask
-- Accepted attempts and attempts in doubt whose time to be asked for has come.
SELECT id FROM attempts WHERE state IN ('accepted', 'in_doubt') AND poll_at <= :now ORDER BY poll_at LIMIT :count

-- name: attempt_by_provider_id
-- The attempt that a provider's id belongs to.
SELECT id FROM attempts WHERE account = :account AND provider_id = :provider_id

-- name: attempt_by_key
-- The attempt of a key.
SELECT id FROM attempts WHERE key = :key

-- name: attempts_in_state
-- All attempts in one state, for recovery at start; those that were handed over are put right with their handover.
SELECT id FROM attempts WHERE state = :state AND handover_id IS NULL ORDER BY id

-- name: move
-- One allowed state change; changes nothing when the attempt is no longer where it was. What else changes is put in.
UPDATE attempts SET state = :new, lease_until = :lease_until, poll_at = :poll_at, polls = :polls, reason = :reason
    /* also */
WHERE id = :id AND state = :old

-- name: contact_of_attempt
-- Whose attempt it is, whether that contact has left the plan, and whether the campaign was cancelled.
SELECT a.contact_id, a.campaign_id, k.phone, a.account, k.state IN ('removed', 'suppressed') AS is_gone,
    c.state = 'cancelled' AS is_cancelled
FROM attempts a JOIN contacts k ON k.id = a.contact_id JOIN campaigns c ON c.id = a.campaign_id WHERE a.id = :id

-- name: account_of_step
-- Which account a contact's step is sent through.
SELECT account FROM payloads WHERE contact_id = :contact_id AND step = :step

-- name: add_event
-- What happened to an attempt; never changed afterwards.
INSERT INTO events (at, attempt_id, kind, detail, salt) VALUES (:at, :attempt_id, :kind, :detail, randomblob(16))

-- name: history
-- A contact's finished tries, newest last, and how often the provider dialled for each.
SELECT a.step, a.number, a.channel, a.outcome, a.tag, a.sent_at, a.is_callback, MAX(1, COALESCE(r.calls, 1)) AS calls
FROM attempts a LEFT JOIN results r ON r.attempt_id = a.id
WHERE a.contact_id = :contact_id AND a.state = 'finished' ORDER BY a.id

-- name: next_due
-- The first instant after `:now` at which a planned attempt of a running campaign is due.
SELECT MIN(a.due_at) AS at FROM attempts a WHERE a.state = 'planned' AND a.due_at > :now
    AND a.campaign_id IN (SELECT c.id FROM campaigns c JOIN revisions r ON r.id = c.revision_id
                          WHERE c.state = 'active' AND r.complete
                              AND (:only IS NULL OR c.name IN (SELECT value FROM json_each(:only))))

-- name: next_ask
-- The first instant at which an outcome is asked for.
SELECT MIN(poll_at) AS at FROM attempts WHERE state IN ('accepted', 'in_doubt')

-- name: open_attempts
-- How many attempts still wait for something that the runner does, in campaigns that are neither paused nor half applied.
-- Whoever waits in a provider's campaign that is paused there waits for a person, not for the runner.
SELECT COUNT(*) AS count FROM attempts a JOIN campaigns c ON c.id = a.campaign_id
JOIN revisions r ON r.id = c.revision_id
WHERE (:only IS NULL OR c.name IN (SELECT value FROM json_each(:only)))
    AND ((a.state = 'planned' AND c.state = 'active' AND r.complete)
         OR (a.state IN ('claimed', 'sending', 'accepted', 'in_doubt')
             AND NOT EXISTS (SELECT 1 FROM handovers h, contacts k
                             WHERE h.id = a.handover_id AND k.id = a.contact_id AND k.state <> 'calling'
                                 AND c.state = 'paused' AND (h.told = 'paused' OR h.state = 'created'))))

-- name: row_stats
-- How many contacts of each campaign stand where.
SELECT c.name, k.state, COUNT(*) AS count FROM contacts k JOIN campaigns c ON c.id = k.campaign_id
GROUP BY c.name, k.state

-- name: outcome_counts
-- How the attempts of each campaign ended, by step.
SELECT c.name, a.step, a.channel, a.outcome, COUNT(*) AS count FROM attempts a
JOIN campaigns c ON c.id = a.campaign_id WHERE a.state = 'finished' GROUP BY c.name, a.step, a.channel, a.outcome
ORDER BY c.id, a.step, count DESC

-- name: tag_counts
-- The business results that the agents set.
SELECT c.name, a.tag, COUNT(*) AS count FROM attempts a JOIN campaigns c ON c.id = a.campaign_id
WHERE a.tag <> '' GROUP BY c.name, a.tag ORDER BY c.id, count DESC

-- name: request_counts
-- How many requests were sent for each campaign, and how many attempts there are.
SELECT c.name, COUNT(*) AS attempts, COUNT(a.sent_at) AS sent,
    COUNT(CASE WHEN a.provider_id IS NOT NULL THEN 1 END) AS placed,
    MIN(a.sent_at) AS first_sent, MAX(a.sent_at) AS last_sent, MIN(a.due_at) AS first_due
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id GROUP BY c.name

-- name: contact_rows
-- Every contact of a campaign with its attempts, for reports; attempts in the order they were made.
SELECT k.key, k.phone, k.row, k.state, a.key AS attempt_key, log_id(a.key) AS log_id, a.step, a.number, a.channel,
    a.state AS attempt_state, a.outcome, a.tag, a.reason, a.due_at, a.sent_at, a.ended_at, a.provider_id
FROM contacts k JOIN campaigns c ON c.id = k.campaign_id LEFT JOIN attempts a ON a.contact_id = k.id
WHERE c.name = :name AND k.state <> 'removed' ORDER BY k.id, a.id

-- name: put_in_inbox
-- A webhook as it came; the same one again changes nothing.
INSERT INTO inbox (account, digest, received_at, verified, body) VALUES (:account, :digest, :received_at, :verified, :body)
ON CONFLICT (account, digest) DO NOTHING

-- name: settle_inbox
-- What a webhook led to.
UPDATE inbox SET result = :result WHERE account = :account AND digest = :digest

-- name: ask_now
-- A hint came in: ask for the outcome at once. A doubt keeps its times: only late, empty look-ups prove anything.
-- So many hints are heard and no more, since anybody may send them.
UPDATE attempts SET poll_at = :now, hints = hints + 1 WHERE id = :id AND state = 'accepted' AND hints < :most

-- name: fact
-- A fact about the ledger itself.
SELECT value FROM facts WHERE name = :name

-- name: add_fact
-- Writes down a fact about the ledger; the first value stays.
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING

-- name: attempt_times
-- When an attempt was due and when its intent was written.
SELECT due_at, sent_at FROM attempts WHERE id = :id

-- name: sent_keys
-- The keys of all attempts whose request may have left.
SELECT key FROM attempts WHERE sent_at IS NOT NULL

-- name: pull_forward
-- Makes first tries that wait for a window due at `:at`; for the sandbox, where windows can be ignored.
UPDATE attempts SET due_at = :at WHERE state = 'planned' AND due_at > :at AND number = 1
    AND campaign_id = (SELECT id FROM campaigns WHERE name = :name)
    AND step = (SELECT p.step FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step_index = 0)

-- name: agents_of
-- The agents that a campaign defines, as they were last applied.
SELECT account, name, provider_id, definition, observed, applied_at FROM agents WHERE campaign = :campaign

-- name: agent_campaigns
-- The campaigns that have had agents of their own.
SELECT DISTINCT campaign FROM agents ORDER BY campaign

-- name: begin_agent
-- An intent to create an agent; does nothing when the row is not the one that was seen (`:seen`, null for none).
INSERT INTO agents (account, campaign, name, provider_id, definition, digest, applied_at)
VALUES (:account, :campaign, :name, '', :definition, :digest, :applied_at)
ON CONFLICT (account, campaign, name) DO UPDATE SET
    provider_id = '', definition = excluded.definition, observed = '{}', digest = excluded.digest,
    applied_at = excluded.applied_at
WHERE agents.applied_at = :seen

-- name: put_agent
-- What an agent was made; an intent to create it has no id yet.
INSERT INTO agents (account, campaign, name, provider_id, definition, observed, digest, applied_at)
VALUES (:account, :campaign, :name, :provider_id, :definition, :observed, :digest, :applied_at)
ON CONFLICT (account, campaign, name) DO UPDATE SET
    provider_id = excluded.provider_id, definition = excluded.definition, observed = excluded.observed,
    digest = excluded.digest, applied_at = excluded.applied_at

-- name: forget_agent
-- Takes back an intent whose request made nothing.
DELETE FROM agents WHERE account = :account AND campaign = :campaign AND name = :name AND provider_id = ''

-- name: forget_gone_agent
-- Forgets an agent that no file defines any more and that is gone at its provider.
DELETE FROM agents WHERE account = :account AND campaign = :campaign AND name = :name AND provider_id = :provider_id
