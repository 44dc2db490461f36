import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { bundleHandlers, lambdaEntries } from "../../test/support/lambda/bundle.ts";

/** A function as it is initialized. */
export interface Contender {
  readonly what: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
  /** How many times the CPU of the first it may take; null where that is only told. */
  readonly highestRatio: number | null;
}

/** What initializing one came to: medians of all runs, milliseconds of user and system time. */
export interface InitRow {
  readonly what: string;
  /** The whole process, from its start until the handler is loaded: what Lambda calls init, save its own runtime client. */
  readonly cpuMs: number;
  /** That divided by the same of the handler with pg and Hono alone. */
  readonly ratio: number;
  /** Of it, loading the handler. */
  readonly loadMs: number;
  readonly loadRatio: number;
  readonly highestRatio: number | null;
}

/** All of them, and how far the measurement itself is off: every other bare run divided by those between. */
export interface InitReport {
  readonly runs: number;
  readonly selfRatio: number;
  readonly rows: readonly InitRow[];
}

/** What one process took. */
export interface Run {
  readonly cpuMs: number;
  readonly loadMs: number;
}

/** What init may cost at most, as a multiple of a handler that imports only pg and Hono: with a password, and with an IAM token. */
export const HIGHEST_RATIOS = { direct: 1.15, withIam: 1.3 } as const;

/** Loads the module it is given, as Lambda's runtime does in the init phase, and says what CPU that took. As plain text: nothing to strip first. */
const initProcess = `
  const before = process.cpuUsage();
  await import(process.argv[1]);
  const load = process.cpuUsage(before), all = process.cpuUsage();
  const ms = ({ user, system }) => (user + system) / 1000;
  process.stdout.write(JSON.stringify({ cpuMs: ms(all), loadMs: ms(load) }), () => process.exit(0));
`;

const onLambda = {
  DATABASE_URL: "postgres://app:none@127.0.0.1:1/app",
  AWS_LAMBDA_FUNCTION_NAME: "demo",
  AWS_REGION: "eu-central-1",
  AWS_EC2_METADATA_DISABLED: "true",
};
/** Makes the demo plan and connect while it is loaded, which is its first call's work done early. Nobody listens there. */
const onDemand = { AWS_LAMBDA_INITIALIZATION_TYPE: "on-demand" };
const keys = { AWS_ACCESS_KEY_ID: "AKIDINIT", AWS_SECRET_ACCESS_KEY: "none", AWS_SESSION_TOKEN: "none" };

/**
 * Initializes each function in processes of their own, in turns and back again (A B C C B A), as often as `rounds` says, in `folder`. By CPU time:
 * what else a machine does meanwhile hardly shows in it.
 */
export async function measureInit(folder: string, rounds: number): Promise<InitReport> {
  const contenders = await prepare(folder);
  const runs = contenders.map((): Run[] => []);
  const order = contenders.map((_, index) => index);
  // the first run of each finds its files on disk
  for (const contender of contenders) await initialize(contender);
  for (let round = 0; round < rounds; round++) {
    process.stderr.write(`round ${round + 1} of ${rounds}\n`);
    for (const index of [...order, ...order.toReversed()]) runs[index]?.push(await initialize(contenders[index] as Contender));
  }
  const bare = runs[0] as Run[];
  return {
    runs: rounds * 2,
    selfRatio: medianOf(bare.filter((_, at) => at % 2 === 0)).cpuMs / medianOf(bare.filter((_, at) => at % 2 === 1)).cpuMs,
    rows: contenders.map(({ what, highestRatio }, index) => {
      const own = medianOf(runs[index] as Run[]);
      const norm = medianOf(bare);
      return { what, ...own, ratio: own.cpuMs / norm.cpuMs, loadRatio: own.loadMs / norm.loadMs, highestRatio };
    }),
  };
}

function medianOf(runs: readonly Run[]): Run {
  return { cpuMs: median(runs.map(({ cpuMs }) => cpuMs)), loadMs: median(runs.map(({ loadMs }) => loadMs)) };
}

/** Bundles all of them into `folder`: first pg and Hono alone, then the demo, then the demo with an IAM token. */
export async function prepare(folder: string): Promise<readonly Contender[]> {
  // each in a bundle of its own, for what two share becomes one more file to read
  const bare = await deploy({ bare: "scripts/lambda/init-handler-bare.ts" }, join(folder, "bare"));
  const demo = await deploy({ lambda: lambdaEntries.lambda }, join(folder, "demo"));
  const iam = await deploy({ iam: "scripts/lambda/init-handler-iam.ts" }, join(folder, "iam"));
  const profile = join(folder, "credentials");
  await writeFile(profile, "[init]\naws_access_key_id = AKIDINIT\naws_secret_access_key = none\n");
  const named = { AWS_PROFILE: "init", AWS_SHARED_CREDENTIALS_FILE: profile, AWS_CONFIG_FILE: join(folder, "config") };
  return [
    { what: "pg and Hono alone", file: join(bare, "bare.mjs"), env: {}, highestRatio: null },
    { what: "the demo", file: join(demo, "lambda.mjs"), env: {}, highestRatio: HIGHEST_RATIOS.direct },
    {
      what: "with an IAM token, credentials of the environment",
      file: join(iam, "iam.mjs"),
      env: keys,
      highestRatio: HIGHEST_RATIOS.withIam,
    },
    { what: "with an IAM token, @aws-sdk/rds-signer", file: join(iam, "iam.mjs"), env: named, highestRatio: null },
    { what: "the demo, connecting meanwhile", file: join(demo, "lambda.mjs"), env: onDemand, highestRatio: null },
  ];
}

/** Writes a bundle into a folder, which it gives back. */
async function deploy(entryPoints: Readonly<Record<string, string>>, folder: string): Promise<string> {
  for (const { path, contents } of (await bundleHandlers(entryPoints)).files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), contents);
  }
  return folder;
}

/** Loads one in a process of its own. */
export async function initialize({ file, env }: Contender): Promise<Run> {
  const args = ["--input-type=module", "--eval", initProcess, pathToFileURL(file).href];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: { ...onLambda, ...env } });
  return JSON.parse(stdout) as Run;
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}
