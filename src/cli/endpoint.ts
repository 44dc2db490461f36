import { parseArgs } from "node:util";
import { type EndpointOptions, startEndpoint } from "../endpoint/endpoint.ts";

const USAGE = `Usage: warmline endpoint [options]

Speaks Neon's SQL over HTTP (POST /sql) and WebSocket (/v2) protocol in front of any Postgres, for development and tests.
User, password and database come with each request, as with Neon.

Options:
  --database-url <url>   the server to stand in front of; DATABASE_URL by default
  --port <port>          4444 by default, 0 for any free one
  --host <host>          127.0.0.1 by default; anything but loopback needs a token
  --token <token>        ask for it in "Authorization: Bearer <token>"; WARMLINE_ENDPOINT_TOKEN by default
  --help                 this text`;

/** Runs `warmline endpoint` until SIGINT or SIGTERM. Rejects with a message of one line, which holds no value that was given. */
export async function endpointCommand(args: readonly string[]): Promise<void> {
  const values = readArguments(args);
  if (values.help === true) {
    console.log(USAGE);
    return;
  }
  const endpoint = await startEndpoint(readOptions(values));
  console.log(`Listening on ${endpoint.url}`);
  const stop = async () => {
    await endpoint.stop();
    process.exit(0);
  };
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
}

interface Arguments {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly token?: string | undefined;
  readonly "database-url"?: string | undefined;
  readonly help?: boolean | undefined;
}

function readArguments(args: readonly string[]): Arguments {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { port: text, host: text, token: text, "database-url": text, help: { type: "boolean", short: "h" } },
    }).values;
  } catch (error) {
    const { code } = error as { code?: string };
    const problem =
      code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE"
        ? "An option lacks its value, or has one it does not take"
        : "There is an option or argument that endpoint does not know";
    throw new Error(`${problem}. Run "warmline endpoint --help" for those there are.`);
  }
}

function readOptions(values: Arguments): EndpointOptions {
  const databaseUrl = values["database-url"] ?? process.env.DATABASE_URL;
  const token = values.token ?? process.env.WARMLINE_ENDPOINT_TOKEN;
  if (databaseUrl === undefined || databaseUrl === "") throw new Error("No database URL. Give --database-url, or set DATABASE_URL.");
  return {
    databaseUrl,
    ...(values.port === undefined ? {} : { port: readPort(values.port) }),
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(token === undefined ? {} : { token }),
  };
}

function readPort(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}
