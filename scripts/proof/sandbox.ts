import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Environment, startSandbox } from "../../test/lambda/sandbox.ts";
import { bundleLambda } from "../../test/support/lambda/bundle.ts";
import type { Answer, Served } from "./contender.ts";
import { pauseBefore, pausesInWords } from "./pauses.ts";

/** The demo's function as it is deployed. */
export interface Deployment {
  /** Its environment variables, DATABASE_URL among them. */
  readonly env: Readonly<Record<string, string>>;
  /** How many environments take turns. Default 1. */
  readonly environments?: number;
}

interface HttpReply {
  readonly statusCode: number;
  readonly body: string;
}

/** The demo's Lambda function, bundled as it is deployed and called through its URL; its environments are frozen between invocations. */
export async function serveOnLambda({ env, environments = 1 }: Deployment): Promise<Required<Served>> {
  const folder = await mkdtemp(join(tmpdir(), "warmline-demo-"));
  for (const { path, contents } of (await bundleLambda()).files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  const token = randomUUID();
  const sandbox = await startSandbox({ handler: join(folder, "lambda.handler"), timeoutMs: 60_000, env: { ...env, API_TOKEN: token } });
  const resting = await Promise.all(Array.from({ length: environments }, () => sandbox.environment()));
  const stop = async () => {
    await sandbox.stop();
    await rm(folder, { recursive: true, force: true });
  };
  let pauses = 0;
  try {
    const { body } = await call(resting[0] as Environment, { path: "/stats", token });
    return {
      why: (body as { readonly plan: { readonly reasons: { readonly transport: string } } }).plan.reasons.transport,
      async invoke() {
        const environment = resting.shift();
        if (environment === undefined) throw new Error("More invocations at once than environments.");
        try {
          if (environment.pid !== undefined) await environment.freezeFor(pauseBefore(++pauses));
          return await call(environment, { path: "/proof", token });
        } finally {
          resting.push(environment);
        }
      },
      alsoCounted: () => ({ words: pausesInWords(pauses), held: true }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
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
