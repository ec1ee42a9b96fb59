UPDATE orders SET email = 'third@example.org' WHERE id IN (7, 8, 800);
DELETE FROM order_lines WHERE id = 8001;
