UPDATE quote_item SET quote_id = quote_id - 20 WHERE quote_id BETWEEN 41 AND 50;
UPDATE item_option SET value = 'one lane' WHERE id % 3 = 0;
INSERT INTO quote VALUES (902, 'born with one lane');
UPDATE quote_item SET quote_id = 902 WHERE quote_id = 70;
