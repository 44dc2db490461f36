import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { type BuildOptions, build } from "esbuild";
import { afterEach, describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../../src/entry/iam-login.ts", import.meta.url));
const login = { service: "rds-db", host: "db.c1.eu-central-1.rds.amazonaws.com", port: 5432, user: "app", region: null };
const program = `
  import { iamLogin } from ${JSON.stringify(source)};
  iamLogin({ ...${JSON.stringify(login)}, env: () => process.env, now: Date.now }).token().then(console.log, (error) => console.log(error.code));
`;

let folder = "";

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Bundles the program as a user would; gives the size of what is read at start, and how to run it. */
async function bundleProgram(options: BuildOptions) {
  folder = await mkdtemp(join(tmpdir(), "warmline-bundle-"));
  const { metafile } = await build({
    stdin: { contents: program, resolveDir: folder, loader: "ts" },
    bundle: true,
    minify: true,
    platform: "node",
    format: "esm",
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    metafile: true,
    logLevel: "silent",
    ...options,
  });
  const extension = options.outExtension?.[".js"] ?? ".mjs";
  const bytes = Object.entries(metafile?.outputs ?? {}).find(([path]) => path.endsWith(`stdin${extension}`))?.[1].bytes ?? 0;
  const run = async (env: Record<string, string>) => {
    const paths = { AWS_EC2_METADATA_DISABLED: "true", AWS_CONFIG_FILE: "/dev/null", HOME: folder };
    return (await promisify(execFile)(process.execPath, [join(folder, `stdin${extension}`)], { env: { ...paths, ...env } })).stdout.trim();
  };
  return { bytes, run };
}

const keys = { AWS_ACCESS_KEY_ID: "AKIDLAMBDA", AWS_SECRET_ACCESS_KEY: "s", AWS_SESSION_TOKEN: "t" };

async function profile(): Promise<Record<string, string>> {
  const path = join(folder, "credentials");
  await writeFile(path, "[work]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n");
  return { AWS_PROFILE: "work", AWS_SHARED_CREDENTIALS_FILE: path };
}

describe("in a bundle", () => {
  test("the signer's package left outside costs nothing, and the environment's credentials sign without it", async () => {
    const { bytes, run } = await bundleProgram({ external: ["@aws-sdk/rds-signer", "@aws-sdk/dsql-signer"] });
    expect(bytes).toBeLessThan(8_000);
    expect(await run(keys)).toContain("AKIDLAMBDA");
  });

  test.each<[string, BuildOptions]>([
    ["in one ES module", { banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' } }],
    [
      "split into ES modules",
      { splitting: true, banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' } },
    ],
    ["in one CommonJS module", { format: "cjs", outExtension: { ".js": ".cjs" } }],
  ])("the signer's package is found %s", async (_, options) => {
    const { run } = await bundleProgram(options);
    expect(await run(await profile())).toContain("AKIDPROFILE");
  });
});
