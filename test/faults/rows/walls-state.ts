import type { Left } from "../errands/endings.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Way, ways } from "../fault.ts";

const row = { group: "walls", rounds: 3, bareRounds: 0, options: { max: 1 } } as const;
const inCallbacks: readonly Way[] = ["pool", "websocket", "request", "lambda"];

/** What a session can leave on its connection, and what the next user finds of each. */
const left: Readonly<Record<string, { readonly set: string; readonly found: string }>> = {
  "a setting": { set: "set work_mem = '123MB'", found: "select current_setting('work_mem') = '123MB'" },
  "a setting by a function": {
    set: "select set_config('walls.left', 'yes', false)",
    found: "select coalesce(current_setting('walls.left', true), '') <> ''",
  },
  "an advisory lock": {
    set: "select pg_advisory_lock(20111)",
    found: "select exists (select from pg_locks where locktype = 'advisory' and objid = 20111 and pid = pg_backend_pid())",
  },
  "a temporary table": { set: "create temporary table walls_left (id int)", found: "select to_regclass('pg_temp.walls_left') is not null" },
  "a prepared statement": {
    set: "prepare walls_left as select 1",
    found: "select exists (select from pg_prepared_statements where name = 'walls_left')",
  },
  "a role": { set: "set role pg_monitor", found: "select current_user = 'pg_monitor'" },
};

/** What stays with a connection must not stay for whoever uses it next. */
export const wallsState: readonly Fault[] = [
  {
    ...row,
    name: "session that leaves its state behind",
    ways: inCallbacks,
    async round({ way, send }) {
      const { told } = await send("leavesState", { left: Object.values(left) });
      const { pids, found } = told as Left;
      const names = Object.keys(left).filter((_, index) => found[index]);
      // over a WebSocket each session has a connection of its own
      return {
        struck: way === "websocket" || pids.length > 0,
        wrong: names.length === 0 ? undefined : `the next finds ${names.join(", ")}`,
      };
    },
  },
  ...[
    ["set work_mem = '123MB'", "SESSION_STATE"],
    ["select pg_advisory_lock(20112)", "SESSION_STATE"],
    ["listen walls", "NOT_DELIVERED"],
    ["copy fault_writes to stdout", "NOT_DELIVERED"],
  ].map(
    ([text = "", code = ""]): Fault => ({
      ...row,
      name: `${text} by itself`,
      ways: ways.filter((way) => way !== "websocket"),
      rounds: 1,
      async round({ send }) {
        const outcome = await send("statement", { ids: [], text });
        return { struck: outcome.settled.length > 0, wrong: otherwise(outcome, { code, fate: "not-sent" }) };
      },
    }),
  ),
];
