-- Carts 1 to 10 here alone, 11 to 30 here and there, 31 to 40 there alone.
UPDATE order_lines SET qty = qty + 2 WHERE order_id <= 30;
UPDATE orders SET email = 'said in the old shop' WHERE id <= 20;
