import { drizzle } from "drizzle-orm/node-postgres";
import { sharedPool } from "warmline/pool";
import { settings } from "./database";

/** Drizzle over the connections that `db` uses. Nothing is read or connected before the first query. */
export const orm = drizzle({ client: sharedPool(settings) });
