import { argumentsOf, type FileRule } from "./code-rule.ts";
import { keyOf, type Node, pathOf, type SourceFile, textOf, unwrapped } from "./source-file.ts";

const verificationOff: FileRule = {
  name: "tls-verification-off",
  costs: "Whoever is on the way can answer as the server, and read the password and all that follows.",
  change: "ssl: { ca: <the authority's certificate> }, or sslmode=verify-full&sslrootcert=… in the URL",
  find: (file) => [
    ...file
      .all("Property")
      .filter((node) => keyOf(node) === "rejectUnauthorized" && unwrapped(node.value)?.value === false)
      .map((node) => ({ node, found: "rejectUnauthorized is false: nobody checks whose certificate it is." })),
    ...file
      .all("AssignmentExpression")
      .filter(({ left, right }) => pathOf(left).at(-1) === "NODE_TLS_REJECT_UNAUTHORIZED" && ["0", 0].includes(literalOf(right)))
      .map((node) => ({ node, found: "NODE_TLS_REJECT_UNAUTHORIZED is 0, for everything this process connects to." })),
  ],
};

function literalOf(node: unknown): string | number {
  const value = unwrapped(node)?.value;
  return typeof value === "string" || typeof value === "number" ? value : "";
}

const loggers = new Set(["log", "info", "warn", "error", "debug", "trace"]);

const urlLogged: FileRule = {
  name: "url-logged",
  costs: "The password stands in the log, for everybody who reads logs and for as long as they are kept.",
  change: "log db.plan.server, which has host, port and database",
  find: (file) =>
    file.all("CallExpression").flatMap((node) => {
      const [logger, method] = pathOf(node.callee);
      if (!/^(console|logger|log)$/.test(logger ?? "") || !loggers.has(method ?? "")) return [];
      const name = argumentsOf(node).flatMap(namesOfUrls)[0];
      return name === undefined ? [] : [{ node, found: `${name} is written to the log.` }];
    }),
};

/** Names of URLs with a password in them, as they stand in what is logged: by itself, in a template, joined, or in an object. */
function namesOfUrls(node: Node): readonly string[] {
  const plain = unwrapped(node);
  switch (plain?.type) {
    case "Identifier":
    case "MemberExpression": {
      const name = pathOf(plain).at(-1) ?? "";
      return isNameOfUrl(name) ? [name] : [];
    }
    case "TemplateLiteral":
      return (plain.expressions as readonly Node[]).flatMap(namesOfUrls);
    case "BinaryExpression":
      return [plain.left as Node, plain.right as Node].flatMap(namesOfUrls);
    case "ObjectExpression":
      return (plain.properties as readonly Node[]).flatMap(({ value }) => (value === undefined ? [] : namesOfUrls(value as Node)));
    default:
      return [];
  }
}

function isNameOfUrl(name: string): boolean {
  return /^(database|postgres|postgresql|pg|neon|direct|supabase_db)_?(\w+_)?(url|uri|dsn)(_\w+)?$|^connection_?string$/i.test(name);
}

/** Methods whose first argument is a statement, of pg, postgres.js, Neon's driver, Prisma, Drizzle and Knex. */
const takesSql = new Set(["query", "script", "unsafe", "raw", "$queryRawUnsafe", "$executeRawUnsafe", "execute"]);
/** Commands that take parameters: others have to be put together. Source: PostgreSQL documentation, PREPARE. */
const takesParameters = /^\s*(select|insert|update|delete|with|merge|values)\b/i;
const quoters = new Set(["escapeIdentifier", "escapeLiteral"]);

const stringBuiltSql: FileRule = {
  name: "string-built-sql",
  costs: "Whoever writes the value writes the statement; and each text is parsed and planned anew, for it never comes again.",
  change: "the tag db.sql, or $1 and an array: their values travel as parameters; sql.id(name) for names",
  find: (file) =>
    file.all("CallExpression").flatMap((node) => {
      const callee = unwrapped(node.callee);
      const method = callee?.type === "MemberExpression" && callee.computed !== true ? String((callee.property as Node).name) : "";
      const text = takesSql.has(method) ? unwrapped(argumentsOf(node)[0]) : undefined;
      const built = text === undefined ? undefined : pieces(text);
      if (built === undefined || !takesParameters.test(built.begins) || built.values.every((value) => isConstant(file, value))) return [];
      return [{ node, found: `${method}() is given a statement that is put together from values.` }];
    }),
};

/** What a text is put together from: how it begins, and what is not written there. */
function pieces(node: Node): { readonly begins: string; readonly values: readonly Node[] } | undefined {
  if (node.type === "TemplateLiteral") {
    const [first] = node.quasis as readonly { readonly value: { readonly raw: string } }[];
    return { begins: first?.value.raw ?? "", values: node.expressions as readonly Node[] };
  }
  if (node.type !== "BinaryExpression" || node.operator !== "+") return undefined;
  const operands: Node[] = [];
  for (let left: Node = node; ; left = left.left as Node) {
    if (left.type !== "BinaryExpression") {
      operands.unshift(left);
      break;
    }
    operands.unshift(left.right as Node);
  }
  const first = operands[0] as Node;
  const begins = textOf(first) ?? pieces(first)?.begins ?? "";
  return { begins, values: operands.filter((one) => textOf(one) === undefined) };
}

/** Whether it is text or a number that is written in this file, or was quoted by what pg has for it. */
function isConstant(file: SourceFile, node: Node): boolean {
  const plain = unwrapped(node);
  if (plain?.type === "Literal") return true;
  if (plain?.type === "CallExpression") return quoters.has(pathOf(plain.callee).at(-1) ?? "");
  const [name, ...more] = pathOf(plain);
  if (name === undefined || more.length > 0) return false;
  return file.all("VariableDeclarator").some((declared) => {
    const init = unwrapped(declared.init);
    return pathOf(declared.id)[0] === name && (textOf(init) !== undefined || init?.type === "Literal") && isConst(file, declared);
  });
}

function isConst(file: SourceFile, declared: Node): boolean {
  return file.parent(declared)?.kind === "const";
}

/** Rules about what leaves, and what comes in. */
export const secretRules: readonly FileRule[] = [verificationOff, urlLogged, stringBuiltSql];
