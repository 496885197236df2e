-- Who runs on this ledger. One row; its epoch only grows, by one with each runner that takes the ledger.
CREATE TABLE lease (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    host TEXT NOT NULL DEFAULT '',
    boot TEXT NOT NULL DEFAULT '',
    pid INTEGER NOT NULL DEFAULT 0,
    began INTEGER NOT NULL DEFAULT 0,
    version TEXT NOT NULL DEFAULT '',
    since INTEGER NOT NULL DEFAULT 0,
    renewed INTEGER NOT NULL DEFAULT 0,
    until INTEGER NOT NULL DEFAULT 0
);

INSERT INTO lease (id, epoch) VALUES (1, 0);
