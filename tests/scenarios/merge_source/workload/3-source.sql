-- Four more where both have changed it already.
UPDATE order_lines SET qty = qty + 4 WHERE order_id BETWEEN 21 AND 30;
