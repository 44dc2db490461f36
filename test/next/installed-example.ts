import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How a copy of the example comes by its pool. */
export type Variant =
  /** As it is published: the package is bundled. */
  | "published"
  /** Named in `serverExternalPackages`. */
  | "external"
  /** Without the package: a `pg.Pool` at module level. */
  | "module-level";

/** The example outside this repository, with the package as npm installs it from its tarball. */
export interface InstalledExample {
  readonly folder: string;
  /** Puts the published files back and makes them this variant, whose pool has at most `max` connections. */
  become(variant: Variant, options: { readonly max: number }): Promise<void>;
  /** Changes the database file as an editor would: what it exports as `edit` is now `edit`. */
  edit(edit: number): Promise<void>;
  /** Puts the app of `variants/places` in its place: a database call wherever one can stand, once for each of these ways to a database. */
  standEverywhere(ways: readonly string[]): Promise<void>;
  remove(): Promise<void>;
}

/** Packs `dist` as it is, and installs the example's pinned dependencies once for all variants and bundlers. */
export async function installExample(): Promise<InstalledExample> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "warmline-next-")));
  const database = join(folder, "lib/database.ts");
  let saves = 0;
  const restore = () =>
    cp("examples/next", folder, { recursive: true, filter: (path) => !/node_modules|\.next\b|package\.json/.test(path) });
  await restore();
  const { stdout } = await run("npm", ["pack", "--json", "--ignore-scripts", "--loglevel=error", "--pack-destination", folder]);
  const [{ filename }] = JSON.parse(stdout) as [{ readonly filename: string }];
  const manifest = JSON.parse(await readFile("examples/next/package.json", "utf8"));
  manifest.dependencies.warmline = `file:./${filename}`;
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
  return {
    folder,
    async become(variant, { max }) {
      await restore();
      await cp("test/next/variants/app", join(folder, "app"), { recursive: true });
      if (variant === "module-level") {
        await cp("test/next/variants/lib", join(folder, "lib"), { recursive: true });
        // with pg in it the edge runtime cannot load it
        for (const route of ["edge", "broken-edge"]) await rm(join(folder, "app/api", route), { recursive: true });
      }
      await writeFile(join(folder, "next.config.ts"), configOf(variant));
      const text = await readFile(database, "utf8");
      if (!text.includes("max: 5")) throw new Error("lib/database.ts no longer says max: 5.");
      await writeFile(database, text.replaceAll("max: 5", `max: ${max}`));
    },
    async edit(edit) {
      const text = (await readFile(database, "utf8")).replace(/\nexport const edit = .*\n/, "");
      await writeFile(database, `${text}\nexport const edit = ${edit}, saves = ${++saves};\n`);
    },
    async standEverywhere(ways) {
      const places = "test/next/variants/places";
      for (const name of ["app", "lib", "proxy.ts"]) await rm(join(folder, name), { recursive: true });
      await cp(places, folder, { recursive: true });
      for (const way of ways) {
        await cp(join(places, "way"), join(folder, "app", way), { recursive: true });
        await writeFile(join(folder, "app", way, "way.ts"), `export * from "../../lib/${way}";\n\nexport const name = "${way}";\n`);
      }
      await rm(join(folder, "way"), { recursive: true });
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Types are checked where they are the published ones; maps tell what is in a bundle; the folder above is no workspace. */
function configOf(variant: Variant): string {
  const config = {
    serverExternalPackages: variant === "external" ? ["warmline"] : [],
    typescript: { ignoreBuildErrors: variant !== "published" },
    experimental: { serverSourceMaps: true },
  };
  return `export default { ...${JSON.stringify(config)}, turbopack: { root: import.meta.dirname }, outputFileTracingRoot: import.meta.dirname };\n`;
}
