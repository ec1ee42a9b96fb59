UPDATE orders SET name = 'NAME 300' WHERE id = 300;
INSERT INTO orders VALUES (500, 'c500@example.org', 'Name 500'), (501, 'c500@example.org', 'Name 500');
INSERT INTO orders VALUES (502, 'c300@example.org', 'Another name');
UPDATE orders SET name = name || '!' WHERE id BETWEEN 1 AND 12 OR id BETWEEN 101 AND 112;
DELETE FROM orders WHERE id = 400;
