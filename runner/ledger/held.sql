-- Contacts that are held before anything was planned for them, and what says where a person's clock stands.

-- name: hold_contact
-- Holds a contact for whom nothing was sent and says why; changes nothing when it is held for that already.
UPDATE contacts SET state = 'held', reason = :reason
WHERE id = :contact_id AND NOT (state = 'held' AND reason = :reason)
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state <> 'superseded')

-- name: release_contact
-- Lets a contact go that was held before anything was sent.
UPDATE contacts SET state = 'pending', reason = ''
WHERE id = :contact_id AND state = 'held'
    AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = contacts.id AND a.state <> 'superseded')

-- name: has_held_reasons
-- Whether the ledger knows why contacts are held; one that is only read may be older.
SELECT 1 FROM pragma_table_info('contacts') WHERE name = 'reason'

-- name: held_reasons
-- Why contacts of a campaign are held for whom nothing was sent.
SELECT k.key, k.reason FROM contacts k JOIN campaigns c ON c.id = k.campaign_id
WHERE c.name = :name AND k.state = 'held' AND k.reason <> ''

-- name: zone_evidence
-- The zones that a plan took for the person of an attempt, and from where.
SELECT k.zones, k.zone_source FROM attempts a JOIN contacts k ON k.id = a.contact_id WHERE a.id = :id
