-- Notifications: on what each campaign tells whom, and what waits to be told.

-- The `on` of each campaign's revision in force, one row for each event and target.
CREATE TABLE hooks (
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    event       TEXT NOT NULL,
    target      TEXT NOT NULL,
    PRIMARY KEY (campaign_id, event, target)
) WITHOUT ROWID;

-- One row for each notification and target. It names an attempt and an event and holds nobody's data itself.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY,
    campaign_id INTEGER NOT NULL REFERENCES campaigns (id),
    kind        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    event_id    INTEGER,
    attempt_id  INTEGER,
    target      TEXT NOT NULL,
    state       TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead', 'withheld')),
    tries       INTEGER NOT NULL DEFAULT 0,
    due_at      INTEGER NOT NULL,
    settled_at  INTEGER,
    says        TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX one_notification_for_each_event ON outbox (event_id, target) WHERE event_id IS NOT NULL;
CREATE INDEX outbox_waiting ON outbox (target, due_at) WHERE state = 'waiting';
CREATE INDEX outbox_settled ON outbox (settled_at) WHERE state <> 'waiting';

-- Campaigns whose end was told, and as of which revision.
CREATE TABLE told_finished (
    campaign_id INTEGER PRIMARY KEY REFERENCES campaigns (id),
    revision_id INTEGER NOT NULL
);

CREATE TRIGGER hooks_follow_the_revision AFTER UPDATE OF revision_id ON campaigns
BEGIN
    DELETE FROM hooks WHERE campaign_id = NEW.id;
    INSERT INTO hooks (campaign_id, event, target)
    SELECT DISTINCT NEW.id, happening.value, target.value
    FROM revisions r, json_each(r.policy, '$.on') hook, json_each(hook.value, '$.when') happening,
        json_each(hook.value, '$.notify') target
    WHERE r.id = NEW.revision_id;
END;

-- Every way to end, to hold or to pause writes its event in the transaction of the change itself, whoever makes it:
-- what is to be told of it is written here, so that it is told if and only if it happened.
CREATE TRIGGER outbox_follows_attempts AFTER INSERT ON events
WHEN NEW.attempt_id IS NOT NULL AND NEW.kind IN ('finished', 'held')
BEGIN
    INSERT INTO outbox (campaign_id, kind, at, event_id, attempt_id, target, due_at)
    SELECT DISTINCT a.campaign_id, CASE NEW.kind WHEN 'held' THEN 'attempt.held' ELSE 'attempt.ended' END, NEW.at,
        NEW.id, a.id, h.target, NEW.at
    FROM attempts a JOIN hooks h ON h.campaign_id = a.campaign_id
    WHERE a.id = NEW.attempt_id AND (
        (NEW.kind = 'held' AND h.event = 'held')
        OR (NEW.kind = 'finished' AND h.event IN ('outcome', a.outcome))
        OR (NEW.kind = 'finished' AND a.tag <> '' AND h.event IN ('tag', 'tag ' || a.tag)));
END;

CREATE TRIGGER outbox_follows_campaigns AFTER INSERT ON events
WHEN NEW.attempt_id IS NULL AND NEW.kind = 'paused'
BEGIN
    INSERT INTO outbox (campaign_id, kind, at, event_id, target, due_at)
    SELECT DISTINCT c.id, 'campaign.paused', NEW.at, NEW.id, h.target, NEW.at
    FROM campaigns c JOIN hooks h ON h.campaign_id = c.id
    WHERE c.name = json_extract(NEW.detail, '$.campaign')
        AND h.event IN ('paused', json_extract(NEW.detail, '$.cause'));
END;

-- A tag that came after the outcome.
CREATE TRIGGER outbox_follows_late_tags AFTER UPDATE OF tag ON attempts
WHEN OLD.state = 'finished' AND OLD.tag = '' AND NEW.tag <> ''
BEGIN
    INSERT INTO outbox (campaign_id, kind, at, attempt_id, target, due_at)
    SELECT DISTINCT NEW.campaign_id, 'attempt.tagged', NEW.ended_at, NEW.id, h.target, NEW.ended_at
    FROM hooks h WHERE h.campaign_id = NEW.campaign_id AND h.event IN ('tag', 'tag ' || NEW.tag);
END;
