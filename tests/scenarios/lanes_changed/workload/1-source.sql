UPDATE quote_item SET quote_id = quote_id + 40 WHERE quote_id BETWEEN 1 AND 10;
UPDATE quote SET email = 'x' || email WHERE id % 2 = 0;
DELETE FROM quote WHERE id = 60;
