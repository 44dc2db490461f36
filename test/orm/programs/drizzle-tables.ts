import {
  bigint,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  numeric,
  pgEnum,
  pgTable,
  point,
  real,
  serial,
  smallint,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "drizzle-orm/pg-core";

const bytes = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

export const mood = pgEnum("mood", ["glad", "sad"]);

export const authors = pgTable("author", {
  id: serial("id").primaryKey(),
  name: text("name").notNull().unique(),
  mood: mood("mood"),
  born: date("born"),
  balance: numeric("balance", { precision: 12, scale: 2 }),
  big: bigint("big", { mode: "bigint" }),
  count: bigint("count", { mode: "number" }),
  tags: text("tags").array(),
  scores: integer("scores").array(),
  profile: jsonb("profile").$type<{ readonly langs: readonly string[]; readonly deep?: { readonly n: number } } | readonly number[]>(),
  made: timestamp("made", { withTimezone: true }),
  seen: timestamp("seen"),
  seenText: timestamp("seen_text", { mode: "string" }),
  avatar: bytes("avatar"),
});

export const books = pgTable("book", {
  id: serial("id").primaryKey(),
  authorId: integer("author_id")
    .notNull()
    .references(() => authors.id),
  title: text("title").notNull(),
  pages: integer("pages").notNull(),
});

export const chapters = pgTable("chapter", {
  id: serial("id").primaryKey(),
  bookId: integer("book_id")
    .notNull()
    .references(() => books.id),
  title: text("title").notNull(),
  words: integer("words").notNull(),
});

/** One of each type. */
export const kinds = pgTable("kind", {
  small: smallint("small").notNull(),
  real: real("real"),
  double: doublePrecision("double"),
  exact: numeric("exact"),
  exactNumber: numeric("exact_number", { mode: "number" }),
  exactBig: numeric("exact_big", { mode: "bigint" }),
  flag: boolean("flag"),
  char: char("char", { length: 4 }),
  varchar: varchar("varchar", { length: 9 }),
  uuid: uuid("uuid"),
  day: date("day", { mode: "date" }),
  time: time("time"),
  interval: interval("interval"),
  json: json("json"),
  inet: inet("inet"),
  cidr: cidr("cidr"),
  mac: macaddr("mac"),
  point: point("point", { mode: "xy" }),
  pair: point("pair"),
  line: line("line", { mode: "abc" }),
  days: date("days").array(),
  times: timestamp("times", { withTimezone: true }).array(),
  exacts: numeric("exacts").array(),
  bigs: bigint("bigs", { mode: "bigint" }).array(),
  flags: boolean("flags").array(),
  moods: mood("moods").array(),
  nested: text("nested").array().array(),
});

/** The same, as the server is told. */
export const script = `
  create type mood as enum ('glad', 'sad');
  create table author (
    id serial primary key, name text not null unique, mood mood, born date, balance numeric(12, 2), big bigint, count bigint, tags text[],
    scores int[], profile jsonb, made timestamptz, seen timestamp, seen_text timestamp, avatar bytea
  );
  create table book (id serial primary key, author_id int not null references author, title text not null, pages int not null);
  create table chapter (id serial primary key, book_id int not null references book, title text not null, words int not null);
  create table kind (
    small smallint not null, real real, double float8, exact numeric, exact_number numeric, exact_big numeric, flag bool, char char(4), varchar varchar(9),
    uuid uuid, day date, time time, interval interval, json json, inet inet, cidr cidr, mac macaddr, point point, pair point, line line,
    days date[], times timestamptz[], exacts numeric[], bigs bigint[], flags bool[], moods mood[], nested text[]
  );`;
