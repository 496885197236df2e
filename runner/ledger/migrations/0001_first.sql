-- The first schema. Instants are integers: microseconds since 1970-01-01 UTC.
-- Keys are integers in insertion order: random keys cost several times as much per row.

CREATE TABLE facts (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE campaigns (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE,
    revision_id INTEGER REFERENCES revisions (id),
    state       TEXT NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'cancelled')),
    reason      TEXT NOT NULL DEFAULT ''
);

CREATE TABLE revisions (
    id           INTEGER PRIMARY KEY,
    campaign_id  INTEGER NOT NULL REFERENCES campaigns (id),
    digest       TEXT NOT NULL,
    policy       TEXT NOT NULL,
    accounts     TEXT NOT NULL,
    git_commit   TEXT NOT NULL DEFAULT '',
    applied_by   TEXT NOT NULL DEFAULT '',
    applied_at   INTEGER NOT NULL,
    tool_version TEXT NOT NULL,
    tzdata       TEXT NOT NULL DEFAULT '',
    complete     INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE contacts (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    key         TEXT NOT NULL,
    phone       TEXT NOT NULL,
    row         INTEGER NOT NULL,
    zones       TEXT NOT NULL,
    zone_source TEXT NOT NULL,
    cells       TEXT NOT NULL,
    state       TEXT NOT NULL,
    UNIQUE (campaign_id, key)
);
CREATE INDEX contacts_by_phone ON contacts (phone);

CREATE TABLE payloads (
    contact_id  INTEGER NOT NULL REFERENCES contacts (id),
    step_index  INTEGER NOT NULL,
    step        TEXT NOT NULL,
    account     TEXT NOT NULL,
    provider    TEXT NOT NULL,
    agent_id    TEXT NOT NULL,
    method      TEXT NOT NULL,
    path        TEXT NOT NULL,
    body        TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    PRIMARY KEY (contact_id, step)
) WITHOUT ROWID;

CREATE TABLE attempts (
    id              INTEGER PRIMARY KEY,
    key             TEXT NOT NULL UNIQUE,
    campaign_id     INTEGER NOT NULL REFERENCES campaigns (id),
    contact_id      INTEGER NOT NULL REFERENCES contacts (id),
    phone           TEXT NOT NULL,
    step            TEXT NOT NULL,
    number          INTEGER NOT NULL,
    channel         TEXT NOT NULL,
    account         TEXT NOT NULL,
    state           TEXT NOT NULL,
    due_at          INTEGER NOT NULL,
    lease_until     INTEGER,
    transport_tries INTEGER NOT NULL DEFAULT 0,
    sent_at         INTEGER,
    provider_id     TEXT,
    poll_at         INTEGER,
    polls           INTEGER NOT NULL DEFAULT 0,
    ended_at        INTEGER,
    outcome         TEXT NOT NULL DEFAULT '',
    tag             TEXT NOT NULL DEFAULT '',
    summary         TEXT NOT NULL DEFAULT '',
    reason          TEXT NOT NULL DEFAULT ''
);
-- One person has at most one live attempt, over all campaigns: the database holds to it, not code order.
CREATE UNIQUE INDEX one_live_attempt ON attempts (phone)
    WHERE state IN ('claimed', 'sending', 'accepted', 'in_doubt');
CREATE UNIQUE INDEX one_attempt_for_each_call ON attempts (account, provider_id) WHERE provider_id IS NOT NULL;
CREATE INDEX attempts_due ON attempts (due_at) WHERE state = 'planned';
CREATE INDEX attempts_to_ask ON attempts (poll_at) WHERE state IN ('accepted', 'in_doubt');
CREATE INDEX attempts_by_contact ON attempts (contact_id);

CREATE TABLE events (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    attempt_id INTEGER,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX events_by_attempt ON events (attempt_id);
CREATE TRIGGER events_are_append_only_update BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_append_only_delete BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE suppressions (
    phone  TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    source TEXT NOT NULL,
    at     INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE inbox (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    digest      TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    verified    INTEGER NOT NULL,
    body        BLOB NOT NULL,
    result      TEXT NOT NULL DEFAULT '',
    UNIQUE (account, digest)
);
