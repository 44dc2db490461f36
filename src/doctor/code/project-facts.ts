import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { FunctionTimeout, ProjectFacts } from "../evidence.ts";
import { type Readers, readConfiguration } from "./read-configuration.ts";

/** What the project's own configuration says, and which files of it could not be read, with the reason. */
export interface ProjectLook {
  readonly facts: ProjectFacts;
  readonly missing: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

/** What a file adds to the facts. */
type Taken = Partial<ProjectFacts>;

/** Files that say something, by their names, and what is taken of them. */
const configurations: readonly (readonly [named: RegExp, take: (fields: Fields, at: string) => Taken])[] = [
  [/^package\.json$/, ({ dependencies, devDependencies }) => ({ packages: [dependencies, devDependencies].flatMap(namesIn) })],
  [/^vercel\.json$/, ({ functions }, at) => ({ functionTimeouts: vercelTimeouts(fieldsOf(functions), at) })],
  [/^serverless\.(ya?ml|json)$/, (fields, at) => ({ functionTimeouts: serverlessTimeouts(fields, at) })],
  [/^wrangler\.(toml|jsonc?)$/, (fields, at) => ({ openSecrets: wranglerSecrets(fields).map((name) => ({ name, at })) })],
];

/** Reads the configurations among the files. */
export function lookAtProject(folder: string, files: readonly string[], readers: Readers): ProjectLook {
  const taken: Taken[] = [];
  const missing: string[] = [];
  for (const path of files) {
    const [, take] = configurations.find(([named]) => named.test(basename(path))) ?? [];
    if (take === undefined || !existsSync(join(folder, path))) continue;
    const read = readConfiguration(join(folder, path), readers);
    if ("unseen" in read) missing.push(`${path}: ${read.unseen}`);
    else taken.push(take(fieldsOf(read.value), path));
  }
  const facts = {
    packages: [...new Set(taken.flatMap(({ packages = [] }) => packages))],
    functionTimeouts: taken.flatMap(({ functionTimeouts = [] }) => functionTimeouts),
    openSecrets: taken.flatMap(({ openSecrets = [] }) => openSecrets),
  };
  return { facts, missing };
}

const namesIn = (group: unknown) => Object.keys(fieldsOf(group));

function vercelTimeouts(functions: Fields, at: string): readonly FunctionTimeout[] {
  return Object.values(functions).flatMap((one) => {
    const { maxDuration } = fieldsOf(one);
    return typeof maxDuration === "number" ? [{ seconds: maxDuration, platform: "vercel", at }] : [];
  });
}

/** Of a function that has none, where its provider has none either. Source: Serverless Framework's documentation, "AWS Lambda Functions". */
const SERVERLESS_SECONDS = 6;

function serverlessTimeouts({ provider, functions }: Fields, at: string): readonly FunctionTimeout[] {
  const { name = provider, timeout: usual = SERVERLESS_SECONDS } = fieldsOf(provider);
  if (name !== "aws") return [];
  const own = (Array.isArray(functions) ? functions : [functions]).flatMap((group) => Object.values(fieldsOf(group)));
  // what stands in a variable, ${param:timeout}, is not known here
  const seconds = own.map((one) => fieldsOf(one).timeout ?? usual).filter((timeout) => typeof timeout === "number");
  return [...new Set(seconds)].map((one) => ({ seconds: one, platform: "lambda", at }));
}

function wranglerSecrets(fields: Fields): readonly string[] {
  return [fields, ...Object.values(fieldsOf(fields.env)).map(fieldsOf)].flatMap(({ vars }) => secretsIn(fieldsOf(vars)));
}

/** Names of variables that hold a secret: by what they are called, or a URL with a password in it. */
function secretsIn(variables: Fields): readonly string[] {
  return Object.entries(variables)
    .filter(
      ([name, value]) => typeof value === "string" && value !== "" && (isNameOfSecret(name) || /^\w+:\/\/[^:@/?#]*:[^@/?#]+@/.test(value)),
    )
    .map(([name]) => name);
}

function isNameOfSecret(name: string): boolean {
  if (/(^|_)(PUBLIC|PUBLISHABLE|ANON)_/i.test(name)) return false;
  return /(^|_)(PASSWORD|PASSWD|PASS|PWD|SECRET|TOKEN|(PRIVATE|API|ACCESS|SECRET|ENCRYPTION|SIGNING)_KEY)$/i.test(name);
}
