import { setTimeout as wait } from "node:timers/promises";
import { type CheckOptions, checkServer, type ServerMissed, type ServerReached } from "../endpoint/check-server.ts";
import { placeOf, type ServerAddress } from "../endpoint/server-address.ts";
import type { Terminal } from "./terminal.ts";

/** How long one look at the server may take, and how long there is between two. */
const CHECK_TIMEOUT_MS = 5_000;
const BETWEEN_CHECKS_MS = 1_000;

/** The server to wait for, and how to tell of it. */
export interface AwaitedServer extends Pick<CheckOptions, "login" | "stopping"> {
  readonly address: ServerAddress;
  /** What its URL is called where it was given. */
  readonly urlName: string;
  readonly out: Terminal;
  readonly err: Terminal;
}

/**
 * Looks at the server and tells what it found; as long as there is none, once a second. Resolves when it was reached, or `stopping` is aborted.
 * Rejects, with what to change, when the server refuses what asking again does not change.
 */
export async function waitForServer(server: AwaitedServer): Promise<void> {
  const { address, out, err, stopping } = server;
  const where = placeOf(address);
  const startedAt = performance.now();
  let waiting = false;
  for (;;) {
    const check = await checkServer(address, { ...server, timeoutMs: CHECK_TIMEOUT_MS });
    if (stopping.aborted) return;
    if (check.state === "refused") throw new Error(refusal(check, where, server.urlName));
    if (check.state === "reached") {
      const after = waiting ? `, ${Math.round((performance.now() - startedAt) / 1_000)} s later` : "";
      return out.line(`${out.in("green", "Database")} ${reached(check, where)}${after}`);
    }
    if (!waiting) {
      err.line(`${err.in("red", "No database")} at ${where}: ${check.reason}`);
      err.line(
        `Requests are answered with an error until it is there. Start it, or correct ${server.urlName}; it is looked for every second.`,
      );
    }
    waiting = true;
    await wait(BETWEEN_CHECKS_MS, undefined, { signal: stopping }).catch(() => undefined);
  }
}

function reached({ version, roundTripMs }: ServerReached, where: string): string {
  const trip = `round trip ${roundTripMs.toFixed(1)} ms`;
  return version === null ? `reached at ${where}, ${trip}; nobody logged in` : `Postgres ${version} at ${where}, ${trip}`;
}

function refusal({ code, reason }: ServerMissed, where: string, urlName: string): string {
  if (code === "TLS_FAILED") return `No TLS with the database at ${where}: ${reason}. Correct sslmode and sslrootcert in ${urlName}.`;
  return (
    `The database at ${where} refuses the login of ${urlName}: ${reason}. Correct user, password and database, ` +
    "or leave user and password out: each request brings its own."
  );
}
