import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { npm } from "../package/tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The fields of an example's package.json that are read. */
interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** An example outside of this repository, with the package as npm installs it from its tarball. */
export interface InstalledExample extends AsyncDisposable {
  readonly folder: string;
  /** Names of its scripts. */
  readonly scripts: readonly string[];
  /** Runs one of them. Rejects with what it printed. */
  readonly run: (script: string) => Promise<void>;
}

/**
 * Packs `dist` as it is, and installs what the example runs on. What it is built with is the repository's own, or the ORM's of `tools`.
 *
 * @throws Error when the example names another version of that
 */
export async function installExample(name: string, tools: string): Promise<InstalledExample> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), `warmline-${name}-`)));
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const source = join(root, "examples", name);
    await cp(source, folder, { recursive: true, filter: (path) => !/^(node_modules|dist|src\/generated)/.test(relative(source, path)) });
    const [packed] = JSON.parse(await npm(root, "pack", "--json", "--pack-destination", folder)) as [{ readonly filename: string }];
    const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
    await assertVersions(manifest.devDependencies, tools);
    manifest.dependencies.warmline = `file:./${packed.filename}`;
    await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
    await npm(folder, "install", "--omit=dev", "--prefer-offline");
  } catch (error) {
    await dispose();
    throw error;
  }
  const env = {
    PATH: [join(root, "node_modules/.bin"), join(tools, ".bin"), dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: folder,
    CI: "true",
    NO_COLOR: "1",
    WRANGLER_SEND_METRICS: "false",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // Prisma generates without its engine of schemas, which it would download
    PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
    CHECKPOINT_DISABLE: "1",
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
  };
  const { scripts } = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;
  return {
    folder,
    scripts: Object.keys(scripts),
    async run(script) {
      await promisify(execFile)("npm", ["run", script], { cwd: folder, env, maxBuffer: 64 << 20 }).catch((error) => {
        throw new Error(`npm run ${script}: ${error.stdout}\n${error.stderr}`);
      });
    },
    [Symbol.asyncDispose]: dispose,
  };
}

async function assertVersions(wanted: Readonly<Record<string, string>>, tools: string): Promise<void> {
  const versionIn = (modules: string, name: string) =>
    readFile(join(modules, name, "package.json"), "utf8").then(
      (text) => (JSON.parse(text) as { readonly version: string }).version,
      () => undefined,
    );
  for (const [name, version] of Object.entries(wanted)) {
    const installed = (await versionIn(join(root, "node_modules"), name)) ?? (await versionIn(tools, name));
    if (installed !== version) throw new Error(`It names ${name} ${version}, and is built with ${installed}.`);
  }
}
