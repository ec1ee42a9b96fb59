WITH line AS (
    SELECT l.*, v."sku", p."price" FROM order_line l JOIN "order" o ON o."id" = l."orderId"
    JOIN product_variant v ON v."id" = l."productVariantId" AND v."enabled"
    JOIN order_channels_channel c ON c."orderId" = o."id"
    -- A price is that of when the line came: the channel and the currency may be others since.
    LEFT JOIN product_variant_price p ON p."variantId" = v."id" AND p."price" = l."listPrice" AND l."listPrice" = l."initialListPrice"
        AND p."channelId" = c."channelId" AND p."currencyCode" = o."currencyCode"
    WHERE l."taxCategoryId" = 1 AND l."listPriceIncludesTax" = (c."channelId" = 1) AND l."orderPlacedQuantity" = 0)
SELECT 'order', o."id" - 1000000000, n."code", o."currencyCode", u."emailAddress", o."couponCodes",
    CASE WHEN o."shippingAddress" <> '{}' THEN concat_ws('/', a ->> 'fullName', a ->> 'streetLine1', a ->> 'postalCode', a ->> 'countryCode', a ->> 'province', a ->> 'phoneNumber') END,
    o."billingAddress"::json ->> 'streetLine1',
    to_char(o."createdAt", 'YYYY-MM-DD HH24:MI:SS'), to_char(o."updatedAt", 'YYYY-MM-DD HH24:MI:SS'),
    CASE WHEN s."id" IS NULL THEN 'customer' WHEN s."type" = 'AnonymousSession' AND NOT s."invalidated" AND length(s."token") = 26 THEN 'guest' ELSE 'broken' END
FROM "order" o CROSS JOIN LATERAL (SELECT o."shippingAddress"::json AS a) j
LEFT JOIN customer u ON u."id" = o."customerId" AND u."deletedAt" IS NULL
JOIN order_channels_channel c ON c."orderId" = o."id" JOIN channel n ON n."id" = c."channelId"
LEFT JOIN session s ON s."activeOrderId" = o."id"
WHERE o."active" AND o."state" = 'AddingItems' AND o."code" ~ '^[A-Z2-7]{16}$'
UNION ALL
SELECT 'line', "orderId" - 1000000000, "sku", "quantity"::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM line WHERE "price" IS NOT NULL
