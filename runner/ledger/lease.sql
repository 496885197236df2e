-- Who runs on the ledger: one row, whose epoch only grows. And what a runner looks at before it begins.

-- name: lease
-- The lease as it stands.
SELECT epoch, host, boot, pid, began, version, since, renewed, until FROM lease WHERE id = 1

-- name: take_lease
-- Take the ledger over from the runner of an epoch.
UPDATE lease
SET epoch = epoch + 1, host = :host, boot = :boot, pid = :pid, began = :began, version = :version,
    since = :now, renewed = :now, until = :until
WHERE id = 1 AND epoch = :epoch

-- name: renew_lease
-- Hold the ledger for longer.
UPDATE lease SET renewed = :now, until = :until WHERE id = 1 AND epoch = :epoch

-- name: release_lease
-- Give the ledger back before its lease ends.
UPDATE lease SET until = 0 WHERE id = 1 AND epoch = :epoch

-- name: newest_instant
-- The newest of the last events; the last one is not always the newest, since clocks are set back.
SELECT MAX(at) AS at FROM (SELECT at FROM events ORDER BY id DESC LIMIT 200)

-- name: waiting_letters
-- Webhooks that wait for the call that they name, or for a proof.
SELECT COUNT(DISTINCT inbox_id) AS count FROM quarantine
