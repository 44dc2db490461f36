import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { findPgBouncer, startPgBouncer } from "../../test/support/pgbouncer.ts";
import { startFakeRdsProxy } from "../../test/support/rds-proxy/fake-rds-proxy.ts";
import type { Contender } from "./contender.ts";
import { serveOnLambda } from "./sandbox.ts";

const SLOTS = 16;
const ENVIRONMENTS = 40;

const region = "eu-central-1";
const proxySuffix = `.proxy-warmline.${region}.rds.amazonaws.com`;

/** The demo's built Lambda function in the freezing sandbox, straight to Postgres. */
export const lambdaDirect: Contender = {
  runtime: "lambda",
  transport: "direct",
  over: "pool",
  connections: 1,
  serve: ({ databaseUrl }) => serveOnLambda({ env: { DATABASE_URL: databaseUrl } }),
};

/** The same through a server that demands TLS and an IAM token as RDS Proxy does, under a name of RDS Proxy's. */
export const lambdaOverRdsProxy: Contender = {
  runtime: "lambda",
  transport: "rds proxy",
  over: "pool",
  connections: 1,
  async serve({ databaseUrl }) {
    const { hostname, port, username, password, pathname } = new URL(databaseUrl);
    const credentials = { accessKeyId: "AKIDPROOF", secretAccessKey: randomUUID(), sessionToken: randomUUID() };
    const proxy = await startFakeRdsProxy({
      name: `demo${proxySuffix}`,
      server: { host: hostname, port: Number(port) },
      passwords: { [username]: decodeURIComponent(password) },
      region,
      credentials: [credentials],
    });
    const knownHosts = new URL("../../test/support/lambda/known-hosts.ts", import.meta.url);
    knownHosts.searchParams.set("suffix", proxySuffix);
    const served = await serveOnLambda({
      env: {
        DATABASE_URL: `postgresql://${username}@${proxy.host}:${proxy.port}${pathname}`,
        AWS_REGION: region,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        AWS_SESSION_TOKEN: credentials.sessionToken,
        NODE_EXTRA_CA_CERTS: fileURLToPath(new URL("../../test/support/tls/ca.pem", import.meta.url)),
        NODE_OPTIONS: `--import ${knownHosts.href}`,
      },
    });
    return {
      ...served,
      alsoCounted: () => ({
        words: `${proxy.tokens.length} IAM token signed, over TLS; ${served.alsoCounted().words}`,
        held: proxy.tokens.length === 1 && proxy.refusals.length === 0,
      }),
      async stop() {
        await served.stop();
        await proxy[Symbol.asyncDispose]();
      },
    };
  },
};

/** More environments than the server has slots, each with a connection of its own to a pooler that has as many as there are slots. */
const scaleOut: Contender = {
  runtime: "lambda",
  transport: "pgbouncer, scale-out",
  over: "pool",
  connections: SLOTS,
  atOnce: 8,
  async serve({ databaseUrl }) {
    const { hostname, port, username, password, pathname } = new URL(databaseUrl);
    const target = { host: hostname, port: Number(port), user: username, password: decodeURIComponent(password) };
    const pooler = await startPgBouncer(target, { default_pool_size: String(SLOTS) });
    const url = `${pooler.url(decodeURIComponent(pathname.slice(1)))}?pgbouncer=true`;
    const served = await serveOnLambda({ env: { DATABASE_URL: url }, environments: ENVIRONMENTS });
    return {
      ...served,
      alsoCounted: () => ({ words: `${ENVIRONMENTS} environments on ${SLOTS} slots; ${served.alsoCounted().words}`, held: true }),
      async stop() {
        await served.stop();
        await pooler.stop();
      },
    };
  },
};

/** At scale, where PgBouncer is installed; empty elsewhere. */
export const lambdaAtScale: readonly Contender[] = findPgBouncer() === undefined ? [] : [scaleOut];
