#!/usr/bin/env node
import { runCommandLine } from "./command-line.ts";

const stopping = new AbortController();
// a second signal ends the process at once
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopping.abort());

const { argv, env, stdout, stderr } = process;
// head has read what it wanted: the exit code is still to be told
for (const output of [stdout, stderr]) {
  output.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}
process.exitCode = await runCommandLine(argv.slice(2), { env, stdout, stderr, stopping: stopping.signal });
// a name server that does not answer cannot be left: nothing else holds the process by now
setTimeout(() => process.exit(), 500).unref();
