import { type Endpoint, serveEndpoint } from "../endpoint/endpoint.ts";
import { type EndpointOptions, type EndpointSettings, type OptionNames, readEndpointOptions } from "../endpoint/endpoint-options.ts";
import { parseServerLogin } from "../endpoint/server-address.ts";
import { ENDPOINT_USAGE, readEndpointChoices, readEndpointFlags } from "./endpoint-flags.ts";
import { createRequestLog } from "./request-log.ts";
import type { Surroundings } from "./surroundings.ts";
import { type Terminal, terminalOn } from "./terminal.ts";
import { withFile } from "./variables.ts";
import { waitForServer } from "./wait-for-server.ts";
import { WrongUse } from "./wrong-use.ts";

/**
 * Runs `warmline endpoint` until it is asked to end. Rejects with a message of one line, which holds no value that was given: a WrongUse, or where
 * it cannot listen, or the database refuses it, another error.
 */
export async function endpointCommand(args: readonly string[], { env, stdout, stderr, stopping }: Surroundings): Promise<void> {
  const out = terminalOn(stdout, env);
  const err = terminalOn(stderr, env);
  const given = readEndpointFlags(args);
  if (given.help === true) return out.line(ENDPOINT_USAGE);
  const { options, names } = readEndpointChoices(given, withFile(given["env-file"], env));

  const log = createRequestLog({ out, err, verbose: given.verbose === true });
  const settings = readSettings({ ...options, onEvent: log.onEvent }, names);
  const endpoint = await serveEndpoint(settings);
  try {
    tellWhatToSet(out, endpoint, settings);
    const { address } = settings;
    const login = parseServerLogin(options.databaseUrl);
    await waitForServer({ address, login, urlName: names.databaseUrl, stopping, out, err });
    await ended(stopping);
  } finally {
    await endpoint.stop();
    log.end();
  }
}

function tellWhatToSet(out: Terminal, { url }: Endpoint, { token }: EndpointSettings): void {
  out.line(`Listening on ${out.in("cyan", url)}`);
  if (token !== undefined) {
    out.line('Each request needs the token in "Authorization: Bearer …"; Neon\'s driver takes it as authToken, over HTTP');
    return;
  }
  out.line(`Set WARMLINE_ENDPOINT=${url}, and DATABASE_URL to the database's own, with user and password`);
  out.line(`Neon's driver, Drizzle, Prisma: the lines to write are on ${out.in("cyan", `${url}/`)}`);
}

/** What can be told of options by themselves is a matter of how the command was called. */
function readSettings(options: EndpointOptions, names: OptionNames): EndpointSettings {
  try {
    return readEndpointOptions(options, names);
  } catch (error) {
    throw error instanceof Error ? new WrongUse(error.message) : error;
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
