import { argumentsOf, keyOf, type Node, pathOf, unwrapped } from "./ast.ts";
import type { FileRule } from "./code-rule.ts";
import { stringBuiltSql } from "./sql-rules.ts";

const verificationOff: FileRule = {
  name: "tls-verification-off",
  costs: "Whoever is on the way can answer as the server, and read the password and all that follows.",
  change: "ssl: { ca: <the authority's certificate> }, or sslmode=verify-full&sslrootcert=… in the URL",
  find: (file) => [
    ...file
      .all("Property")
      .filter((node) => keyOf(node) === "rejectUnauthorized" && isFalse(node.value))
      .map((node) => ({ node, found: "rejectUnauthorized is false: nobody checks whose certificate it is." })),
    ...file
      .all("AssignmentExpression")
      .filter(({ left, right }) => pathOf(left).at(-1) === "rejectUnauthorized" && isFalse(right))
      .map((node) => ({ node, found: "rejectUnauthorized is false: nobody checks whose certificate it is." })),
    ...file
      .all("AssignmentExpression")
      .filter(({ left, right }) => pathOf(left).at(-1) === "NODE_TLS_REJECT_UNAUTHORIZED" && ["0", 0].includes(literalOf(right)))
      .map((node) => ({ node, found: "NODE_TLS_REJECT_UNAUTHORIZED is 0, for everything this process connects to." })),
  ],
};

/** `false`, and `!1` as minifiers write it. */
function isFalse(node: unknown): boolean {
  const plain = unwrapped(node);
  return plain?.value === false || (plain?.type === "UnaryExpression" && plain.operator === "!" && literalOf(plain.argument) === 1);
}

function literalOf(node: unknown): string | number {
  const value = unwrapped(node)?.value;
  return typeof value === "string" || typeof value === "number" ? value : "";
}

const loggers = new Set(["log", "info", "warn", "error", "debug", "trace", "dir", "table", "fatal"]);

const urlLogged: FileRule = {
  name: "url-logged",
  costs: "The password stands in the log, for everybody who reads logs and for as long as they are kept.",
  change: "log db.plan.server, which has host, port and database",
  find: (file) =>
    file.all("CallExpression").flatMap((node) => {
      const [logger, method] = pathOf(node.callee).slice(-2);
      if (!/^(console|logger|log)$/.test(logger ?? "") || !loggers.has(method ?? "")) return [];
      const name = argumentsOf(node).flatMap(namesOfUrls)[0];
      return name === undefined ? [] : [{ node, found: `${name} is written to the log.` }];
    }),
};

/** Names of URLs with a password in them, as they stand in what is logged: by itself, in a template, joined, or in an object. */
function namesOfUrls(node: Node): readonly string[] {
  const plain = unwrapped(node);
  const both = () => [plain?.left as Node, plain?.right as Node].flatMap(namesOfUrls);
  switch (plain?.type) {
    case "Identifier":
    case "MemberExpression": {
      const name = pathOf(plain).at(-1) ?? "";
      return isNameOfUrl(name) ? [name] : [];
    }
    case "TemplateLiteral":
      return (plain.expressions as readonly Node[]).flatMap(namesOfUrls);
    case "BinaryExpression":
      return plain.operator === "+" ? both() : [];
    case "LogicalExpression":
      return plain.operator === "&&" ? namesOfUrls(plain.right as Node) : both();
    case "ConditionalExpression":
      return [plain.consequent as Node, plain.alternate as Node].flatMap(namesOfUrls);
    case "CallExpression":
      return ["JSON.stringify", "String"].includes(pathOf(plain.callee).join(".")) ? argumentsOf(plain).flatMap(namesOfUrls) : [];
    case "ObjectExpression":
      return (plain.properties as readonly Node[]).flatMap(({ value }) => (value === undefined ? [] : namesOfUrls(value as Node)));
    default:
      return [];
  }
}

function isNameOfUrl(name: string): boolean {
  if (/hint|help|mask|redact|safe|host|name|docs|error|example/i.test(name)) return false;
  return /^(database|db|postgres|postgresql|pg|neon|direct|supabase_db)_?(\w+_)?(url|uri|dsn)(_\w+)?$|^connection_?string$/i.test(name);
}

/** Rules about what leaves, and what comes in. */
export const secretRules: readonly FileRule[] = [verificationOff, urlLogged, stringBuiltSql];
