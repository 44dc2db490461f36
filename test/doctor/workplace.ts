import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** Files of a project by their paths. */
export type Files = Readonly<Record<string, string>>;

/** A project of these files in a folder of its own; with `git`, in a repository. */
export function makeProject(files: Files, options: { readonly git?: boolean } = {}): { readonly folder: string } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), "warmline-doctor-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  if (options.git === true) execFileSync("git", ["init", "-q"], { cwd: folder });
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
