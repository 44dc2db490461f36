import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { bundleLambda, COLD_BUDGET_BYTES, coldOutputs, type LambdaBundle } from "../support/lambda/bundle.ts";
import { zipFiles } from "../support/lambda/zip-files.ts";

const run = promisify(execFile);
let folder: string;
let bundle: LambdaBundle;
let zip: Uint8Array;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "warmline-lambda-"));
  bundle = await bundleLambda();
  zip = zipFiles(bundle.files);
  for (const [path, contents] of Object.entries(unzipSync(zip))) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The source files a cold start of the function reads, from the bundler's own account. */
function coldInputs(): string[] {
  return [...coldOutputs(bundle.metafile, "dist-lambda/lambda.mjs")].flatMap((path) =>
    Object.keys(bundle.metafile.outputs[path]?.inputs ?? {}),
  );
}

/** Runs a module beside the unpacked artifact, where no node_modules are, and gives what it prints. */
async function runBeside(source: string, env: Record<string, string> = {}): Promise<unknown> {
  const script = join(folder, "run.mjs");
  await writeFile(script, source);
  const { stdout } = await run(process.execPath, [script], { cwd: folder, env: { PATH: process.env.PATH, ...env } });
  return JSON.parse(stdout);
}

const call = (path: string) =>
  `await handler(${JSON.stringify({
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { host: "api.example.com" },
    requestContext: { domainName: "api.example.com", http: { method: "GET", path } },
    isBase64Encoded: false,
  })})`;

describe("the Lambda artifact", () => {
  it.each(["lambda", "lambda-stream"] as const)("has %s read at most 298 KB at a cold start, without what signs IAM tokens", (entry) => {
    expect(COLD_BUDGET_BYTES).toBe(298 * 1024);
    expect(bundle.coldBytes[entry]).toBeLessThanOrEqual(COLD_BUDGET_BYTES);
  });

  it("reads a few KB more to log in with an IAM token from the environment's credentials, and the AWS SDK for none of it", () => {
    expect(bundle.iamBytes).toBeGreaterThan(1_000);
    expect(bundle.iamBytes).toBeLessThan(8_000);
    expect(coldInputs().filter((path) => /src\/aws\/(iam-token|sigv4-token|aws-signer|rds-signer|dsql-signer|pinning)/.test(path))).toEqual(
      [],
    );
  });

  it("reads no AWS SDK at a cold start, and has neither Neon's driver nor undici, which Lambda never needs", () => {
    expect(coldInputs().filter((path) => /@aws-sdk|@smithy/.test(path))).toEqual([]);
    expect(coldInputs().some((path) => path.startsWith("node_modules/pg/"))).toBe(true);
    expect(Object.keys(bundle.metafile.inputs).filter((path) => /@neondatabase|node_modules\/undici/.test(path))).toEqual([]);
  });

  it("leaves out what pg never asks for here", () => {
    const left = /node_modules\/(pgpass|split2|pg-cloudflare|pg\/lib\/native)\//;
    expect(Object.keys(bundle.metafile.inputs).filter((path) => left.test(path))).toEqual([]);
    const binary = Object.values(bundle.metafile.outputs).flatMap(
      ({ inputs }) => inputs["node_modules/pg-types/lib/binaryParsers.js"] ?? [],
    );
    expect(Math.max(...binary.map(({ bytesInOutput }) => bytesInOutput))).toBeLessThan(100);
  });

  it("counts what an entry imports statically, itself included, and nothing it imports later", () => {
    const later = Object.values(bundle.metafile.outputs).flatMap(({ imports }) => imports.filter(({ kind }) => kind === "dynamic-import"));
    const largest = Math.max(...later.map(({ path }) => bundle.metafile.outputs[path]?.bytes ?? 0));
    expect(largest).toBeGreaterThan(100_000);
    expect(bundle.coldBytes.lambda).toBeLessThan(bundle.totalBytes - 100_000);
    expect(bundle.coldBytes.lambda).toBeGreaterThan(bundle.metafile.outputs["dist-lambda/lambda.mjs"]?.bytes ?? 0);
  });

  it("is the same, byte for byte, when it is made again", async () => {
    expect(Buffer.from(zipFiles((await bundleLambda()).files)).equals(Buffer.from(zip))).toBe(true);
  });

  it("holds the modules serverless.yml names, and no path, secret or source map of the machine that made it", () => {
    const paths = Object.keys(unzipSync(zip));
    expect(paths).toEqual(expect.arrayContaining(["lambda.mjs", "lambda-stream.mjs"]));
    expect(paths.filter((path) => !/^([a-z-]+|chunks\/[A-Za-z0-9-]+)\.mjs$/.test(path))).toEqual([]);
    for (const { contents } of bundle.files) expect(Buffer.from(contents).includes(process.cwd())).toBe(false);
  });

  it("loads nothing of undici while it is initialized, though it plans and connects then", async () => {
    const loaded = await runBeside(
      `await import("./lambda.mjs");
       console.log(JSON.stringify(process.moduleLoadList.filter((name) => /undici/.test(name))));
       process.exit();`,
      { DATABASE_URL: inject("postgres").url, AWS_LAMBDA_FUNCTION_NAME: "demo", AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand" },
    );
    expect(loaded).toEqual([]);
  });

  it("answers without node_modules beside it, over one connection for all invocations", async () => {
    const answers = await runBeside(
      `import { handler } from "./lambda.mjs";
       const ready = [${call("/ready")}, ${call("/ready")}, ${call("/health")}];
       console.log(JSON.stringify(ready.map(({ statusCode, headers }) => [statusCode, headers["x-invocation"], headers["x-connection-reused"]])));`,
      { DATABASE_URL: inject("postgres").url },
    );
    expect(answers).toEqual([
      [200, "1", "false"],
      [200, "2", "true"],
      [200, "3", "n/a"],
    ]);
  });

  it("tells without a DATABASE_URL that it is not ready, and goes on answering", async () => {
    const answers = await runBeside(
      `import { handler } from "./lambda.mjs";
       const all = [${call("/ready")}, ${call("/health")}];
       console.log(JSON.stringify(all.map(({ statusCode }) => statusCode)));`,
    );
    expect(answers).toEqual([503, 200]);
  });
});
