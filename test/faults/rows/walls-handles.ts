import type { Neighbours } from "../errands/walls.ts";
import type { ErrandInput } from "../errands.ts";
import type { Fault, Ground } from "../fault.ts";
import { trustedAuthorities } from "../trust.ts";
import { carries, watch } from "../watch.ts";

const row = { group: "walls", ways: ["pool"], rounds: 3, bareRounds: 0 } as const;

/** A handle beside another one of the same address, database and user, and what each is told. */
interface Difference {
  readonly name: string;
  readonly text: string;
  /** Of the handle that is there, and of the one that comes. */
  readonly options?: NonNullable<Fault["options"]>;
  readonly changed: ErrandInput<"neighbours">["changed"];
  readonly own: string;
  readonly other: string;
  /** What the server needs for it. */
  readonly before?: string;
  readonly server?: NonNullable<Fault["server"]>;
}

const role = `do $$ begin create role walls_limited nologin; exception when duplicate_object then null; end $$`;
const schemas = "create schema if not exists walls_a; create schema if not exists walls_b";

const differences: readonly Difference[] = [
  {
    name: "a role",
    text: "select current_user",
    changed: { startupOptions: "-c role=walls_limited" },
    own: "postgres",
    other: "walls_limited",
    before: role,
  },
  {
    name: "another search_path",
    text: "select current_schema",
    options: { startupOptions: "-c search_path=walls_a,public" },
    changed: { startupOptions: "-c search_path=walls_b,public" },
    own: "walls_a",
    other: "walls_b",
    before: schemas,
  },
  {
    name: "plain text",
    text: "select ssl from pg_stat_ssl where pid = pg_backend_pid()",
    server: { tls: true },
    options: { sslMode: "verify-full", ca: trustedAuthorities },
    changed: { sslMode: "disable", ca: null },
    own: "true",
    other: "false",
  },
  { name: "a wrong password", text: "select 'mine'", changed: { password: "wrong" }, own: "mine", other: "28P01" },
];

/** Handles that share a room, and must share nothing that says who they are. */
export const wallsHandles: readonly Fault[] = [
  ...differences.map(
    ({ name, options, server, before, ...difference }): Fault => ({
      ...row,
      name: `handle with ${name} beside another`,
      ...(options && { options }),
      ...(server && { server }),
      async round(ground) {
        if (before !== undefined) await ground.admin.query(before);
        return beside(ground, difference);
      },
    }),
  ),
  {
    ...row,
    name: "end of a shared pool, and of another handle",
    async round({ back, id, send }) {
      const input = { first: id(), second: id() };
      const used = watch(back, carries(input.first));
      const outcome = await send("ended", input);
      used.stop();
      const wrong = outcome.state === "ok" ? undefined : `the next write fails with ${outcome.code}`;
      return {
        struck: used.seen(),
        wrong: wrong ?? (outcome.told === "CLOSED" ? undefined : `the pool that was ended says: ${outcome.told}`),
      };
    },
  },
];

async function beside({ back, send }: Ground, { text, changed, own, other }: Pick<Difference, "text" | "changed" | "own" | "other">) {
  const opened = back.connections();
  const { told } = await send("neighbours", { text, changed });
  const answers = told as Neighbours | undefined;
  const got = `${answers?.own} and ${answers?.other}`;
  return { struck: back.connections() > opened, wrong: got === `${own} and ${other}` ? undefined : `they are told ${got}` };
}
