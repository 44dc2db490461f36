import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import type { ProjectFacts } from "../evidence.ts";
import { keyOf, type Node, type Parser, textOf, unwrapped } from "./source-file.ts";

/** What reads TOML: the part of smol-toml that is used. */
interface TomlReader {
  readonly parse: (text: string) => unknown;
}

/** Readers of what is not JSON; undefined where the package is not installed. */
export interface Readers {
  readonly parser: Parser | undefined;
  readonly toml: TomlReader | undefined;
}

/** What the project's own configuration says, and which files of it could not be read, with the reason. */
export interface ProjectLook {
  readonly facts: ProjectFacts;
  readonly missing: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (value: unknown): Fields => (typeof value === "object" && value !== null ? (value as Fields) : {});

/** Reads package.json, vercel.json and Wrangler's configurations among the files. */
export function lookAtProject(folder: string, files: readonly string[], readers: Readers): ProjectLook {
  const packages: string[] = [];
  const functionTimeouts: { seconds: number; at: string }[] = [];
  const openSecrets: { name: string; at: string }[] = [];
  const missing: string[] = [];
  for (const path of files) {
    const name = basename(path);
    const known = name === "package.json" || name === "vercel.json" || /^wrangler\.(toml|jsonc?)$/.test(name);
    if (!known || !existsSync(join(folder, path))) continue;
    const read = readConfiguration(join(folder, path), readers);
    if ("reason" in read) {
      missing.push(`${path}: ${read.reason}`);
      continue;
    }
    const fields = fieldsOf(read.value);
    if (name === "package.json") {
      packages.push(...[fields.dependencies, fields.devDependencies].flatMap((group) => Object.keys(fieldsOf(group))));
    } else if (name === "vercel.json") {
      for (const one of Object.values(fieldsOf(fields.functions))) {
        const { maxDuration } = fieldsOf(one);
        if (typeof maxDuration === "number") functionTimeouts.push({ seconds: maxDuration, at: path });
      }
    } else {
      const environments = [fields, ...Object.values(fieldsOf(fields.env)).map(fieldsOf)];
      openSecrets.push(...environments.flatMap(({ vars }) => secretsIn(fieldsOf(vars)).map((secret) => ({ name: secret, at: path }))));
    }
  }
  return { facts: { packages: [...new Set(packages)], functionTimeouts, openSecrets }, missing };
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

function readConfiguration(path: string, { parser, toml }: Readers): { readonly value: unknown } | { readonly reason: string } {
  try {
    if (!statSync(path).isFile()) return { reason: "it cannot be read" };
    const text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
    if (path.endsWith(".toml")) return toml === undefined ? { reason: "smol-toml is not installed" } : { value: toml.parse(text) };
    if (!path.endsWith(".jsonc") && !/wrangler\.json$/.test(path)) return { value: JSON.parse(text) };
    // with comments it is no JSON, but JavaScript
    return parser === undefined ? { reason: "oxc-parser is not installed" } : { value: readJsonWithComments(text, parser) };
  } catch {
    return { reason: "it cannot be read" };
  }
}

function readJsonWithComments(text: string, { parseSync }: Parser): unknown {
  const { program, errors } = parseSync("configuration.js", `(${text}\n)`, { preserveParens: false });
  if (errors.length > 0) throw new SyntaxError("no JSON, with comments or without");
  const [statement] = program.body as unknown as readonly Node[];
  return readValue(statement?.expression);
}

function readValue(node: unknown): unknown {
  const plain = unwrapped(node);
  if (plain?.type === "ArrayExpression") return (plain.elements as readonly unknown[]).map(readValue);
  if (plain?.type !== "ObjectExpression") return textOf(plain) ?? plain?.value;
  return Object.fromEntries((plain.properties as readonly Node[]).map((property) => [keyOf(property), readValue(property.value)]));
}
