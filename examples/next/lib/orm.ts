import { drizzle } from "drizzle-orm/node-postgres";
import { sharedPool } from "warmline/pool";
import { settings } from "./database";

/** Drizzle over the pool that `db` uses. Made when a request asks, so that a build needs no database. */
export const orm = () => drizzle({ client: sharedPool(settings) });
