import { drizzleOver } from "./drizzle.ts";
import { overPg } from "./orm-pool.ts";

export const open = overPg(drizzleOver);
