-- Another order of the members, and one of them changed.
UPDATE orders SET basket = '{"items": {"b": {"sku":"b","qty":2,"price":"2.25"}, "a": {"sku":"a","qty":5,"price":"1.50"}}, "total": 7}' WHERE id % 5 = 0;
UPDATE orders SET basket = '{"items": {"a": {"sku":"a","qty":1,"price":"1.50"}}, "total": 7}' WHERE id % 7 = 0;
UPDATE orders SET basket = NULL WHERE id IN (11, 12);
UPDATE orders SET basket = '{"items": {"c": {"sku":"c","qty":3,"price":"9.00"}}, "total": 7}' WHERE id = 12;
UPDATE orders SET basket = '{"items": {"a": {"sku":"a","qty":1,"price":"1.50"}, "b": {"sku":"b","qty":2,"price":"2.25"}}, "total": 7}' WHERE id = 14;
UPDATE orders SET basket = '{"items": {}}' WHERE id = 16;
UPDATE orders SET basket = '{"items": null}' WHERE id = 17;
UPDATE orders SET email = 'changed' WHERE id = 18;
UPDATE order_notes SET payload = '[{"text":"second","rank":2}]' WHERE order_id % 4 = 0;
UPDATE order_notes SET payload = '' WHERE order_id = 6;
UPDATE order_notes SET payload = '[{"text":"hidden"},{"text":"third"}]' WHERE order_id = 9;
UPDATE order_notes SET payload = '{"x": {"text":"named"}}' WHERE order_id = 10;
UPDATE order_notes SET order_id = 22 WHERE id = 211;
DELETE FROM order_notes WHERE id = 231;
DELETE FROM orders WHERE id = 30;
INSERT INTO orders VALUES (99, 'new', '{"items": {"a": {"sku":"a","qty":1,"price":"1.50"}, "b": {"sku":"b","qty":2,"price":"2.25"}}, "total": 7}');
INSERT INTO order_notes VALUES (991, 99, '[{"text":"new"}]');
UPDATE order_notes SET payload = '{"text":' WHERE id = 401;
