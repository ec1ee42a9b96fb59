UPDATE orders SET attributes = JSON_SET(attributes, '$.locale', 'fr') WHERE id % 2 = 0;
UPDATE orders SET attributes = JSON_REMOVE(attributes, '$.gift') WHERE id % 3 = 0;
UPDATE orders SET raw = '{"b":1,"b":2}' WHERE id = 4;
UPDATE order_lines SET options = JSON_SET(options, '$.size', 9) WHERE id % 10 = 1;
UPDATE order_lines SET options = NULL WHERE order_id = 5;
INSERT INTO order_lines VALUES (9999, 6, 'more', '{"size": 100}');
DELETE FROM order_lines WHERE order_id = 7;
UPDATE orders SET raw = NULL, token = NULL WHERE id = 8;
