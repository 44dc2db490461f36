import { signToken } from "../../../src/aws/sigv4-token.ts";
import { type FakeRdsProxy, startFakeRdsProxy } from "../../support/rds-proxy/fake-rds-proxy.ts";
import type { Fault, Ground, Middle, Round } from "../fault.ts";
import { trustedAuthorities } from "../trust.ts";

const region = "eu-central-1";
const credentials = { accessKeyId: "AKIDFAULTS", secretAccessKey: "faults/secret", sessionToken: undefined, expiresAt: null };
/** Longer than a token holds, which is a quarter of an hour. */
const TOO_LONG_MS = 20 * 60_000;

/** RDS Proxy with IAM. */
interface IamServer extends Middle {
  readonly fake: FakeRdsProxy;
  /** Sets its clock so far ahead of this machine's. */
  ahead(ms: number): void;
}

const behindRdsProxy: NonNullable<Fault<IamServer>["middle"]> = async (next, server) => {
  let aheadMs = 0;
  const fake = await startFakeRdsProxy({
    server: next,
    passwords: { [server.user]: server.password },
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

const iam = { group: "auth", rounds: 5, middle: behindRdsProxy } as const;

const spoiled: readonly (readonly [name: string, spoil: (sign: Sign) => string])[] = [
  ["expired IAM token", (sign) => sign(Date.now() - TOO_LONG_MS)],
  ["tampered IAM token", (sign) => sign(Date.now()).replace("DBUser=postgres", "DBUser=postgres2")],
];

/** IAM tokens that are not good any more, or never were: the server refuses them, and a password function is asked for another. */
export const tokens: readonly Fault[] = [
  ...spoiled.map(
    ([name, spoil]): Fault<IamServer> => ({
      ...iam,
      name,
      // RDS Proxy speaks no SQL over HTTP
      ways: ["pool", "request", "lambda"],
      async round(ground) {
        const sign = signer(ground);
        const { fake } = ground.middle;
        const before = fake.refusals.length;
        const { state, code } = await login(ground, [spoil(sign), sign(Date.now())]);
        await ground.send("rotateEnd", {});
        return { struck: fake.refusals.length > before, wrong: state === "ok" ? undefined : `the write fails (${code})` };
      },
    }),
  ),
  {
    ...iam,
    name: "IAM token expired during a freeze",
    ways: ["lambda"],
    async round(ground: Ground<IamServer>): Promise<Round> {
      const { admin, applicationName, middle, pause, send, id } = ground;
      const sign = signer(ground);
      // the second call gives what was kept in a variable
      const token = sign(Date.now());
      await login(ground, [token, token, sign(Date.now() + TOO_LONG_MS)]);
      const before = middle.fake.refusals.length;
      await admin.kill(applicationName);
      middle.ahead(TOO_LONG_MS);
      await pause(TOO_LONG_MS);
      const { state, code } = await send("rotated", { id: id() });
      middle.ahead(0);
      await send("rotateEnd", {});
      const struck = middle.fake.refusals.slice(before).includes("expired");
      return { struck, wrong: state === "ok" ? undefined : `the write fails (${code})` };
    },
  } satisfies Fault<IamServer>,
];

type Sign = (at: number) => string;

function signer({ middle: { fake }, server }: Ground<IamServer>): Sign {
  return (at) => signToken({ service: "rds-db", host: fake.host, port: fake.port, user: server.user, region }, credentials, at);
}

/** Writes with a client whose password function gives these, one after the other. */
function login({ middle: { fake }, send, id }: Ground<IamServer>, passwords: readonly string[]) {
  const place = { host: fake.host, port: fake.port, ca: trustedAuthorities, sslMode: "verify-full", target: "rds-proxy" } as const;
  return send("rotating", { id: id(), passwords, options: place });
}
