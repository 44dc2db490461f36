import { readFileSync, statSync } from "node:fs";
import type { Seen } from "../evidence.ts";
import { keyOf, type Node, textOf, unwrapped } from "./ast.ts";
import type { Parser } from "./source-file.ts";

/** What reads TOML: the part of smol-toml that is used. */
interface TomlReader {
  readonly parse: (text: string) => unknown;
}

/** What reads YAML: the part of yaml that is used. */
interface YamlReader {
  readonly parse: (text: string, options: { readonly merge: boolean; readonly logLevel: "error" }) => unknown;
}

/** Readers of what is not JSON, or why there is none. */
export interface Readers {
  readonly parser: Seen<Parser>;
  readonly toml: Seen<TomlReader>;
  readonly yaml: Seen<YamlReader>;
}

/** What a configuration says: JSON, with comments where Wrangler takes them, TOML or YAML, told by its name. Never throws. */
export function readConfiguration(path: string, { parser, toml, yaml }: Readers): Seen<unknown> {
  const unreadable = { unseen: "it cannot be read" };
  try {
    // a pipe would never end
    if (!statSync(path).isFile()) return unreadable;
    const text = readFileSync(path, "utf8").replace(/^\ufeff/, "");
    if (path.endsWith(".toml")) return whenThere(toml, ({ parse }) => parse(text));
    // CloudFormation's tags (!Ref) are not known to it, and stand for what is not read here
    if (/\.ya?ml$/.test(path)) return whenThere(yaml, ({ parse }) => parse(text, { merge: true, logLevel: "error" }));
    if (path.endsWith(".jsonc") || /wrangler\.json$/.test(path)) return whenThere(parser, (reader) => readJsonWithComments(text, reader));
    return { value: JSON.parse(text) };
  } catch {
    return unreadable;
  }
}

function whenThere<T>(reader: Seen<T>, read: (reader: T) => unknown): Seen<unknown> {
  return "unseen" in reader ? reader : { value: read(reader.value) };
}

/** With comments it is no JSON, but JavaScript. */
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
