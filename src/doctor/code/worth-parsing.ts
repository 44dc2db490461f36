/** Words of which one has to be there, each with what has to stand beside it, if anything: in lower case. */
const signs: readonly (readonly [words: readonly string[], beside?: readonly string[]])[] = [
  [['"pg"', "'pg'", "postgres", "@neondatabase/", "warmline", "drizzle-orm", ".transaction(", ".connect()"]],
  [["rejectunauthorized", "node_tls_reject", "maxduration", "directurl", "direct_", "unpooled", "non_pooling", "cloudflare:workers"]],
  [['"edge"', "'edge'", "experimental-edge"]],
  [
    ["console.", "logger.", "log."],
    ["url", "uri", "dsn", "connectionstring", "connection_string"],
  ],
  [
    [".query(", ".execute(", ".unsafe(", ".raw(", ".script(", "rawunsafe("],
    ["select", "insert", "update", "delete", "with", "merge", "values"],
  ],
];

/** What hands on what another file makes, and may be all that a file does. */
const handsOn = /\bexport\s*[*{]|\bmodule\.exports\s*=\s*require\(|\bexports\b[^;]{0,200}\bpool\b/;

/** Whether a rule could find anything in a text: parsing costs a hundred times as much as this. */
export function isWorthParsing(text: string): boolean {
  const lower = text.toLowerCase();
  const has = (word: string) => lower.includes(word);
  return handsOn.test(lower) || signs.some(([words, beside]) => words.some(has) && (beside === undefined || beside.some(has)));
}
