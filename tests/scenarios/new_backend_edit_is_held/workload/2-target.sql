-- The new shop writes as it always does: it bumps its own version.
UPDATE cart SET customer_email = 'edited in the new shop', version = version + 1 WHERE cart_id IN (10, 20);
