-- The first line of each is removed from an open cart, and then all are bought.
DELETE FROM order_lines WHERE id % 10 = 1;
UPDATE orders SET status = 'bought' WHERE id > 5;
