import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm } from "./tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** The fields of package.json that are read. */
export interface Manifest {
  readonly name: string;
  readonly exports: Readonly<Record<string, string | { readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A project of somebody who installed the package from its tarball. */
export interface Stranger extends AsyncDisposable {
  /** Its folder, outside of this repository and without links to it. */
  readonly project: string;
  readonly manifest: Manifest;
  /** Path of the tarball. */
  readonly tarball: string;
}

/**
 * Packs `dist` as it is, and installs the tarball with npm in an empty folder, pg beside it, and `also`, by name; each in the version this
 * repository has. The folder is gone afterwards.
 */
export async function installForStranger(also: readonly string[] = []): Promise<Stranger> {
  const project = await realpath(await mkdtemp(join(tmpdir(), "warmline-stranger-")));
  const dispose = () => rm(project, { recursive: true, force: true });
  try {
    const [packed] = JSON.parse(await npm(root, "pack", "--json", "--pack-destination", project)) as [{ readonly filename: string }];
    const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as Manifest;
    const names = [...Object.keys(manifest.dependencies), "pg", ...also];
    const versions = await Promise.all(names.map(async (name) => [name, await installedVersion(name)]));
    const dependencies = { [manifest.name]: `file:${packed.filename}`, ...Object.fromEntries(versions) };
    await writeFile(join(project, "package.json"), JSON.stringify({ version: "0.0.0", private: true, type: "module", dependencies }));
    await npm(project, "install", "--prefer-offline");
    return { project, manifest, tarball: join(project, packed.filename), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function installedVersion(name: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(root, "node_modules", name, "package.json"), "utf8")) as { readonly version: string };
  return version;
}
