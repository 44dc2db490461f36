import type { Modules } from "./modules.ts";
import { openapi } from "./openapi.ts";
import { answerOverview } from "./page/answer.ts";
import { orderHeaders, orderPath, orderRequest, productPage, productPath } from "./schemas.ts";

// by name: a namespace as a value needs more of the bundler
const schemas = { orderHeaders, orderPath, orderRequest, productPage, productPath };

/** There from the start, where all is one file: a Worker without wrappers around what would be loaded later is smaller. */
export const modulesAtStart: Modules = { schemas: () => schemas, openapi: () => openapi, page: () => ({ answerOverview }) };
