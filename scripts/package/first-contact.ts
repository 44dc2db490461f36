import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { documented } from "./documented.ts";
import type { Line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

const run = promisify(execFile);

/**
 * Does what the README says under "Install", in an empty folder: every command and the file as they stand there, the tarball's path and the URL aside.
 * How long that took is told, and decides nothing: it is the registry's and the machine's time, too.
 */
export async function checkFirstContact({ tarball }: Stranger, databaseUrl: string): Promise<Line> {
  const commands = (await documented("README.md", "sh")).flatMap((block) => block.split("\n"));
  const install = commands.find((one) => one.startsWith("npm install ") && one.includes(".tgz"));
  const first = commands.find((one) => one.endsWith("node first.mts"));
  const code = (await documented("README.md", "ts")).find((block) => block.includes("db.close()"));
  if (install === undefined || first === undefined || code === undefined) throw new Error("The README's first row is not there any more.");
  const folder = await mkdtemp(join(tmpdir(), "warmline-first-"));
  try {
    const env = { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}`, DATABASE_URL: databaseUrl };
    const shell = (command: string) => run("sh", ["-c", command], { cwd: folder, env });
    await shell("npm init -y");
    const begun = Date.now();
    const installed = await shell(install.replace(/\S+\.tgz/, tarball));
    await writeFile(join(folder, "first.mts"), code);
    const { stdout, stderr } = await shell(first.replace(/DATABASE_URL=\S+ /, ""));
    const ms = Date.now() - begun;
    const line = { tool: "the README's first row", entry: ".", chose: `${ms} ms after npm install began`, forbidden: [] };
    const warnings = `${installed.stderr}${stderr}`;
    if (!stdout.includes("now:")) return { ...line, problem: `it printed ${stdout}` };
    if (warnings !== "") return { ...line, problem: `it warned: ${warnings}` };
    return line;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
