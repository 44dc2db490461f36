// What the blocks of the documents take for granted, so that each can be as short as it is: the reader's own database, tables and values, and
// packages that only other steps of CI install.
import type { Hono } from "hono";
import type { createDatabase as create, Database, DatabaseView, Row, Sql, sql as tag } from "warmline";
import type { DrizzleDatabase } from "warmline/drizzle";

declare global {
  const db: Database;
  const sql: typeof tag;
  const createDatabase: typeof create;
  const log: Pick<Console, "debug" | "info" | "warn" | "error">;
  const own: DatabaseView;
  const app: Hono;
  const orm: DrizzleDatabase;
  const stack: unknown;
  const ctx: { waitUntil(promise: Promise<unknown>): void };

  const id: number;
  const ids: readonly number[];
  const name: string;
  const task: string;
  const tenant: string;
  const product: string;
  const amount: number;
  const from: number;
  const to: number;
  const user: string;
  const password: string;
  const database: string;
  const many: readonly { readonly name: string; readonly born: string; readonly id: number }[];
  const claims: { readonly sub: string };
  const request: Request;
  const ca: string;
  const job: number;
  const order: { readonly product: string };
  const orders: import("drizzle-orm/pg-core").PgTable;
  const entities: readonly unknown[];
  const next: Sql<Row>;
  const taken: Sql<Row>;

  function verified(header: string | null | undefined): Promise<{ readonly sub: string }>;
  function handle(request: Request): Promise<Response>;
  function answers(pool: unknown): Promise<boolean>;
  function answer(event: unknown): Promise<unknown>;
  function move(row: Row): Sql<Row>;
  function note(row: Row): Sql<Row>;
  function reconcile(order: unknown): Promise<void>;
  function visit(user: unknown): Promise<void>;
  function load(users: readonly unknown[]): Promise<void>;

  interface Tables {
    readonly users: User;
  }
  interface User {
    readonly id: number;
    readonly name: string;
  }
  interface Order {
    readonly id: number;
  }
  interface Stock {
    readonly left: number;
  }
  interface Job {
    readonly id: number;
  }
  interface Todo {
    readonly id: number;
    readonly task: string;
  }
}
