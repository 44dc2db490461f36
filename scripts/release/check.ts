// `npm run release`: makes in release/ what is published (the tarball, its checksum, the bill of materials of who installs it), and fails where
// two clones of the commit pack differently, a licence is not one of those below, or the notices are not whole. `-- --write` renews the notices.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { installForStranger } from "../package/stranger.ts";
import { npm } from "../package/tools.ts";
import { NOTICES, writeNotices } from "./notices.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const { values: flags } = parseArgs({ options: { write: { type: "boolean", default: false } } });

/** Licences that ask for their notice and nothing else. */
const permissive = new Set(["0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT"]);

interface Bill {
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly licenses?: readonly { readonly license: { readonly id?: string } }[];
  }[];
}

/** Packs the commit in a clone of its own, and gives the tarball's SHA-512. */
async function packClone(folder: string): Promise<string> {
  await run("git", ["clone", "--quiet", root, folder]);
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await run(process.execPath, ["scripts/build.ts"], { cwd: folder });
  const [{ filename }] = JSON.parse(await npm(folder, "pack", "--json")) as [{ readonly filename: string }];
  return createHash("sha512")
    .update(await readFile(join(folder, filename)))
    .digest("base64");
}

const problems: string[] = [];

const notices = await writeNotices();
if (flags.write) await writeFile(NOTICES, notices);
else if ((await readFile(NOTICES, "utf8")) !== notices)
  problems.push("THIRD-PARTY-NOTICES.md is not what is bundled: npm run release -- --write");

const clones = await mkdtemp(join(tmpdir(), "warmline-release-"));
try {
  const checksums = [await packClone(join(clones, "one")), await packClone(join(clones, "a", "longer", "path"))];
  console.log(`packed twice from clones: ${checksums[0] === checksums[1] ? `the same, sha512-${checksums[0]}` : "different"}`);
  if (checksums[0] !== checksums[1]) problems.push("Two clones of the commit pack differently.");
} finally {
  await rm(clones, { recursive: true });
}

await using stranger = await installForStranger();
const bill = await npm(stranger.project, "sbom", "--sbom-format", "cyclonedx");
const { components } = JSON.parse(bill) as Bill;
for (const { name, version, licenses = [] } of components) {
  const ids = licenses.map(({ license }) => license.id ?? "unknown");
  if (ids.length === 0 || !ids.every((id) => permissive.has(id))) problems.push(`${name} ${version}: licence ${ids.join(", ") || "none"}`);
}
console.log(`installed with pg: ${components.length} packages, all of a permissive licence unless said below`);

const release = join(root, "release");
await mkdir(release, { recursive: true });
await copyFile(stranger.tarball, join(release, basename(stranger.tarball)));
await writeFile(join(release, "sbom.cdx.json"), bill);
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
