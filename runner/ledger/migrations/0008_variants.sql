-- Variants of people, and the requests of the agents that take over while an account fails.

-- Which way of doing the campaign a person has, for good; empty without one.
ALTER TABLE contacts ADD COLUMN variant TEXT NOT NULL DEFAULT '';

-- What a step sends to one contact through its backups, as it was reviewed; `rank` counts them from 1.
CREATE TABLE backups (
    contact_id INTEGER NOT NULL REFERENCES contacts (id),
    step       TEXT NOT NULL,
    rank       INTEGER NOT NULL,
    account    TEXT NOT NULL,
    provider   TEXT NOT NULL,
    agent_id   TEXT NOT NULL,
    method     TEXT NOT NULL,
    path       TEXT NOT NULL,
    body       TEXT NOT NULL,
    lane_id    INTEGER REFERENCES lanes (id),
    PRIMARY KEY (contact_id, step, rank)
) WITHOUT ROWID;

-- Which backup carries the attempt out; 0 for the step's own agent.
ALTER TABLE attempts ADD COLUMN backup INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempts_taken_over ON attempts (id) WHERE state = 'planned' AND backup > 0;
