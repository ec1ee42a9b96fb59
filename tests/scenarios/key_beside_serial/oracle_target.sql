SELECT 'checkout', token, email, NULL, 0 FROM checkout
UNION ALL
SELECT 'metadata', checkout_id, metadata->>'note', metadata->>'order', 0 FROM checkout_metadata
UNION ALL
SELECT 'note', checkout_id, note, kind, 0 FROM checkout_note
UNION ALL
SELECT 'line', checkout_id, variant, concat(old_id), quantity FROM checkout_line
