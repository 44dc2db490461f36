import { handle } from "hono/aws-lambda";
import { Hono } from "hono/tiny";
import pg from "pg";

const pool = new pg.Pool({ host: process.env.PGHOST, max: 1 });

/** A function that has pg and Hono, and nothing else. */
export const handler = handle(new Hono().get("/", async (c) => c.json((await pool.query("select 1")).rows)));
