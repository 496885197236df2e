-- Lanes: what pacing counts attempts by.

CREATE TABLE lanes (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    step        TEXT NOT NULL,
    account     TEXT NOT NULL,
    -- The agent's name in the campaign; empty where it is not known.
    agent       TEXT NOT NULL,
    from_number TEXT NOT NULL,
    UNIQUE (campaign_id, step, account, agent, from_number)
);
ALTER TABLE payloads ADD COLUMN lane_id INTEGER REFERENCES lanes (id);
ALTER TABLE attempts ADD COLUMN lane_id INTEGER REFERENCES lanes (id);

INSERT INTO lanes (campaign_id, step, account, agent, from_number)
SELECT DISTINCT k.campaign_id, p.step, p.account, COALESCE(s.agent, ''),
    COALESCE(json_extract(s.policy, '$.agents."' || s.agent || '".from'), '')
FROM payloads p JOIN contacts k ON k.id = p.contact_id
LEFT JOIN (SELECT c.id AS campaign_id, r.policy, json_extract(j.value, '$.name') AS step,
               COALESCE(json_extract(j.value, '$.call'), json_extract(j.value, '$.text')) AS agent
           FROM campaigns c JOIN revisions r ON r.id = c.revision_id, json_each(r.policy, '$.steps') j) s
    ON s.campaign_id = k.campaign_id AND s.step = p.step;

UPDATE payloads SET lane_id = (
    SELECT l.id FROM contacts k JOIN lanes l ON l.campaign_id = k.campaign_id
    WHERE k.id = payloads.contact_id AND l.step = payloads.step AND l.account = payloads.account);
UPDATE attempts SET lane_id = (
    SELECT p.lane_id FROM payloads p WHERE p.contact_id = attempts.contact_id AND p.step = attempts.step);

CREATE INDEX attempts_due_by_lane ON attempts (lane_id, due_at) WHERE state = 'planned';
CREATE INDEX attempts_started ON attempts (lane_id, sent_at) WHERE sent_at IS NOT NULL;

-- When a send came into doubt, and from when on a campaign's doubts count against it.
ALTER TABLE attempts ADD COLUMN doubted_at INTEGER;
ALTER TABLE campaigns ADD COLUMN resumed_at INTEGER;
CREATE INDEX attempts_doubted ON attempts (campaign_id, doubted_at) WHERE doubted_at IS NOT NULL;

-- Accounts whose calls failed or that asked to be let alone, so that a restart changes nothing.
CREATE TABLE account_health (
    account      TEXT PRIMARY KEY,
    state        TEXT NOT NULL CHECK (state IN ('closed', 'open', 'probing', 'half_open', 'trying')),
    recent       TEXT NOT NULL DEFAULT '',
    reason       TEXT NOT NULL DEFAULT '',
    since        INTEGER,
    retry_at     INTEGER,
    trials       INTEGER NOT NULL DEFAULT 0,
    trial        INTEGER,
    slowed_until INTEGER,
    slowed_times INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
