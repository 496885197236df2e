-- Which of a provider's calls are whose.

-- name: known_calls
-- The provider's ids of the other attempts of a phone number through one account.
SELECT provider_id FROM attempts
WHERE phone = :phone AND account = :account AND id <> :id AND provider_id IS NOT NULL

-- name: looks
-- How often an attempt was in doubt after a look: once for the doubt itself, once for each look that proved nothing.
SELECT COUNT(*) AS count FROM events WHERE attempt_id = :id AND kind = 'in_doubt'
