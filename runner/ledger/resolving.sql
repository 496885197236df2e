-- What waits for a person: attempts in doubt that nobody else can find out about, and contacts for whom nothing was planned.

-- name: doubtful_attempts
-- Attempts of a campaign, or of all, of which nobody knows whether they were placed, in the order in which they left.
SELECT a.id, h.id AS handover_id, h.state AS handover_state,
    NOT EXISTS (SELECT 1 FROM attempts l WHERE l.phone = a.phone AND l.id <> a.id
                AND l.state IN ('claimed', 'sending', 'accepted', 'in_doubt')) AS is_free
FROM attempts a JOIN campaigns c ON c.id = a.campaign_id LEFT JOIN handovers h ON h.id = a.handover_id
WHERE a.state IN ('held', 'in_doubt') AND (:name = '' OR c.name = :name)
ORDER BY a.sent_at, a.id

-- name: held_of_left
-- How many attempts of each campaign are held whose person has left the plan.
SELECT c.name, COUNT(*) AS count FROM attempts a JOIN contacts k ON k.id = a.contact_id
JOIN campaigns c ON c.id = a.campaign_id
WHERE a.state = 'held' AND k.state IN ('removed', 'suppressed') GROUP BY c.name

-- name: unplanned_people
-- Contacts of a campaign, or of all, that are held and for whom nothing was planned.
SELECT c.name AS campaign, k.key, k.phone, k.reason FROM contacts k JOIN campaigns c ON c.id = k.campaign_id
WHERE k.state = 'held' AND k.reason <> '' AND (:name = '' OR c.name = :name)
ORDER BY c.name, k.row

-- name: has_begun
-- Whether anything ever ended for the person of an attempt.
SELECT 1 FROM attempts a JOIN attempts f ON f.contact_id = a.contact_id AND f.state = 'finished' WHERE a.id = :id LIMIT 1
