UPDATE cart SET first_email = 'changed by the new shop' WHERE cart_id = 7;
UPDATE cart SET note = 'theirs' WHERE cart_id = 8;
