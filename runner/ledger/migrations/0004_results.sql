-- What comes back: results in full, replies, webhooks that wait for their call, and which lists know whom.

-- How an attempt ended, in the provider's own words too; links are kept as links and never followed.
CREATE TABLE results (
    attempt_id       INTEGER PRIMARY KEY REFERENCES attempts (id),
    at               INTEGER NOT NULL,
    outcome          TEXT NOT NULL,
    sentiment        TEXT NOT NULL,
    duration_seconds REAL,
    hangup_cause     TEXT NOT NULL,
    calls            INTEGER,
    recording_url    TEXT NOT NULL,
    transcript_url   TEXT NOT NULL,
    detail           TEXT NOT NULL
);

CREATE TABLE replies (
    id          INTEGER PRIMARY KEY,
    account     TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    phone       TEXT NOT NULL,
    to_number   TEXT NOT NULL,
    body        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    stops       INTEGER NOT NULL,
    verified    INTEGER NOT NULL,
    attempt_id  INTEGER REFERENCES attempts (id)
);
CREATE UNIQUE INDEX one_reply_for_each_text ON replies (account, provider_id) WHERE provider_id <> '';
CREATE INDEX replies_by_attempt ON replies (attempt_id);

-- Webhooks that name no call that we know: they wait here for it, and are kept within bounds.
CREATE TABLE quarantine (
    inbox_id    INTEGER NOT NULL REFERENCES inbox (id) ON DELETE CASCADE,
    provider_id TEXT NOT NULL,
    reference   TEXT NOT NULL,
    PRIMARY KEY (inbox_id, provider_id, reference)
) WITHOUT ROWID;
CREATE INDEX quarantine_by_id ON quarantine (provider_id);
CREATE INDEX inbox_by_age ON inbox (received_at);

-- Whom an account's own do-not-call list knows already.
CREATE TABLE listed_numbers (
    account TEXT NOT NULL,
    phone   TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (account, phone)
) WITHOUT ROWID;

-- How often an unproven webhook had the provider asked ahead of its time.
ALTER TABLE attempts ADD COLUMN hints INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_by_phone ON attempts (phone);
