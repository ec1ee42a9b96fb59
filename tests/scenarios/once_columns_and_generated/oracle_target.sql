SELECT 'cart', cart_id, customer_email, first_email, email_domain, note FROM cart
UNION ALL
SELECT 'line', line_id, product, concat(total), NULL, NULL FROM cart_line
