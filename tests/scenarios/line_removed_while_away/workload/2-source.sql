-- The payment fails. The second line was removed while the order was bought, the third one is
-- removed as soon as it is a cart again, and the fourth one stays.
DELETE FROM order_lines WHERE id % 10 = 2 AND order_id > 10;
UPDATE orders SET status = 'open' WHERE id BETWEEN 20 AND 50;
DELETE FROM order_lines WHERE id % 10 = 3 AND order_id BETWEEN 20 AND 50;
