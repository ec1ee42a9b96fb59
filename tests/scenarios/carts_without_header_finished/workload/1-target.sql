-- Bought in the new shop.
UPDATE basket SET sold_at = now() WHERE customer <= 2;
