import { randomUUID } from "node:crypto";
import { signToken } from "../../../src/aws/sigv4-token.ts";

import { type FakeRdsProxy, startFakeRdsProxy } from "../../aws/fake-rds-proxy.ts";
import type { PostgresMessage } from "../../support/postgres-messages.ts";
import type { Fault, Ground, Middle, Round, Way } from "../fault.ts";
import { trustedAuthorities } from "../trust.ts";

const everywhere: readonly Way[] = ["pool", "http", "websocket", "request"];

/** Logins that the server refuses, or that may do less than is asked of them. */
export const logins: readonly Fault[] = [
  {
    group: "auth",
    name: "wrong password",
    ways: everywhere,
    rounds: 5,
    async round(ground) {
      const { outcome, struck } = await watching(ground, "28P01", () => another(ground, { password: "wrong" }));
      // an endpoint tells it without a code, as it tells every bad request
      const right = ground.way === "http" ? outcome.fate === "unknown" : outcome.code === "28P01" && outcome.fate === "not-sent";
      return { struck, wrong: right ? undefined : `${outcome.state}: ${outcome.code}, ${outcome.fate}` };
    },
  },
  {
    group: "auth",
    name: "role without rights",
    ways: everywhere,
    rounds: 5,
    async round(ground) {
      const { user, password } = await makeRole(ground);
      const { outcome, struck } = await watching(ground, "42501", () => another(ground, { user, password }));
      const right = outcome.code === "42501" && outcome.fate === "refused";
      return { struck, wrong: right ? undefined : `${outcome.state}: ${outcome.code}, ${outcome.fate}` };
    },
  },
  {
    group: "auth",
    name: "credentials rotated",
    ways: ["pool", "websocket", "request"],
    rounds: 5,
    async round(ground) {
      const { admin, contender, send, id } = ground;
      const { user, password: old } = await makeRole(ground);
      await admin.query(`grant insert on fault_writes to ${user}`);
      const fresh = randomUUID();
      // the second call gives what a cache still held
      await send("rotating", { id: id(), passwords: [old, old, fresh], options: { user } });
      await admin.query(`alter role ${user} password '${fresh}'`);
      const { outcome, struck } = await watching(ground, "28P01", async () => {
        const killed = await admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = $1", [user]);
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

const region = "eu-central-1";
const credentials = { accessKeyId: "AKIDFAULTS", secretAccessKey: "faults/secret", sessionToken: undefined, expiresAt: null };

/** RDS Proxy with IAM. */
interface IamServer extends Middle {
  readonly fake: FakeRdsProxy;
}

const spoiled = [
  { name: "expired IAM token", spoil: (sign: (at: number) => string) => sign(Date.now() - 20 * 60_000) },
  {
    name: "tampered IAM token",
    spoil: (sign: (at: number) => string) => sign(Date.now()).replace("DBUser=postgres", "DBUser=postgres2"),
  },
] as const;

/** IAM tokens that are not good any more, or never were: the server refuses them, and a password function is asked for another. */
export const tokens: readonly Fault[] = spoiled.map(
  ({ name, spoil }): Fault<IamServer> => ({
    group: "auth",
    name,
    ways: ["pool"],
    rounds: 5,
    async middle(next, server) {
      const fake = await startFakeRdsProxy({
        server: next,
        passwords: { [server.user]: server.password },
        region,
        credentials: [credentials],
      });
      return { ...next, fake, [Symbol.asyncDispose]: () => fake[Symbol.asyncDispose]() };
    },
    round: (ground) => offerToken(ground, spoil),
  }),
);

async function offerToken(
  { middle: { fake }, server, send, id }: Ground<IamServer>,
  spoil: (sign: (at: number) => string) => string,
): Promise<Round> {
  const sign = (at: number) => signToken({ host: fake.host, port: fake.port, user: server.user, region }, credentials, at);
  const before = fake.refusals.length;
  const place = { host: fake.host, port: fake.port, ca: trustedAuthorities, sslMode: "verify-full", target: "rds-proxy" } as const;
  const { state, code } = await send("rotating", { id: id(), passwords: [spoil(sign), sign(Date.now())], options: place });
  await send("rotateEnd", {});
  return { struck: fake.refusals.length > before, wrong: state === "ok" ? undefined : `the write fails (${code})` };
}
