-- Native delivery: many attempts in one campaign of the provider's own.

CREATE TABLE handovers (
    id          INTEGER PRIMARY KEY,
    key         TEXT NOT NULL UNIQUE,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    step        TEXT NOT NULL,
    account     TEXT NOT NULL,
    agent_id    TEXT NOT NULL,
    name        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN
        ('sending', 'created', 'accepted', 'finished', 'in_doubt', 'absent', 'held', 'rejected')),
    native_id   TEXT,
    people      INTEGER NOT NULL,
    concurrency INTEGER NOT NULL,
    told        TEXT NOT NULL DEFAULT 'running' CHECK (told IN ('running', 'paused', 'cancelled')),
    refused     TEXT NOT NULL DEFAULT '' CHECK (refused IN ('', 'running', 'paused', 'cancelled')),
    sent_at     INTEGER NOT NULL,
    changed_at  INTEGER NOT NULL,
    poll_at     INTEGER,
    polls       INTEGER NOT NULL DEFAULT 0,
    tries       INTEGER NOT NULL DEFAULT 0,
    reason      TEXT NOT NULL DEFAULT ''
);
CREATE INDEX handovers_open ON handovers (campaign_id) WHERE state IN ('sending', 'created', 'accepted', 'in_doubt');

ALTER TABLE attempts ADD COLUMN handover_id INTEGER REFERENCES handovers (id);
ALTER TABLE attempts ADD COLUMN calls INTEGER;
ALTER TABLE attempts ADD COLUMN call_off_at INTEGER;
CREATE INDEX attempts_by_handover ON attempts (handover_id) WHERE handover_id IS NOT NULL;
