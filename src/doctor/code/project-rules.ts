import type { ProjectRule } from "./code-rule.ts";

const pgInEdge: ProjectRule = {
  name: "pg-in-edge-bundle",
  costs: "There are no sockets: the build fails, or the first request does, and the bundle carries 100 KB and more for it.",
  change: 'import { createDatabase } from "warmline", which sends a POST there; or export const runtime = "nodejs"',
  conclude(file, project) {
    if (!file.edge) return [];
    const reached = new Set([file]);
    for (const one of reached) {
      if (one.driver !== undefined) {
        const at = one === file ? one.driver.at : `${file.path}:1`;
        return [{ at, found: `An edge function imports ${one.driver.name}${one === file ? "" : `, by way of ${one.path}`}.` }];
      }
      for (const module of one.modules) {
        const next = project.resolve(one, module);
        if (next !== undefined) reached.add(next);
      }
    }
    return [];
  },
};

const transactionOverNeonHttp: ProjectRule = {
  name: "transaction-over-neon-http",
  costs: "It compiles, and throws when it is called: no transactions over that driver.",
  change: 'import { drizzle } from "warmline/drizzle", whose transactions go by WebSocket',
  conclude: (file, project) =>
    file.transactions
      .filter(({ of }) => project.heldBy(file, of) === "neon-http")
      .map(({ at }) => ({ at, found: "A transaction is asked of drizzle-orm/neon-http." })),
};

const connectWithoutRelease: ProjectRule = {
  name: "connect-without-release",
  costs: "The first error in between keeps the client for good: after as many as max, every call waits for its time-out.",
  change: "try { … } finally { client.release(); }; or db.transaction(async (tx) => …), which gives it back by itself",
  conclude: (file, project) =>
    file.unreleased.filter(({ of }) => project.heldBy(file, of) === "pool").map(({ at, found }) => ({ at, found })),
};

/** Rules that look across files. */
export const projectRules: readonly ProjectRule[] = [connectWithoutRelease, pgInEdge, transactionOverNeonHttp];
