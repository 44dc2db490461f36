import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The declarations of an entry. */
export interface EntryTypes {
  readonly require: string;
  readonly default: string;
}

/** The fields of package.json the tests read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly files: readonly string[];
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | ({ readonly types: EntryTypes } & Readonly<Record<string, string | EntryTypes>>)>>;
  readonly types: string;
  readonly typesVersions: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

/** The package as a stranger gets it: packed, unpacked into `node_modules`, with what it declares it needs beside it and nothing else. */
export interface InstalledPackage {
  /** The stranger's project, outside this repository. */
  readonly project: string;
  /** `node_modules/warmline` in it. */
  readonly path: string;
  /** Paths in the tarball, sorted. */
  readonly files: readonly string[];
  readonly tarball: Buffer;
  readonly manifest: Manifest;
}

/**
 * Packs `dist` as it is and installs it; it is gone after the test file. `also` names packages of this repository to link besides.
 *
 * @throws Error when `dist` is missing or older than `src`
 */
export function installPackage(also: readonly string[] = []): InstalledPackage {
  requireFreshBuild();
  const project = realpathSync(mkdtempSync(join(tmpdir(), "warmline-package-")));
  afterAll(() => rmSync(project, { recursive: true, force: true }));
  const [packed] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", project], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    }),
  ) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }];
  writeFileSync(join(project, "package.json"), '{"type":"module"}');
  execFileSync("tar", ["-xzf", packed.filename], { cwd: project });
  const path = join(project, "node_modules", "warmline");
  mkdirSync(dirname(path));
  cpSync(join(project, "package"), path, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as Manifest;
  for (const name of new Set([...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies), ...also]))
    link(project, name);
  linkBins(project, manifest);
  const files = packed.files.map((file) => file.path).sort();
  return { project, path, files, tarball: readFileSync(join(project, packed.filename)), manifest };
}

/** The declarations of each entry. */
export function typesOf({ exports }: Manifest): readonly EntryTypes[] {
  return Object.values(exports).flatMap((target) => (typeof target === "string" ? [] : [target.types]));
}

function link(project: string, name: string): void {
  const place = join(project, "node_modules", name);
  mkdirSync(dirname(place), { recursive: true });
  symlinkSync(join(ROOT, "node_modules", name), place);
}

/** As npm does: executable, and linked by its name. */
function linkBins(project: string, { bin }: Manifest): void {
  const folder = join(project, "node_modules", ".bin");
  mkdirSync(folder);
  for (const [name, target] of Object.entries(bin)) {
    const file = join(project, "node_modules", "warmline", target);
    chmodSync(file, 0o755);
    symlinkSync(file, join(folder, name));
  }
}

function requireFreshBuild(): void {
  const built = times("dist", ".js");
  const newest = Math.max(...times("src", ".ts"));
  if (built.length === 0 || Math.min(...built) < newest) {
    throw new Error("dist is missing or older than src. Run `npm run build`, or `npm test`, which does.");
  }
}

function times(folder: string, extension: string): readonly number[] {
  const path = join(ROOT, folder);
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(extension));
  return names.map((name) => statSync(join(path, name)).mtimeMs);
}
