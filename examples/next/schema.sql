-- The shop's tables and its first products. Running it again changes nothing.
create table if not exists products (
  id integer primary key,
  name text not null,
  note text not null,
  price_cents integer not null check (price_cents >= 0),
  stock integer not null check (stock >= 0)
);

create table if not exists orders (
  id bigint generated always as identity primary key,
  product_id integer not null references products (id),
  quantity integer not null check (quantity > 0),
  created_at timestamptz not null default now()
);

-- One row: proxy.ts asks it before every request.
create table if not exists shop (
  only_row boolean primary key default true check (only_row),
  closed boolean not null default false
);

insert into shop default values on conflict do nothing;
insert into products (id, name, note, price_cents, stock) values
  (1, 'Copper kettle', 'Whistles at a boil, 1.2 l', 8900, 24),
  (2, 'Sencha', 'First flush, 100 g', 1850, 140),
  (3, 'Tea bowl', 'Ash glaze, thrown by hand', 4200, 18),
  (4, 'Bamboo whisk', 'Eighty tines', 2400, 9),
  (5, 'Oolong', 'Roasted over charcoal, 75 g', 2250, 60),
  (6, 'Linen cloth', 'Undyed', 1200, 3)
on conflict (id) do nothing;
