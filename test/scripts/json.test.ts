import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("`npm run -s … -- --json` prints one JSON object and nothing else", { timeout: 300_000 }, async () => {
  const args = ["run", "-s", "fuzz", "--", "--json", "--count", "20"];
  const { stdout } = await promisify(execFile)("npm", args, { cwd: fileURLToPath(new URL("../../", import.meta.url)) });
  const { rows } = JSON.parse(stdout) as { rows: readonly { readonly target: string }[] };
  expect(rows.map(({ target }) => target)).toEqual(expect.arrayContaining(["endpoint", "tunnel", "demo", "sql", "server"]));
});
