-- Which ledger this is, the audit chain over events, and what a copy of this ledger may have sent in the meantime.

INSERT INTO facts (name, value) VALUES ('instance', lower(hex(randomblob(16))));

-- An event's salt keeps its detail from being guessed once that is erased.
DROP TRIGGER events_are_append_only_update;
ALTER TABLE events ADD COLUMN salt BLOB;
UPDATE events SET salt = randomblob(16);
CREATE TRIGGER events_are_append_only_update BEFORE UPDATE ON events
WHEN NOT (NEW.id IS OLD.id AND NEW.at IS OLD.at AND NEW.attempt_id IS OLD.attempt_id AND NEW.kind IS OLD.kind
          AND NEW.salt IS NULL AND NEW.detail IS '{"erased":true}')
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- What binds each event to all before it: 32 bytes of commitment to its detail, 32 bytes of hash.
CREATE TABLE event_links (
    event_id INTEGER PRIMARY KEY,
    link     BLOB NOT NULL
);
WITH RECURSIVE chained (id, link) AS (
    SELECT e.id, event_link(NULL, e.id, e.at, e.attempt_id, e.kind, e.salt, e.detail)
    FROM events e WHERE e.id = (SELECT MIN(id) FROM events)
    UNION ALL
    SELECT e.id, event_link(c.link, e.id, e.at, e.attempt_id, e.kind, e.salt, e.detail)
    FROM chained c JOIN events e ON e.id = (SELECT MIN(n.id) FROM events n WHERE n.id > c.id)
)
INSERT INTO event_links (event_id, link) SELECT id, link FROM chained;
CREATE TRIGGER event_links_stay_update BEFORE UPDATE ON event_links
BEGIN SELECT RAISE(ABORT, 'links are append-only'); END;
CREATE TRIGGER event_links_stay_delete BEFORE DELETE ON event_links
BEGIN SELECT RAISE(ABORT, 'links are append-only'); END;
CREATE TRIGGER events_are_linked AFTER INSERT ON events
BEGIN
    INSERT INTO event_links (event_id, link) VALUES (NEW.id, event_link(
        (SELECT l.link FROM event_links l ORDER BY l.event_id DESC LIMIT 1),
        NEW.id, NEW.at, NEW.attempt_id, NEW.kind, NEW.salt, NEW.detail));
END;

-- Between these instants another copy of the ledger may have sent the attempt, or what came before it to the person.
ALTER TABLE contacts ADD COLUMN lost_since INTEGER;
ALTER TABLE contacts ADD COLUMN lost_until INTEGER;
ALTER TABLE attempts ADD COLUMN lost_since INTEGER;
ALTER TABLE attempts ADD COLUMN lost_until INTEGER;
-- Whether the provider was, or is being, asked about that time; what it proved absent is not asked about again.
ALTER TABLE attempts ADD COLUMN lost_asked INTEGER NOT NULL DEFAULT 0;
