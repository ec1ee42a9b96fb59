SELECT 'cart', o."code", o."customerId"::text, s."token", o."currencyCode", NULL FROM "order" o LEFT JOIN session s ON s."activeOrderId" = o."id" WHERE o."active"
UNION ALL
SELECT 'line', l."id"::text, o."code", l."productVariantId"::text, l."quantity"::text, (l."listPrice" / 100.0)::numeric(12,2)::text
FROM order_line l JOIN "order" o ON o."id" = l."orderId" AND o."active" WHERE l."quantity" > 0
