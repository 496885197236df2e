-- Campaigns that repeat, and what became of their rounds; a round that was started is a campaign of its own.
CREATE TABLE recurring (
    campaign_id INTEGER PRIMARY KEY REFERENCES campaigns (id),
    file        TEXT NOT NULL
);

CREATE TABLE rounds (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    at          INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('started', 'missed', 'refused')),
    name        TEXT NOT NULL DEFAULT '',
    count       INTEGER NOT NULL DEFAULT 1,
    reason      TEXT NOT NULL DEFAULT '',
    noted_at    INTEGER NOT NULL,
    UNIQUE (campaign_id, at)
);
