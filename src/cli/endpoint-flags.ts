import { platformVariables } from "../decide/settings.ts";
import type { EndpointOptions, OptionNames } from "../endpoint/endpoint-options.ts";
import { type GivenFlags, readFlags } from "./flags.ts";
import { WrongUse } from "./wrong-use.ts";

/** What `warmline endpoint --help` prints. */
export const ENDPOINT_USAGE = `Usage: warmline endpoint [options]

Speaks Neon's SQL over HTTP (POST /sql) and WebSocket (/v2) protocol in front of any Postgres, for development and tests.
User, password and database come with each request, as with Neon. A browser is shown at / how clients are pointed at it.

Options:
  --database-url <url>   the server to stand in front of; DATABASE_URL by default. User and password may be left out
  --port <port>          4444 by default, 0 for any free one
  --host <host>          127.0.0.1 by default; anything but loopback needs a token
  --token <token>        ask for it in "Authorization: Bearer <token>"; WARMLINE_ENDPOINT_TOKEN by default
  --env-file <path>      read variables from this file; those that are set already stay
  --verbose              a line for each request and each connection to the server, not for failures alone
  -h, --help             this text

At the start it looks at the server, for 5 s at most, and logs in where the URL has user and password. One that is not there is
waited for; one that refuses ends the command. Failed requests are told on standard error, the same ones once in 10 s.

Exit codes: 0 ended by SIGINT or SIGTERM, 1 it cannot listen or the database refuses it, 2 it was called as it cannot be`;

const flags = {
  "database-url": { example: "postgres://user:password@localhost:5432/database" },
  port: { example: "4444" },
  host: { example: "127.0.0.1" },
  token: { example: "<token>" },
  "env-file": { example: ".env" },
  verbose: {},
  help: { short: "h" },
};

/** The flags of `endpoint` that were given. */
export type EndpointFlags = GivenFlags<keyof typeof flags>;

/** Reads the arguments. @throws {WrongUse} */
export function readEndpointFlags(args: readonly string[]): EndpointFlags {
  return readFlags("warmline endpoint", flags, args);
}

/** What `startEndpoint` takes, of flags and variables, and what each is called there. @throws {WrongUse} */
export function readEndpointChoices(
  given: EndpointFlags,
  env: Readonly<Record<string, string | undefined>>,
): { readonly options: EndpointOptions; readonly names: OptionNames & { readonly databaseUrl: string } } {
  const databaseUrl = textOf(given["database-url"]) ?? env.DATABASE_URL;
  if (!databaseUrl) throw new WrongUse(`No database URL. Give --database-url, or set DATABASE_URL.${setElsewhere(env)}`);
  const port = textOf(given.port);
  const host = textOf(given.host);
  const token = textOf(given.token) ?? env.WARMLINE_ENDPOINT_TOKEN;
  return {
    options: {
      databaseUrl,
      ...(port === undefined ? {} : { port: /^\d+$/.test(port) ? Number(port) : Number.NaN }),
      ...(host === undefined ? {} : { host }),
      ...(token === undefined ? {} : { token }),
    },
    names: {
      databaseUrl: given["database-url"] === undefined ? "DATABASE_URL" : "--database-url",
      port: "--port",
      host: "--host",
      token: given.token === undefined && token !== undefined ? "WARMLINE_ENDPOINT_TOKEN" : "--token",
    },
  };
}

function textOf(flag: string | true | undefined): string | undefined {
  return flag === true ? undefined : flag;
}

function setElsewhere(env: Readonly<Record<string, string | undefined>>): string {
  const other = platformVariables.find((name) => env[name]);
  return other === undefined ? "" : ` ${other} is set: --database-url "$${other}".`;
}
