import { readFlags } from "./flags.ts";
import { nearestName } from "./nearest-name.ts";
import { packageVersion } from "./package-version.ts";
import type { Surroundings } from "./surroundings.ts";
import { WrongUse } from "./wrong-use.ts";

const USAGE = `Usage: warmline <command> [options]

Commands:
  doctor      what is wrong with the connection to the database, what it costs, and the line to change
  endpoint    Neon's SQL over HTTP and WebSocket protocol in front of any Postgres

Options:
  -h, --help      this text; "warmline <command> --help" for a command's own
  -v, --version   the version

Exit codes: 0 done, 1 it cannot run, or found a fault, 2 it was called as it cannot be`;

/** Resolves with its exit code. */
type Command = (args: readonly string[], surroundings: Surroundings) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  // loaded where they are called: what one lacks keeps nobody from the others
  doctor: async (args, surroundings) => (await import("./doctor.ts")).doctorCommand(args, surroundings),
  endpoint: async (args, surroundings) => (await import("./endpoint.ts")).endpointCommand(args, surroundings).then(() => 0),
};
const flags = { help: { short: "h" }, version: { short: "v" } };

/** Runs `warmline` with these arguments, and resolves with its exit code. Never rejects: what went wrong is one line on standard error. */
export async function runCommandLine(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await run(args, surroundings);
  } catch (error) {
    const message = error instanceof Error ? error.message : "failed";
    surroundings.stderr.write(`warmline: ${message}\n`);
    // whoever reads an object gets one
    if (args[0] === "doctor" && args.includes("--json")) {
      surroundings.stdout.write(`${JSON.stringify({ version: 1, warmline: packageVersion(), error: { message } }, null, 2)}\n`);
    }
    return error instanceof WrongUse ? 2 : 1;
  }
}

async function run(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined || first.startsWith("-")) {
    const given = readFlags("warmline", flags, args);
    surroundings.stdout.write(`${given.version === true && given.help === undefined ? packageVersion() : USAGE}\n`);
    return 0;
  }
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (command === undefined) throw unknownCommand(first);
  return command(rest, surroundings);
}

function unknownCommand(written: string): WrongUse {
  // what does not look like a command may be a URL
  const shown = /^[a-z][a-z\d-]{0,30}$/i.test(written) ? ` ${written}` : "";
  const nearest = nearestName(written, Object.keys(commands));
  const meant = nearest === undefined ? "" : ` Did you mean ${nearest}?`;
  return new WrongUse(`Unknown command${shown}.${meant} Run "warmline --help" for those there are.`);
}
