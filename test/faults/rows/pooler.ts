import { findPgBouncer, startPgBouncer } from "../../support/pgbouncer.ts";
import { isCommandComplete } from "../../support/postgres-messages.ts";
import { otherwise } from "../expected.ts";
import type { Fault, Middle, Way } from "../fault.ts";

const missing = () => (findPgBouncer() === undefined ? "pgbouncer is not installed: apt-get install pgbouncer" : undefined);
/** Over HTTP it is the endpoint that pools. */
const ways: readonly Way[] = ["pool", "request", "lambda"];
const options = { target: "pgbouncer" } as const;

interface Pooler extends Middle {
  /** Ends it, with everything on its way, and starts it anew. */
  restart(): Promise<void>;
}

const behindPgBouncer: NonNullable<Fault<Pooler>["middle"]> = async ({ host, port }, { user, password }) => {
  const start = () => startPgBouncer({ host, port, user, password }, { server_login_retry: "0" });
  let bouncer = await start();
  return {
    host: bouncer.host,
    get port() {
      return bouncer.port;
    },
    async restart() {
      await bouncer.stop();
      bouncer = await start();
    },
    [Symbol.asyncDispose]: () => bouncer.stop(),
  };
};

const restarted: Fault<Pooler> = {
  group: "connection",
  name: "pooler restarted",
  ways,
  rounds: 5,
  options,
  pooled: true,
  missing,
  middle: behindPgBouncer,
  async round({ admin, applicationName, middle, write }) {
    const { lock, release } = await admin.lock();
    const writing = write(lock);
    await admin.waiting(applicationName);
    const { port } = middle;
    await middle.restart();
    await release();
    const outcome = await writing;
    return { struck: middle.port !== port, wrong: otherwise(outcome, { code: "CONNECTION_LOST", fate: "unknown" }) };
  },
};

const cutAfterCommit: Fault<Pooler> = {
  group: "connection",
  name: "pooler's link to the server cut after COMMIT",
  ways,
  rounds: 10,
  options,
  pooled: true,
  missing,
  middle: behindPgBouncer,
  async round({ back, transaction }) {
    let struck = false;
    const cut = back.cutAt(isCommandComplete("COMMIT")).then(() => {
      struck = true;
    });
    const outcome = await transaction();
    if (struck) await cut;
    // the pooler's own words
    return { struck, wrong: otherwise(outcome, { code: "08P01", fate: "unknown" }) };
  },
};

/** What befalls a pooler, and what it then says of statements that were done. */
export const pooler: readonly Fault[] = [restarted as Fault, cutAfterCommit as Fault];
