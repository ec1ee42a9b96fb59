UPDATE orders SET currency = 'USD' WHERE id % 6 = 0;
