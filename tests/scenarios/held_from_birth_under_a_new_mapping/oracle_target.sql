SELECT cart_id, email, line_id, quantity FROM cart JOIN cart_line USING (cart_id) WHERE cart_id < 100
