import type { Modules } from "./modules.ts";

/** Loaded by the first request that needs them, where files are loaded apart: a cold start reads less. */
export const modulesOnDemand: Modules = {
  schemas: () => import("./schemas.ts"),
  openapi: async () => (await import("./openapi.ts")).openapi,
  page: () => import("./page/answer.ts"),
};
