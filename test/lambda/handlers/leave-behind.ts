/** Starts a sandbox of the handler it is given, freezes an environment, says what there is, and waits to be killed. */
import { readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox } from "../sandbox.ts";

const handler = process.argv[2];
if (handler === undefined) throw new Error("usage: leave-behind.ts <handler>");
const before = new Set(await readdir(tmpdir()));
const sandbox = await startSandbox({ handler });
const folder = (await readdir(tmpdir())).find((name) => name.startsWith("warmline-lambda-") && !before.has(name)) ?? "";
const environment = await sandbox.environment();
await environment.invoke({ do: "look" });
console.log(JSON.stringify({ pid: environment.pid, folder: join(tmpdir(), folder) }));
setInterval(() => {}, 60_000);
