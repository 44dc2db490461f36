import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { cpus, totalmem } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { installTools } from "../scripts/package/tools.ts";
import { commandOf } from "../scripts/runtimes/command.ts";

/** What a run was made with, in words; nothing that names the machine. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly platform: string;
  /** Name and version of everything that takes part. */
  readonly versions: Readonly<Record<string, string>>;
}

const packages = ["pg", "postgres", "@neondatabase/serverless", "drizzle-orm", "kysely"];

export async function describeMachine(postgres: string, bun: string | undefined): Promise<Machine> {
  const processors = cpus();
  const versions: Record<string, string> = {
    warmline: await versionIn(new URL("../package.json", import.meta.url)),
    Node: process.versions.node,
    Postgres: postgres,
  };
  for (const name of packages) versions[name] = await versionIn(new URL(`../node_modules/${name}/package.json`, import.meta.url));
  if (bun !== undefined) versions.Bun = (await promisify(execFile)(bun, ["--version"])).stdout.trim();
  return {
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    versions,
  };
}

/** The Bun on the path, else the one that `npm run test:runtimes` installs; undefined where neither can be had. */
export async function findBun(): Promise<string | undefined> {
  const onPath = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "bun"));
  const installed = async () => commandOf("bun", await installTools("test/runtimes/tools"))[0];
  for (const candidate of [...onPath.map((path) => async () => path), installed]) {
    try {
      const path = await candidate();
      await promisify(execFile)(path, ["--version"]);
      return path;
    } catch {}
  }
  return undefined;
}

async function versionIn(manifest: URL): Promise<string> {
  return (JSON.parse(await readFile(manifest, "utf8")) as { readonly version: string }).version;
}
