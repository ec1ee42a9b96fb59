CREATE TYPE mood AS ENUM ('calm', 'eager', 'other');
CREATE TABLE cart (
    id uuid PRIMARY KEY,
    small integer, whole bigint, large numeric, fixed numeric(14,4), narrow real, wide double precision,
    name text, note text, code char(6), bytes bytea, day date, clock time, moment timestamp, instant timestamptz,
    feeling mood, document jsonb
);
