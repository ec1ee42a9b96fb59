UPDATE quote SET email = 'first' WHERE id = 20;
