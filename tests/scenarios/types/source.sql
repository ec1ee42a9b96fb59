CREATE TYPE mood AS ENUM ('calm', 'eager');
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    small smallint, whole integer, large bigint, exact numeric, fixed numeric(12,4), single real, double double precision,
    flag boolean, name varchar(40), code char(6), bytes bytea, day date, hour time, hour_zone timetz,
    moment timestamp, instant timestamptz, span interval, feeling mood, numbers integer[], words text[], address inet, period int4range
);
INSERT INTO orders SELECT md5(n::text)::uuid, n, -n, n::bigint * 4000000000, n / 7.0, n / 3.0, n / 3.0, n / 7.0,
    n % 2 = 0, 'nämé ' || n, 'c' || n, decode(lpad(to_hex(n), 8, '0'), 'hex'), '2024-02-29'::date + n, '23:59:59.999999', '12:00+02',
    '2024-03-31 02:30'::timestamp + n * interval '1 day', '2024-03-31 02:30+01'::timestamptz + n * interval '1 hour', n * interval '1 month 2 days 3.5 seconds',
    CASE n % 2 WHEN 0 THEN 'calm'::mood ELSE 'eager' END, ARRAY[n, NULL, -n], ARRAY['a,b', '"q"', NULL, ''], '10.0.0.1/24', int4range(n, n + 5)
FROM generate_series(1, 40) n;
