import type { Generated } from "kysely";

/** The tables of schema.sql. */
export interface Tables {
  authors: { id: Generated<number>; name: string };
  books: { id: Generated<number>; title: string; author_id: number };
}
