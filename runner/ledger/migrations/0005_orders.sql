-- What a provider is being told about its campaign: written before the order leaves, since its answer may be lost.

ALTER TABLE handovers ADD COLUMN telling TEXT NOT NULL DEFAULT ''
    CHECK (telling IN ('', 'running', 'paused', 'cancelled'));
