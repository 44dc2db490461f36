import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { startNetwork } from "../../test/lambda/network.ts";
import { type FakeDsql, startFakeDsql } from "../../test/support/dsql/fake-dsql.ts";
import { findPgBouncer, startPgBouncer } from "../../test/support/pgbouncer.ts";
import type { KnownCredentials } from "../../test/support/rds-proxy/check-token.ts";
import { startFakeRdsProxy } from "../../test/support/rds-proxy/fake-rds-proxy.ts";
import type { Contender, Place, Served } from "./contender.ts";
import { type Deployment, serveOnLambda } from "./sandbox.ts";

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

/** Pauses in which the network forgets the function's connection: every tenth, ten times at most. */
const isForgotten = (pause: number) => pause % 10 === 0 && pause <= 10 * FORGOTTEN_AT_MOST;
const FORGOTTEN_AT_MOST = 10;
/** It has forgotten all it will after a hundred. */
const FORGETFUL_INVOCATIONS = 200;

/** Behind a network that forgets a connection while its function is frozen, as a NAT does: the function's next write is answered with a reset. */
async function serveForgotten({ databaseUrl }: Place, deployment?: Pick<Deployment, "bare">): Promise<Served> {
  const { hostname, port } = new URL(databaseUrl);
  const network = await startNetwork({ host: hostname, port: Number(port) });
  const url = new URL(databaseUrl);
  url.port = String(network.port);
  const served = await serveOnLambda({
    ...deployment,
    env: { DATABASE_URL: url.href },
    pause: { before: () => ({ wallClockMs: 200 }), inWords: () => "frozen for 0.2 s before each" },
    whileFrozen(pause) {
      if (isForgotten(pause)) network.lay({ kind: "rst-on-write" });
    },
  });
  return {
    ...served,
    alsoCounted: () => ({
      words: `${served.alsoCounted().words}, and its connection forgotten ${network.strikes.length} times meanwhile`,
      held: true,
    }),
    async stop() {
      await served.stop();
      await network.close();
    },
  };
}

/** The demo's function there: it finds a connection that is gone before its caller does. */
export const lambdaForgotten: Contender = {
  runtime: "lambda",
  transport: "direct, forgotten",
  over: "pool",
  connections: 1 + FORGOTTEN_AT_MOST,
  atMost: FORGETFUL_INVOCATIONS,
  serve: serveForgotten,
};

/** The same work over pg's own pool at module scope. */
export const poolForgotten: Contender = {
  runtime: "lambda",
  transport: "bare pg.Pool, forgotten",
  over: "bare pg.Pool",
  connections: "not promised",
  atMost: FORGETFUL_INVOCATIONS,
  serve: (place) =>
    serveForgotten(place, {
      bare: {
        source: fileURLToPath(new URL("bare/pool-on-lambda.ts", import.meta.url)),
        why: "bare pg.Pool: at module scope, its connection taken for open",
      },
    }),
};

/** A server that wants IAM tokens for passwords, and what it counted. */
interface TokenServer extends AsyncDisposable {
  /** Logins that were let in. */
  readonly logins: number;
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
  /** How its environment is frozen. Default: as every other. */
  readonly sleep?: Pick<Deployment, "pause" | "whileFrozen">;
  /** Where it stands before the database of this address. */
  readonly start: (server: URL, credentials: Required<KnownCredentials>) => Promise<{ readonly fake: TokenServer; readonly path: string }>;
}

async function serveBehindTokens(databaseUrl: string, { suffix, ca, sleep, start }: BehindTokens): Promise<Required<Served>> {
  const credentials = { accessKeyId: "AKIDPROOF", secretAccessKey: randomUUID(), sessionToken: randomUUID() };
  const server = new URL(databaseUrl);
  const { fake, path } = await start(server, credentials);
  const knownHosts = new URL("../../test/support/lambda/known-hosts.ts", import.meta.url);
  knownHosts.searchParams.set("suffix", suffix);
  const served = await serveOnLambda({
    ...sleep,
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
      words: `${fake.tokens.length} IAM tokens for ${fake.logins} logins, over TLS; ${served.alsoCounted().words}`,
      held: fake.tokens.length === fake.logins && fake.refusals.length === 0,
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

/** Of a thousand nearly three hours: a connection to Aurora DSQL lives for one. */
const sleepsOverDsql = (pause: number) => (pause % 25 === 0 ? 240_000 : 200);

/** The same through a server that speaks as Aurora DSQL does, under a name of its own: each connection is replaced before its hour. */
export const lambdaOverDsql: Contender = {
  runtime: "lambda",
  transport: "dsql",
  over: "pool",
  connections: 4,
  async serve({ databaseUrl }) {
    let sleptMs = 0;
    let fake: FakeDsql | undefined;
    const served = await serveBehindTokens(databaseUrl, {
      suffix: dsqlSuffix,
      ca: "dsql-ca.pem",
      sleep: {
        pause: { before: (pause) => ({ wallClockMs: sleepsOverDsql(pause) }), inWords: () => `frozen for ${minutes(sleptMs)} in all` },
        // one clock for both
        whileFrozen(pause) {
          sleptMs += sleepsOverDsql(pause);
        },
      },
      async start({ hostname, port, username, password, pathname }, credentials) {
        fake = await startFakeDsql({
          name: `kiademo${dsqlSuffix}`,
          server: { host: hostname, port: Number(port), database: decodeURIComponent(pathname.slice(1)) },
          users: { [username]: { user: username, password: decodeURIComponent(password) } },
          region,
          credentials: [credentials],
          now: () => Date.now() + sleptMs,
        });
        // its only database
        return { path: "/postgres", fake };
      },
    });
    return {
      ...served,
      alsoCounted() {
        const { words, held } = served.alsoCounted();
        return { words: `${fake?.ended} ended by their hour; ${words}`, held: held && fake?.ended === 0 };
      },
    };
  },
};

const minutes = (ms: number): string => `${Math.round(ms / 60_000)} min`;

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
