SELECT 'checkout', token, email, NULL, NULL FROM checkout
UNION ALL
SELECT 'metadata', checkout_id, metadata->>'note', metadata->>'order', NULL FROM checkout_metadata
UNION ALL
SELECT 'note', checkout_id, note, kind, NULL FROM checkout_note
UNION ALL
SELECT 'line', checkout_id, variant, concat(old_id), quantity FROM checkout_line
