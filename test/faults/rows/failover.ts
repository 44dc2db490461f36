import { until } from "../admin.ts";
import { otherwise } from "../expected.ts";
import type { Fault, Ground } from "../fault.ts";
import { isServerError, watch } from "../watch.ts";

/** A server that has become a replica under its connections. */
export const failover: readonly Fault[] = [
  {
    group: "connection",
    name: "failover to a replica, 25006",
    alone: true,
    ways: ["pool", "http", "websocket", "request", "lambda"],
    rounds: 5,
    async round(ground) {
      const refused = watch(ground.back, isServerError("25006"));
      await turnReadOnly(ground, true);
      await ground.pause();
      const outcome = await ground.write();
      refused.stop();
      await turnReadOnly(ground, false);
      return {
        struck: refused.seen(),
        wrong: otherwise(outcome, { code: "25006", fate: "refused" }),
      };
    },
  },
];

/** Makes the server refuse writes as a replica does, or take them again, in sessions that are open too. */
async function turnReadOnly({ admin }: Ground, on: boolean): Promise<void> {
  const wanted = on ? "on" : "off";
  await admin.query(`alter system set default_transaction_read_only = ${wanted}`);
  await admin.query("select pg_reload_conf()");
  // what a new session would find, in the file the server has read
  const text = "select 1 from pg_settings where name = 'default_transaction_read_only' and reset_val = $1";
  await until(async () => (await admin.query(text, [wanted])).length > 0);
}
