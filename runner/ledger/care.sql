-- Care of the ledger: which one it is, what a copy may have sent, who was erased. A line `-- name: x` opens a statement.

-- name: set_home
-- Which file is the ledger itself.
INSERT INTO facts (name, value) VALUES ('home', :home) ON CONFLICT (name) DO UPDATE SET value = excluded.value

-- name: set_fact
-- Writes down a fact about the ledger in place of what it was.
INSERT INTO facts (name, value) VALUES (:name, :value) ON CONFLICT (name) DO UPDATE SET value = excluded.value
