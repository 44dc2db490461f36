import { kyselyOver } from "./kysely.ts";
import { overWarmPool } from "./orm-pool.ts";

export const open = overWarmPool(kyselyOver);
