import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { startFakeDsql } from "../../test/support/dsql/fake-dsql.ts";
import { findPgBouncer, startPgBouncer } from "../../test/support/pgbouncer.ts";
import type { KnownCredentials } from "../../test/support/rds-proxy/check-token.ts";
import { startFakeRdsProxy } from "../../test/support/rds-proxy/fake-rds-proxy.ts";
import type { Contender, Served } from "./contender.ts";
import { serveOnLambda } from "./sandbox.ts";

const SLOTS = 16;
const ENVIRONMENTS = 40;

const region = "eu-central-1";
const proxySuffix = `.proxy-warmline.${region}.rds.amazonaws.com`;
const dsqlSuffix = `.dsql.${region}.on.aws`;

/** The demo's built Lambda function in the freezing sandbox, straight to Postgres. */
export const lambdaDirect: Contender = {
  runtime: "lambda",
  transport: "direct",
  over: "pool",
  connections: 1,
  serve: ({ databaseUrl }) => serveOnLambda({ env: { DATABASE_URL: databaseUrl } }),
};

/** A server that wants IAM tokens for passwords, and what it counted. */
interface TokenServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly tokens: readonly string[];
  readonly refusals: readonly string[];
}

/** The demo behind a server that wants IAM tokens and TLS, under a name of its kind that ends in `suffix`. */
interface BehindTokens {
  readonly suffix: string;
  /** The certificate of its authority, in test/support/tls. */
  readonly ca: string;
  /** Where it stands before the database of this address. */
  readonly start: (server: URL, credentials: Required<KnownCredentials>) => Promise<{ readonly fake: TokenServer; readonly path: string }>;
}

async function serveBehindTokens(databaseUrl: string, { suffix, ca, start }: BehindTokens): Promise<Required<Served>> {
  const credentials = { accessKeyId: "AKIDPROOF", secretAccessKey: randomUUID(), sessionToken: randomUUID() };
  const server = new URL(databaseUrl);
  const { fake, path } = await start(server, credentials);
  const knownHosts = new URL("../../test/support/lambda/known-hosts.ts", import.meta.url);
  knownHosts.searchParams.set("suffix", suffix);
  const served = await serveOnLambda({
    env: {
      DATABASE_URL: `postgresql://${server.username}@${fake.host}:${fake.port}${path}`,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_SESSION_TOKEN: credentials.sessionToken,
      NODE_EXTRA_CA_CERTS: fileURLToPath(new URL(`../../test/support/tls/${ca}`, import.meta.url)),
      NODE_OPTIONS: `--import ${knownHosts.href}`,
    },
  });
  return {
    ...served,
    alsoCounted: () => ({
      words: `${fake.tokens.length} IAM token signed, over TLS; ${served.alsoCounted().words}`,
      held: fake.tokens.length === 1 && fake.refusals.length === 0,
    }),
    async stop() {
      await served.stop();
      await fake[Symbol.asyncDispose]();
    },
  };
}

/** The same through a server that demands TLS and an IAM token as RDS Proxy does, under a name of RDS Proxy's. */
export const lambdaOverRdsProxy: Contender = {
  runtime: "lambda",
  transport: "rds proxy",
  over: "pool",
  connections: 1,
  serve: ({ databaseUrl }) =>
    serveBehindTokens(databaseUrl, {
      suffix: proxySuffix,
      ca: "ca.pem",
      start: async ({ hostname, port, username, password, pathname }, credentials) => ({
        path: pathname,
        fake: await startFakeRdsProxy({
          name: `demo${proxySuffix}`,
          server: { host: hostname, port: Number(port) },
          passwords: { [username]: decodeURIComponent(password) },
          region,
          credentials: [credentials],
        }),
      }),
    }),
};

/** The same through a server that speaks as Aurora DSQL does, under a name of its own. */
export const lambdaOverDsql: Contender = {
  runtime: "lambda",
  transport: "dsql",
  over: "pool",
  connections: 1,
  serve: ({ databaseUrl }) =>
    serveBehindTokens(databaseUrl, {
      suffix: dsqlSuffix,
      ca: "dsql-ca.pem",
      start: async ({ hostname, port, username, password, pathname }, credentials) => ({
        // its only database
        path: "/postgres",
        fake: await startFakeDsql({
          name: `kiademo${dsqlSuffix}`,
          server: { host: hostname, port: Number(port), database: decodeURIComponent(pathname.slice(1)) },
          users: { [username]: { user: username, password: decodeURIComponent(password) } },
          region,
          credentials: [credentials],
        }),
      }),
    }),
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
