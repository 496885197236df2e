-- Results in full, and what an export reads.

-- name: add_result
-- How an attempt ended; the first result stays.
INSERT INTO results (attempt_id, at, outcome, sentiment, duration_seconds, hangup_cause, calls, recording_url,
    transcript_url, detail)
VALUES (:attempt_id, :at, :outcome, :sentiment, :duration_seconds, :hangup_cause, :calls, :recording_url,
    :transcript_url, :detail)
ON CONFLICT (attempt_id) DO NOTHING

-- name: result
-- The result of one attempt.
SELECT * FROM results WHERE attempt_id = :attempt_id

-- name: fill_result
-- A result with more known of it.
UPDATE results SET sentiment = :sentiment, duration_seconds = :duration_seconds, hangup_cause = :hangup_cause,
    calls = :calls, recording_url = :recording_url, transcript_url = :transcript_url, detail = :detail
WHERE attempt_id = :attempt_id

-- name: fill_tag
-- The tag and summary of an attempt that ended without them.
UPDATE attempts SET tag = CASE tag WHEN '' THEN :tag ELSE tag END,
    summary = CASE summary WHEN '' THEN :summary ELSE summary END
WHERE id = :attempt_id

-- name: applied_campaigns
-- The campaigns that were ever applied, in the order of their first apply; one alone with `:name`.
SELECT id, name FROM campaigns WHERE revision_id IS NOT NULL AND (:name IS NULL OR name = :name) ORDER BY id

-- name: contact_page
-- The last contact of the next page of a campaign's contacts.
SELECT MAX(id) AS last FROM (
    SELECT id FROM contacts WHERE campaign_id = :campaign_id AND id > :after ORDER BY id LIMIT :count)

-- name: export_page
-- A page of a campaign's contacts with their attempts, results and replies; attempts in the order they were made.
SELECT k.key AS contact_key, k.phone, k.row, k.state AS contact_state, a.id AS attempt_id, a.key, log_id(a.key) AS log_id, a.step, a.number,
    a.channel, p.provider, a.account, a.state, a.outcome, a.tag, a.reason, a.due_at, a.sent_at, a.ended_at,
    a.provider_id, r.sentiment, r.duration_seconds, r.hangup_cause, r.calls, r.recording_url, r.transcript_url, r.detail,
    (SELECT json_group_array(json_array(w.at, w.body, w.stops, w.verified)) FROM
        (SELECT * FROM replies WHERE attempt_id = a.id ORDER BY id) w) AS replies
FROM contacts k
LEFT JOIN attempts a ON a.contact_id = k.id
LEFT JOIN payloads p ON p.contact_id = k.id AND p.step = a.step
LEFT JOIN results r ON r.attempt_id = a.id
WHERE k.campaign_id = :campaign_id AND k.id > :after AND k.id <= :last ORDER BY k.id, a.id
