import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleLambda, COLD_BUDGET_BYTES } from "../../test/support/lambda/bundle.ts";
import { zipFiles } from "../../test/support/lambda/zip-files.ts";

const outdir = fileURLToPath(new URL("../../dist-lambda", import.meta.url));
const archive = "warmline-demo.zip";

const bundle = await bundleLambda();
const zip = zipFiles(bundle.files);

await rm(outdir, { recursive: true, force: true });
for (const { path, contents } of bundle.files) {
  const target = join(outdir, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, contents);
}
await writeFile(join(outdir, archive), zip);

if (process.argv.includes("--json")) {
  const files = bundle.files.map(({ path, contents }) => ({ path, bytes: contents.byteLength }));
  const { coldBytes, iamBytes, totalBytes } = bundle;
  console.log(JSON.stringify({ archive: `dist-lambda/${archive}`, zipBytes: zip.byteLength, coldBytes, iamBytes, totalBytes, files }));
} else {
  const say = (bytes: number, what: string) => console.log(`${bytes.toLocaleString("en-GB").padStart(10)}  ${what}`);
  for (const { path, contents } of bundle.files) say(contents.byteLength, path);
  say(bundle.totalBytes, "all files");
  say(bundle.coldBytes.lambda, `read at a cold start of lambda.handler (budget ${COLD_BUDGET_BYTES.toLocaleString("en-GB")})`);
  say(bundle.coldBytes["lambda-stream"], "read at a cold start of lambda-stream.handler");
  say(bundle.iamBytes, "read besides to log in with an IAM token");
  say(zip.byteLength, `dist-lambda/${archive}`);
}
if (bundle.coldBytes.lambda > COLD_BUDGET_BYTES) {
  console.error(`A cold start reads ${bundle.coldBytes.lambda - COLD_BUDGET_BYTES} bytes more than the budget allows.`);
  process.exitCode = 1;
}
