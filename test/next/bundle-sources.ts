import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

interface SourceMap {
  readonly sources?: readonly string[];
  readonly sections?: readonly { readonly map: SourceMap }[];
}

/** Source files in the chunks that Next.js' manifest lists for a function on the edge runtime, by the maps beside them. */
export async function edgeSources(folder: string, name: string): Promise<readonly string[]> {
  const manifest = JSON.parse(await readFile(join(folder, ".next/server/middleware-manifest.json"), "utf8")) as {
    readonly functions: Readonly<Record<string, { readonly files: readonly string[] }>>;
  };
  const files = manifest.functions[name]?.files ?? [];
  return sourcesOf(files.filter((file) => file.endsWith(".js")).map((file) => join(folder, ".next", file)));
}

/** Source files in all of the server's chunks. */
export async function serverSources(folder: string): Promise<readonly string[]> {
  const server = join(folder, ".next/server");
  const names = await readdir(server, { recursive: true });
  return sourcesOf(names.filter((name) => name.endsWith(".js")).map((name) => join(server, name)));
}

/** A chunk names its map in its last line; those that are only data have none. */
async function sourcesOf(files: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const file of files) {
    const [, map] = /\/\/# sourceMappingURL=(\S+)\s*$/.exec(await readFile(file, "utf8").catch(() => "")) ?? [];
    if (map === undefined) continue;
    for (const source of listed(JSON.parse(await readFile(join(file, "..", decodeURIComponent(map)), "utf8")))) found.add(source);
  }
  return [...found].sort();
}

function listed({ sources = [], sections = [] }: SourceMap): readonly string[] {
  return [...sources.map(decodeURIComponent), ...sections.flatMap(({ map }) => listed(map))];
}
