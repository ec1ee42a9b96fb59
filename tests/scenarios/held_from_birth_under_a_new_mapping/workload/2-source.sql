UPDATE orders SET email = 'changed' WHERE id IN (7, 101);
