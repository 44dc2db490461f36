-- The demo's tables and its first products. Running it again changes nothing.

-- Two deployments that migrate at once: the second waits for the first.
select pg_advisory_xact_lock(hashtextextended('warmline demo schema', 0));

create table if not exists products (
  id integer primary key,
  name text not null,
  price_cents integer not null check (price_cents >= 0),
  stock integer not null check (stock >= 0)
);

create table if not exists orders (
  id uuid primary key default gen_random_uuid(),
  -- What decides between equal requests that run at once.
  idempotency_key text not null unique,
  -- SHA-256 of the request in hexadecimal: tells a repeated request from another one under the same key.
  fingerprint text not null,
  status text not null default 'reserved' check (status = 'reserved'),
  created_at timestamptz not null default now()
);

create table if not exists order_lines (
  order_id uuid not null references orders (id),
  product_id integer not null references products (id),
  quantity integer not null check (quantity > 0),
  -- The price at the time of the order.
  price_cents integer not null check (price_cents >= 0),
  primary key (order_id, product_id)
);

insert into products (id, name, price_cents, stock) values
  (1, 'Kettle', 3490, 100000),
  (2, 'Tea pot', 2890, 40),
  (3, 'Cup', 690, 250),
  (4, 'Saucer', 390, 250),
  (5, 'Spoon', 290, 500),
  (6, 'Tray', 1890, 30),
  (7, 'Sugar bowl', 1290, 25),
  (8, 'Milk jug', 1490, 25),
  (9, 'Tea towel', 890, 120),
  (10, 'Gold-rimmed cup', 9900, 1)
on conflict (id) do nothing;
