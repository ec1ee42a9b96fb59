-- What both kinds of server have. Floating point is in eighths, which every spelling has exactly.
CREATE TYPE mood AS ENUM ('calm', 'eager');
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    small smallint, whole integer, large bigint, fixed numeric(12,4), narrow real, wide double precision,
    name varchar(40), note text, code char(6), bytes bytea, day date, clock time, moment timestamp, instant timestamptz,
    feeling mood, document jsonb
);
INSERT INTO orders SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, n, -n, n::bigint * 4000000000, n / 3.0, n / 8.0, n / 8.0,
    'nämé ' || n, 'note ☃ ' || n, 'c' || n, decode(lpad(to_hex(n), 8, '0'), 'hex'), '2024-02-29'::date + n, '23:59:59.999999',
    '2024-03-31 02:30'::timestamp + n * interval '1 day', '2024-03-31 01:30+00'::timestamptz + n * interval '1 hour',
    CASE n % 2 WHEN 0 THEN 'calm'::mood ELSE 'eager' END, jsonb_build_object('n', n, 'text', 'ü"' || n)
FROM generate_series(1, 40) n;
