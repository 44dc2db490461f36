import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const tracked = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0").filter(Boolean);
const shipped = tracked.filter((path) => /^(src|functions|infra|examples)\//.test(path) && /\.(ts|tsx|yml|json|toml|md)$/.test(path));

test("the files that are shipped can be found", () => {
  expect(shipped.length).toBeGreaterThan(100);
});

test("lock files record checksums, and no download address", () => {
  const locks = tracked.filter((path) => path.endsWith("package-lock.json"));
  expect(locks).toContain("package-lock.json");
  for (const path of locks) {
    const { packages } = JSON.parse(read(path)) as {
      packages: Record<string, { resolved?: string; integrity?: string; link?: boolean; inBundle?: boolean }>;
    };
    for (const [name, entry] of Object.entries(packages)) {
      expect(entry.resolved ?? "", `${path}: ${name}`).not.toMatch(/^[a-z+]+:\/\//);
      // what is bundled in another's tarball stands under its checksum
      if (name.includes("node_modules/") && !entry.link && !entry.inBundle) expect(entry.integrity, `${path}: ${name}`).toMatch(/^sha512-/);
    }
  }
});

test("nothing that is shipped switches the check of certificates off", () => {
  const off = /rejectUnauthorized["']?\s*:\s*false|NODE_TLS_REJECT_UNAUTHORIZED/;
  // the doctor's rule names what it looks for in others' sources
  expect(shipped.filter((path) => off.test(read(path)))).toEqual(["src/doctor/code/secret-rules.ts"]);
});

test("no file holds a key, a token of a cloud, or a URL with a password that is not an example's", () => {
  const secrets =
    /-----BEGIN (?:RSA |EC )?PRIVATE KEY|\bAKIA(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b|\bnpm_[A-Za-z0-9]{36}\b|\bgh[pousr]_[A-Za-z0-9]{36}\b/;
  expect(shipped.filter((path) => secrets.test(read(path)))).toEqual([]);
});

test("the workflow files and the settings of deployments hold no secret in variables", () => {
  for (const path of ["wrangler.toml", "serverless.yml"]) {
    expect(read(path)).not.toMatch(/^\s*(?:DATABASE_URL|API_TOKEN|PGPASSWORD)\s*[:=]\s*["']?(?:postgres|[A-Za-z0-9+/]{20,})/m);
  }
});
