import { drizzleOver } from "./drizzle.ts";
import { overWarmPool } from "./orm-pool.ts";

export const open = overWarmPool(drizzleOver);
