-- A product that is gone comes back under another line.
UPDATE quote_item SET product_id = 7 WHERE product_id = 99 AND quote_id < 30;
UPDATE quote_item SET product_id = 99 WHERE quote_id = 33;
DELETE FROM quote WHERE id = 61;
