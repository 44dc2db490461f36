import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { commandOf, environmentOf, type RuntimeName } from "../runtimes/command.ts";
import { expectedFile, type Line, line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

/** Imports every entry under a runtime, each in the same process, and says which file it was. */
export async function runEntries(
  runtime: RuntimeName,
  { project, manifest }: Stranger,
  tools: string,
  entries: readonly string[],
): Promise<readonly Line[]> {
  const module = join(project, "entries.mjs");
  await writeFile(
    module,
    `for (const entry of JSON.parse(process.argv[2])) {
       const found = { entry, url: import.meta.resolve(entry), names: [] };
       try { found.names = Object.keys(await import(entry)); } catch (error) { found.error = String(error); }
       console.log(JSON.stringify(found));
     }
     process.exit(0);`,
  );
  const [file, ...args] = commandOf(runtime, tools);
  const specifiers = entries.map((entry) => entry.replace(/^\./, manifest.name));
  const { stdout } = await promisify(execFile)(file, [...args, module, JSON.stringify(specifiers)], {
    cwd: project,
    env: environmentOf(module),
  });
  return stdout
    .trim()
    .split("\n")
    .map((text, index) => {
      const { url, names, error } = JSON.parse(text) as {
        readonly url: string;
        readonly names: readonly string[];
        readonly error?: string;
      };
      const entry = entries[index] ?? "";
      const chose = relative(join(project, "node_modules", manifest.name), fileURLToPath(url));
      const seen = line({ tool: runtime, entry }, chose, expectedFile(manifest, entry, "node"));
      if (error !== undefined) return { ...seen, problem: error };
      return names.length > 0 ? seen : { ...seen, problem: "it exports nothing" };
    });
}
