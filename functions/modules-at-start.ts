import type { Modules } from "./modules.ts";
import { openapi } from "./openapi.ts";
import * as schemas from "./schemas.ts";

/** There from the start, where all is one file: a Worker without wrappers around what would be loaded later is smaller. */
export const modulesAtStart: Modules = { schemas: () => schemas, openapi: () => openapi };
