import { createDatabase } from "../../entry/node.ts";
import { isWarmlineError } from "../../errors/errors.ts";
import type { Configured } from "../evidence.ts";

/** What SQL over HTTP takes, milliseconds; or why that is not known. */
export type HttpMeasure = { readonly firstQueryMs: number; readonly secondQueryMs: number } | { readonly unseen: string };

/** Asks the same over HTTP, where the target speaks it. Never rejects. */
export async function measureHttp({ settings, plan }: Configured, options: HttpOptions): Promise<HttpMeasure> {
  if (!plan.capabilities.httpSql) return { unseen: `${plan.target} speaks no SQL over HTTP, and no endpoint is set` };
  if (settings.address.others.length > 0) return { unseen: "there are several hosts, and over HTTP there is one" };
  const { url, variables, deadlineMs } = options;
  const db = createDatabase({ ...(url === undefined ? {} : { url }), transport: "http", env: variables, deadlineMs });
  const timed = async () => {
    const begun = performance.now();
    await db.query("select 1", [], { idempotent: true });
    return performance.now() - begun;
  };
  try {
    return { firstQueryMs: await timed(), secondQueryMs: await timed() };
  } catch (error) {
    return { unseen: `it failed over HTTP (${isWarmlineError(error) ? error.code : "no code"})` };
  } finally {
    await db.close();
  }
}

/** How to ask over HTTP. */
export interface HttpOptions {
  readonly url: string | undefined;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** For one query. */
  readonly deadlineMs: number;
}
