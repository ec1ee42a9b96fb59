SELECT 'basket', customer, session, entries, CASE WHEN sold_at IS NULL THEN 0 ELSE 1 END FROM basket
UNION ALL SELECT 'entry', e.id, concat(b.customer, b.session), e.qty, CASE WHEN b.sold_at IS NULL THEN 0 ELSE 1 END FROM entry e JOIN basket b ON b.token = e.basket
