import { DurableObject, WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
import { createDatabase, type Database } from "warmline";
import { hyperdrive } from "warmline/hyperdrive";

/** Bound beside everything else, each of its kind. */
export class Counter extends DurableObject {}
export class Flow extends WorkflowEntrypoint {}
export class Remote extends WorkerEntrypoint {}

type Env = Record<string, unknown> & { readonly SECRET: { get(): Promise<string> } };

/** Read while the module is loaded, where the platform lets nobody look into a binding. */
const early = createDatabase({ tcp: hyperdrive() });
const plannedEarly = codeOf(() => early.plan);

const databases: Readonly<Record<string, (env: Env) => Database>> = {
  found: () => createDatabase({ tcp: hyperdrive() }),
  named: ({ named }) => createDatabase({ tcp: hyperdrive({ binding: String(named) }) }),
  http: () => createDatabase(),
  secret: (env) => createDatabase({ tcp: hyperdrive(), env: { ...env, DATABASE_URL: env.SECRET } }),
  password: (env) => createDatabase({ tcp: hyperdrive(), url: String(env.WITHOUT_PASSWORD), password: () => env.SECRET.get() }),
};

function codeOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return told(error);
  }
}

function told(error: unknown) {
  return { code: (error as { code?: string }).code, message: String((error as Error).message) };
}

export default {
  async fetch(request: Request, env: Env, ctx: { waitUntil(promise: Promise<unknown>): void }) {
    const { pathname, searchParams } = new URL(request.url);
    const kind = pathname.slice(1);
    if (kind === "early") return Response.json(plannedEarly);
    if (kind === "names") return Response.json(Object.keys(env).sort());
    const db = databases[kind]?.({ ...env, named: searchParams.get("name") }) as Database;
    const answer = await db.scope(ctx, () => db.sql`select 1 as n`.then((rows) => ({ rows, target: db.plan.target }), told));
    return Response.json(answer);
  },
};
