-- Variants and backups. A line `-- name: x` opens a statement.

-- name: any_backup
-- Whether any step has a backup; without one nothing has to be dropped.
SELECT 1 FROM backups LIMIT 1

-- name: drop_backups
-- Forgets the backups of a step for one contact; a new plan writes its own.
DELETE FROM backups WHERE contact_id = :contact_id AND step = :step

-- name: put_backup
-- What a step sends to one contact through one of its backups.
INSERT INTO backups (contact_id, step, rank, account, provider, agent_id, method, path, body, lane_id)
VALUES (:contact_id, :step, :rank, :account, :provider, :agent_id, :method, :path, :body, :lane_id)

-- name: backups_of_due
-- The backups of a lane's attempts that are due, the oldest attempt and the first backup first; what waits for one backup
-- may go to another one. What once was in doubt is left out.
SELECT a.id, b.rank, b.account, b.lane_id
FROM (SELECT d.id, d.contact_id, d.step, d.due_at FROM attempts d INDEXED BY attempts_due_by_lane
      WHERE d.lane_id = :lane_id AND d.state = 'planned' AND d.due_at <= :now AND d.doubted_at IS NULL
          AND EXISTS (SELECT 1 FROM backups f WHERE f.contact_id = d.contact_id AND f.step = d.step)
      ORDER BY d.due_at, d.id LIMIT :count) a
JOIN backups b ON b.contact_id = a.contact_id AND b.step = a.step ORDER BY a.due_at, a.id, b.rank

-- name: take_over
-- A backup takes over a planned attempt that never was in doubt.
UPDATE attempts SET backup = :rank, account = :account, lane_id = :lane_id
WHERE id = :id AND state = 'planned' AND doubted_at IS NULL

-- name: accounts_taken_over
-- The accounts of the steps' own agents whose planned attempts backups have taken over.
SELECT DISTINCT p.account FROM attempts a INDEXED BY attempts_taken_over
JOIN payloads p ON p.contact_id = a.contact_id AND p.step = a.step
WHERE a.state = 'planned' AND a.backup > 0 AND a.doubted_at IS NULL

-- name: give_back
-- Gives planned attempts back to their step's own agent, oldest first.
UPDATE attempts SET backup = 0, account = p.account, lane_id = p.lane_id
FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step = attempts.step AND attempts.id IN (
    SELECT a.id FROM attempts a INDEXED BY attempts_taken_over
    JOIN payloads o ON o.contact_id = a.contact_id AND o.step = a.step
    WHERE a.state = 'planned' AND a.backup > 0 AND a.doubted_at IS NULL AND o.account = :account
    ORDER BY a.due_at, a.id LIMIT :count)

-- name: give_back_one
-- An attempt that goes back in line is its step's own agent's again, unless it once was in doubt: what may have been
-- placed through one account never leaves through another one.
UPDATE attempts SET backup = 0, account = p.account, lane_id = p.lane_id
FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step = attempts.step AND attempts.id = :id
    AND attempts.state = 'planned' AND attempts.backup > 0
    AND (attempts.doubted_at IS NULL OR NOT EXISTS (
        SELECT 1 FROM backups b WHERE b.contact_id = attempts.contact_id AND b.step = attempts.step
            AND b.rank = attempts.backup AND b.account = attempts.account))

-- name: has_variants
-- Whether the ledger knows of variants; one that is only read may be older.
SELECT 1 FROM pragma_table_info('contacts') WHERE name = 'variant'

-- name: variant_contacts
-- How many people of a campaign have which variant; those who left the plan before anything was sent do not count.
SELECT k.variant, COUNT(*) AS count FROM contacts k WHERE k.campaign_id = :campaign_id
    AND (k.state <> 'removed' OR EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = k.id AND a.state = 'finished'))
GROUP BY k.variant

-- name: variant_tries
-- Every finished attempt of a campaign with its person's variant and row, one person after the other, oldest first.
SELECT k.id AS contact_id, k.variant, k.cells, a.step, a.outcome, a.tag
FROM attempts a JOIN contacts k ON k.id = a.contact_id
WHERE a.campaign_id = :campaign_id AND a.state = 'finished' AND a.sent_at IS NOT NULL ORDER BY a.contact_id, a.id
