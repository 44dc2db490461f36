import { type SqlToken, sqlTokens } from "../syntax/sql-tokens.ts";

/** A statement without what changes from call to call. */
export interface QueryShape {
  /** Operations and what they work on, in their order, as in `INSERT orders SELECT carts`; null where there is nothing to tell. */
  readonly summary: string | null;
  /** The text with `?` for every literal, and without comments. */
  readonly text: string;
}

/** So much of a text is looked at, characters; what is longer is not remembered. */
const LONGEST_TEXT = 20_000;
/** Source: OpenTelemetry's database conventions, `db.query.summary`. */
const LONGEST_SUMMARY = 255;
/** Texts built anew for every call must not fill the memory: so much is remembered, bytes of texts and their shapes. */
const MOST_BYTES = 2 ** 22;
/** What an entry costs beside its characters, of two bytes each. */
const ENTRY_BYTES = 256;

const shapes = new Map<string, QueryShape>();
let bytes = 0;

/** The shape of a statement's text; remembered as long as there is room. */
export function queryShape(text: string): QueryShape {
  const known = shapes.get(text);
  if (known !== undefined) return known;
  const own = copy(text.slice(0, LONGEST_TEXT));
  const tokens = sqlTokens(own);
  const shape = { summary: summarize(tokens), text: withoutLiterals(tokens) };
  if (text.length <= LONGEST_TEXT) keep(own, shape);
  return shape;
}

function keep(text: string, shape: QueryShape): void {
  const cost = ENTRY_BYTES + 2 * (text.length + shape.text.length + (shape.summary?.length ?? 0));
  if (bytes + cost > MOST_BYTES) {
    shapes.clear();
    bytes = 0;
  }
  shapes.set(text, shape);
  bytes += cost;
}

/** The same characters in memory of their own: V8 keeps the whole of a text alive for the smallest piece of it. */
function copy(text: string): string {
  return JSON.parse(JSON.stringify(text));
}

function withoutLiterals(tokens: readonly SqlToken[]): string {
  return tokens.map(({ kind, text, spaced }, index) => (spaced && index > 0 ? " " : "") + (kind === "literal" ? "?" : text)).join("");
}

const operations = /^(SELECT|INSERT|UPDATE|DELETE|MERGE)$/;
/** Before these words an operation's name is part of a clause: `FOR UPDATE`, `ON DELETE CASCADE`, `DO UPDATE`, `THEN DELETE`. */
const clauses = /^(FOR|KEY|ON|DO|THEN)$/;
/** What ends a list of tables. */
const listEnds = /^(WHERE|GROUP|ORDER|HAVING|LIMIT|OFFSET|FETCH|WINDOW|UNION|EXCEPT|INTERSECT|SET|VALUES|RETURNING)$/;
/** What may stand between FROM and a table. */
const beforeTarget = /^(ONLY|LATERAL|ROWS)$/;
const objects = /^(TABLE|INDEX|VIEW|FUNCTION|PROCEDURE|TRIGGER|TYPE|SCHEMA|SEQUENCE|EXTENSION|DATABASE|ROLE|USER|POLICY)$/;

/** Names are kept as they are written, save that nothing of a literal is. Source: OpenTelemetry, "Generating a summary of the query text". */
function summarize(tokens: readonly SqlToken[]): string | null {
  const pieces: string[] = [];
  /** For each open parenthesis whether a query was begun in it: elsewhere FROM belongs to a function. */
  const queries = [false];
  let listDepth = 0;
  let expected: "table" | "call" | undefined;
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at] as SqlToken;
    const word = upper(tokens[at]);
    const before = upper(tokens[at - 1]);
    const isFirst = at === 0 || before === ";";
    if (expected !== undefined && (kind === "name" || (kind === "word" && !beforeTarget.test(word) && !operations.test(word)))) {
      let name = text;
      while (tokens[at + 1]?.text === "." && tokens[at + 2] !== undefined) {
        name += `.${tokens[at + 2]?.text}`;
        at += 2;
      }
      if (expected === "table" || tokens[at + 1]?.text !== "(") pieces.push(name);
      expected = undefined;
    } else if (word === "(") {
      queries.push(false);
      expected = undefined;
    } else if (word === ")") {
      if (queries.length > 1) queries.pop();
      if (listDepth > queries.length) listDepth = 0;
    } else if (operations.test(word) && !clauses.test(before)) {
      pieces.push(text);
      queries[queries.length - 1] = true;
      expected = word === "UPDATE" ? "table" : undefined;
      listDepth = 0;
    } else if (word === "FROM" && queries.at(-1) && before !== "DISTINCT") {
      expected = "call";
      listDepth = queries.length;
    } else if (word === "JOIN" || (word === "USING" && pieces.length > 0) || (word === "," && listDepth === queries.length)) {
      expected = "call";
    } else if (word === "INTO") expected = "table";
    else if (listEnds.test(word)) listDepth = 0;
    else if (isFirst && kind === "word" && word !== "WITH") {
      const object = tokens.slice(at + 1, at + 6).find((one) => objects.test(upper(one)));
      pieces.push(text, ...(object === undefined || !/^(CREATE|ALTER|DROP)$/.test(word) ? [] : [object.text]));
    }
  }
  while (pieces.join(" ").length > LONGEST_SUMMARY) pieces.pop();
  return pieces.length > 0 ? pieces.join(" ") : null;
}

function upper(token: SqlToken | undefined): string {
  return token === undefined || token.kind === "name" || token.kind === "literal" ? "" : token.text.toUpperCase();
}
