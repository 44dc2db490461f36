#!/usr/bin/env node
import { endpointCommand } from "./endpoint.ts";

const USAGE = `Usage: warmline <command> [options]

Commands:
  endpoint   Neon's SQL over HTTP and WebSocket protocol in front of any Postgres

Run "warmline <command> --help" for a command's options.`;

const COMMANDS: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { endpoint: endpointCommand };

const [name, ...args] = process.argv.slice(2);

if (name === undefined || name === "--help" || name === "-h") {
  console.log(USAGE);
} else {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  try {
    if (command === undefined) throw new Error('Unknown command. Run "warmline --help" for those there are.');
    await command(args);
  } catch (error) {
    console.error(`warmline: ${error instanceof Error ? error.message : "failed"}`);
    process.exitCode = 1;
  }
}
