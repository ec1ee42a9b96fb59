-- The new shop keeps what it has sold, and the other cart cannot have the same row.
UPDATE order_lines SET order_id = 11 WHERE id = 101;
UPDATE order_lines SET qty = 5 WHERE order_id BETWEEN 30 AND 40;
