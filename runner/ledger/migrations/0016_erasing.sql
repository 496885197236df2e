-- People who were erased: only a keyed hash of the number stays, so that nobody contacts them again.

-- The key of the hashes; random, and in this ledger alone.
INSERT INTO facts (name, value) VALUES ('pseudonym_key', lower(hex(randomblob(32))));

CREATE TABLE erased (
    pseudonym TEXT PRIMARY KEY,
    reason    TEXT NOT NULL,
    at        INTEGER NOT NULL
) WITHOUT ROWID;
