-- Where the rules of a revision stood in its files, by key path: JSON such as {"windows": "campaigns/april.yaml:9:1"}.
ALTER TABLE revisions ADD COLUMN places TEXT NOT NULL DEFAULT '{}';
