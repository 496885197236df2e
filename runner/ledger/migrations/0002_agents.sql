-- Agents that campaigns define and that apply has created or updated at their providers.

CREATE TABLE agents (
    account     TEXT NOT NULL,
    campaign    TEXT NOT NULL,
    name        TEXT NOT NULL,
    -- Empty while nobody knows whether a create request arrived.
    provider_id TEXT NOT NULL DEFAULT '',
    definition  TEXT NOT NULL,
    observed    TEXT NOT NULL DEFAULT '{}',
    digest      TEXT NOT NULL,
    -- When the create request left, or when the definition was applied.
    applied_at  INTEGER NOT NULL,
    PRIMARY KEY (account, campaign, name)
) WITHOUT ROWID;
