DO $$ BEGIN
    FOR i IN 1001..1200 LOOP
        INSERT INTO orders VALUES (i, 'b' || i || '@example.org', 'EUR');
        INSERT INTO order_lines VALUES (i * 10, i, 'one', 1, 1.00), (i * 10 + 1, i, 'two', 2, 2.00);
        COMMIT;
        UPDATE order_lines SET qty = qty + 1 WHERE order_id = i;
        COMMIT;
    END LOOP;
END $$;
DELETE FROM orders WHERE id > 1150;
