import { randomUUID } from "node:crypto";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Ground, ways } from "../fault.ts";

/** Logins that the server refuses, or that may do less than is asked of them. */
export const logins: readonly Fault[] = [
  {
    group: "auth",
    name: "wrong password",
    ways,
    rounds: 5,
    async round(ground) {
      const { outcome, struck } = await watching(ground, "28P01", () => another(ground, { password: "wrong" }));
      return { struck, wrong: otherwise(outcome, { code: "28P01", fate: "not-sent" }) };
    },
  },
  {
    group: "auth",
    name: "role without rights",
    ways,
    rounds: 5,
    async round(ground) {
      const { user, password } = await makeRole(ground);
      const { outcome, struck } = await watching(ground, "42501", () => another(ground, { user, password }));
      return { struck, wrong: otherwise(outcome, { code: "42501", fate: "refused" }) };
    },
  },
  {
    group: "auth",
    name: "credentials rotated",
    ways,
    rounds: 5,
    async round(ground) {
      const { admin, contender, pause, send, id } = ground;
      const { user, password: old } = await makeRole(ground);
      await admin.query(`grant insert on fault_writes to ${user}`);
      const fresh = randomUUID();
      // the second call gives what a cache still held
      await send("rotating", { id: id(), passwords: [old, old, fresh], options: { user } });
      await admin.query(`alter role ${user} password '${fresh}'`);
      const { outcome, struck } = await watching(ground, "28P01", async () => {
        const killed = await admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1", [user]);
        await pause();
        return { ...(await send("rotated", { id: id() })), killed: killed.length };
      });
      await send("rotateEnd", {});
      // a process that dies with its sessions does not come to ask
      const died = contender === "bare" && outcome.killed > 0;
      return { struck: struck || died, wrong: outcome.state === "ok" ? undefined : `the write fails (${outcome.code})` };
    },
  },
];

/** Runs `work`, and says whether the server reported this SQLSTATE meanwhile, as the wire before it saw. */
async function watching<T>(
  { back }: Ground,
  sqlState: string,
  work: () => Promise<T>,
): Promise<{ readonly outcome: T; readonly struck: boolean }> {
  let struck = false;
  const stopListening = back.onMessage(({ from, type, body }: PostgresMessage) => {
    if (from === "server" && type === "E" && body.includes(`C${sqlState}\0`)) struck = true;
  });
  const outcome = await work();
  stopListening();
  return { outcome, struck };
}

function another({ send, id }: Ground, options: { readonly user?: string; readonly password: string }) {
  return send("another", { id: id(), options });
}

async function makeRole({ admin }: Ground): Promise<{ readonly user: string; readonly password: string }> {
  const user = `fault_${randomUUID().replaceAll("-", "")}`;
  const password = randomUUID();
  await admin.query(`create role ${user} login password '${password}'`);
  return { user, password };
}
