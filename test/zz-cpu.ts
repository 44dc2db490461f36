import { spawn } from "node:child_process";
import { once } from "node:events";
import { startPostgres } from "./support/postgres/server.ts";

const server = await startPostgres();
try {
  const [script, ...rest] = process.argv.slice(2);
  const child = spawn(process.execPath, [script as string, server.url(), ...rest], { stdio: "inherit" });
  [process.exitCode] = (await once(child, "exit")) as [number];
} finally {
  await server.stop();
}
