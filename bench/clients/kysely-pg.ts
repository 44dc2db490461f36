import { kyselyOver } from "./kysely.ts";
import { overPg } from "./orm-pool.ts";

export const open = overPg(kyselyOver);
