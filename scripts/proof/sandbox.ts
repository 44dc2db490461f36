import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundleHandler } from "../../test/lambda/bundle-handler.ts";
import { type Environment, type Pause, startSandbox } from "../../test/lambda/sandbox.ts";
import { bundleLambda } from "../../test/support/lambda/bundle.ts";
import type { Answer, Served } from "./contender.ts";
import { pauseBefore, pausesInWords } from "./pauses.ts";

/** A function as it is deployed. */
export interface Deployment {
  /** Source of a handler that answers every event with the proof's work, and why it goes its way. Default: the demo's own. */
  readonly bare?: { readonly source: string; readonly why: string };
  /** Its environment variables, DATABASE_URL among them. */
  readonly env: Readonly<Record<string, string>>;
  /** How many environments take turns. Default 1. */
  readonly environments?: number;
  /** How long its process sleeps in each pause, counted from 1, and that in words. Default: `pauseBefore`. */
  readonly pause?: { readonly before: (pause: number) => Pause; readonly inWords: (pauses: number) => string };
  /** Called in each pause, counted from 1, while the process is frozen. */
  readonly whileFrozen?: (pause: number) => void;
}

const usual = { before: pauseBefore, inWords: pausesInWords };

interface HttpReply {
  readonly statusCode: number;
  readonly body: string;
}

/** A Lambda function, by default the demo's, bundled as it is deployed and called through its URL; its environments are frozen between invocations. */
export async function serveOnLambda({
  bare,
  env,
  environments = 1,
  pause = usual,
  whileFrozen = () => {},
}: Deployment): Promise<Required<Served>> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-demo-"));
  const handler = bare === undefined ? await writeDemo(folder) : await bundleHandler(bare.source, folder);
  const token = randomUUID();
  const sandbox = await startSandbox({ handler, timeoutMs: 60_000, env: { ...env, API_TOKEN: token } });
  const resting = await Promise.all(Array.from({ length: environments }, () => sandbox.environment()));
  const stop = async () => {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  };
  let pauses = 0;
  try {
    return {
      why: bare?.why ?? (await askWhy(resting[0] as Environment, token)),
      async invoke() {
        const environment = resting.shift();
        if (environment === undefined) throw new Error("More invocations at once than environments.");
        try {
          if (environment.pid !== undefined) {
            await environment.freezeFor(pause.before(++pauses));
            whileFrozen(pauses);
          }
          return await call(environment, { path: "/proof", token });
        } finally {
          resting.push(environment);
        }
      },
      alsoCounted: () => ({ words: pause.inWords(pauses), held: true }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The demo's bundle in a folder, and its handler's place. */
async function writeDemo(folder: string): Promise<string> {
  for (const { path, contents } of (await bundleLambda()).files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  return join(folder, "lambda.handler");
}

async function askWhy(environment: Environment, token: string): Promise<string> {
  const { body } = await call(environment, { path: "/stats", token });
  return (body as { readonly plan: { readonly reasons: { readonly transport: string } } }).plan.reasons.transport;
}

async function call(environment: Environment, { path, token }: { readonly path: string; readonly token: string }): Promise<Answer> {
  const { value, error, durationMs } = await environment.invoke<HttpReply>({
    version: "2.0",
    rawPath: path,
    rawQueryString: "",
    headers: { authorization: `Bearer ${token}` },
    requestContext: { domainName: "demo.lambda-url.eu-central-1.on.aws", http: { method: "GET", path } },
    isBase64Encoded: false,
  });
  if (value === undefined) throw new Error(`${error?.errorType}: ${error?.errorMessage}`);
  return { status: value.statusCode, body: JSON.parse(value.body), tookMs: durationMs };
}
