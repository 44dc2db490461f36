// As lib/orm.ts, over the pool at module level.
import { drizzle } from "drizzle-orm/node-postgres";
import { pool } from "./database";

export const orm = drizzle({ client: pool });
