create table if not exists authors (
  id integer generated always as identity primary key,
  name text not null unique
);

create table if not exists books (
  id integer generated always as identity primary key,
  title text not null,
  author_id integer not null references authors (id)
);
