import { signToken } from "../../../src/aws/sigv4-token.ts";
import { type FakeDsql, startFakeDsql } from "../../support/dsql/fake-dsql.ts";
import { failing } from "../expected.ts";
import type { Fault, Ground, Middle, Round } from "../fault.ts";
import { trustedAuthorities } from "../trust.ts";

const region = "eu-central-1";
const credentials = { accessKeyId: "AKIDFAULTS", secretAccessKey: "faults/secret", sessionToken: undefined, expiresAt: null };
const HOUR_MS = 60 * 60_000;

/** Aurora DSQL. */
interface DsqlServer extends Middle {
  readonly fake: FakeDsql;
  /** Sets its clock so far ahead of this machine's. */
  ahead(ms: number): void;
}

const inFrontOfDsql: NonNullable<Fault<DsqlServer>["middle"]> = async (next, { user, password }) => {
  let aheadMs = 0;
  const fake = await startFakeDsql({
    server: next,
    users: { [user]: { user, password } },
    region,
    credentials: [credentials],
    now: () => Date.now() + aheadMs,
  });
  return {
    ...next,
    fake,
    ahead(ms) {
      aheadMs = ms;
    },
    [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose](),
  };
};

// it speaks no SQL over HTTP, and nothing signs its tokens in Workers
const dsql = { group: "dsql", rounds: 5, ways: ["pool", "lambda"], middle: inFrontOfDsql } as const;

/** What befalls clients of Aurora DSQL, and nobody else's. */
export const dsqlRows: readonly Fault[] = [
  ...(["40001", "OC000", "OC001"] as const).map(
    (code): Fault<DsqlServer> => ({
      ...dsql,
      name: `write in conflict, told as ${code}`,
      async round(ground) {
        await login(ground, Date.now());
        ground.middle.fake.conflict(code);
        return rewritten(ground, () => ground.middle.fake.conflicts === 0);
      },
    }),
  ),
  {
    ...dsql,
    name: "connection ended at its hour",
    async round(ground: Ground<DsqlServer>): Promise<Round> {
      const { middle, pause } = ground;
      await login(ground, Date.now(), Date.now() + HOUR_MS);
      const before = middle.fake.ended;
      middle.ahead(HOUR_MS);
      middle.fake.retire();
      await pause(HOUR_MS);
      const round = await rewritten(ground, () => middle.fake.ended > before);
      middle.ahead(0);
      return round;
    },
  } satisfies Fault<DsqlServer>,
  {
    ...dsql,
    name: "logins too fast (53400)",
    async round(ground: Ground<DsqlServer>): Promise<Round> {
      const { fake } = ground.middle;
      fake.tooFast(1);
      const before = fake.refusals.length;
      const outcome = await login(ground, Date.now());
      await ground.send("rotateEnd", {});
      return { struck: fake.refusals.slice(before).includes("too fast"), wrong: failing(outcome) };
    },
  } satisfies Fault<DsqlServer>,
];

/** Writes with the client that has logged in, which it leaves then. */
async function rewritten(ground: Ground<DsqlServer>, wasStruck: () => boolean): Promise<Round> {
  const outcome = await ground.send("rotated", { id: ground.id() });
  await ground.send("rotateEnd", {});
  return { struck: wasStruck(), wrong: failing(outcome) };
}

/** Writes with a client of its own, which logs in with tokens signed at these times, one after the other. */
function login({ middle: { fake }, server: { user }, send, id }: Ground<DsqlServer>, ...times: readonly number[]) {
  const { host, port } = fake;
  const passwords = times.map((at) => signToken({ service: "dsql", host, port, user, region }, credentials, at));
  return send("rotating", { id: id(), passwords, options: { host, port, ca: trustedAuthorities, sslMode: "verify-full", target: "dsql" } });
}
