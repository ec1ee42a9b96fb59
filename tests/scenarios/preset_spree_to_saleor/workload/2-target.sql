-- Saleor's customers look at their checkouts: prices have expired, so all are computed and written,
-- without moving last_change. That is no change of the customer's.
BEGIN;
UPDATE checkout_checkout SET total_net_amount = 100, total_gross_amount = 119, subtotal_net_amount = 100, subtotal_gross_amount = 119,
    price_expiration = now() + interval '1 hour', discount_expiration = now() + interval '1 hour', search_index_dirty = false
WHERE token IN (SELECT checkout_id FROM checkout_checkoutmetadata WHERE private_metadata ->> 'spree_number' IN ('R100000007', 'R100000008', 'R100000016'));
UPDATE checkout_checkoutline SET total_price_net_amount = 50, total_price_gross_amount = 59.5, tax_rate = 0.19, prior_unit_price_amount = 60
WHERE checkout_id IN (SELECT checkout_id FROM checkout_checkoutmetadata WHERE private_metadata ->> 'spree_number' IN ('R100000007', 'R100000008', 'R100000016'));
COMMIT;
