import { statementWords } from "./statement-words.ts";

/** Statements over this many bytes of text pin. Source of this and all below: AWS documentation, "Avoiding pinning an RDS Proxy". */
export const PINNING_BYTES = 16_384;

type Words = readonly string[];

/** By a statement's first word: why it pins, or undefined. */
const commands: Readonly<Record<string, (words: Words) => string | undefined>> = {
  SET: ([, scope = ""]) =>
    ["LOCAL", "TRANSACTION", "CONSTRAINTS"].includes(scope) ? undefined : "SET changes the session; use SET LOCAL in a transaction",
  RESET: () => "RESET changes the session",
  PREPARE: ([, what]) => (what === "TRANSACTION" ? undefined : "PREPARE keeps a statement in the session; parameters need none"),
  EXECUTE: () => "EXECUTE needs a statement kept in the session; parameters need none",
  DEALLOCATE: () => "DEALLOCATE changes the session",
  DISCARD: () => "DISCARD changes the session",
  DECLARE: () => "DECLARE opens a cursor in the session; page with LIMIT and a key instead",
  LISTEN: () => "LISTEN waits in the session; use a connection that goes round the proxy",
  LOAD: () => "LOAD brings a library into the session",
  CREATE: (words) => (isTemporary(words.slice(1)) ? TEMPORARY : undefined),
  SELECT: (words) => (selectsIntoTemporary(words) ? TEMPORARY : undefined),
  WITH: (words) => (selectsIntoTemporary(words) ? TEMPORARY : undefined),
};

const TEMPORARY = "a temporary object lives in the session; use a table of your own or a common table expression";
const SEQUENCE = "it moves a sequence by name; let an identity column or a default do it";

/** By the name of a function that is called anywhere in a statement; `rest` begins behind its opening bracket. */
const functions: Readonly<Record<string, (rest: Words) => string | undefined>> = {
  SET_CONFIG: (rest) => (thirdArgument(rest) === "TRUE" ? undefined : "set_config changes the session unless its third argument is true"),
  NEXTVAL: () => SEQUENCE,
  SETVAL: () => SEQUENCE,
};

/** Advisory locks of the session; those of a transaction have `_xact_` in their names. */
const sessionLock = /^PG_(TRY_)?ADVISORY_(LOCK|LOCK_SHARED|UNLOCK|UNLOCK_SHARED|UNLOCK_ALL)$/;

/**
 * Why `text` would pin a client of RDS Proxy to its backend, so that nobody else can use it until the client goes; undefined where it would
 * not. Told by the first words, the functions that are named, and the size; what a function does inside cannot be seen.
 * @param bytes of the text in UTF-8.
 */
export function pinReason(text: string, bytes: number): string | undefined {
  if (bytes > PINNING_BYTES) return `its text has more than ${PINNING_BYTES / 1_024} KB; send the data as parameters`;
  for (const words of statementWords(text)) {
    const reason = commands[words[0] ?? ""]?.(words) ?? reasonOfCalls(words);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Reports statements that would pin: each reason once, by `warn`. The statement itself is not shown, for it may hold values. */
export function pinningReporter(warn: (message: string) => void): (text: string) => void {
  const told = new Set<string>();
  return (text) => {
    const reason = pinReason(text, Buffer.byteLength(text));
    if (reason === undefined || told.has(reason)) return;
    told.add(reason);
    warn(`A statement pins its connection of RDS Proxy to one backend: ${reason}. Said once.`);
  };
}

function reasonOfCalls(words: Words): string | undefined {
  for (const [at, word] of words.entries()) {
    if (words[at + 1] !== "(") continue;
    if (sessionLock.test(word)) return "a session's advisory lock stays with the session; use pg_advisory_xact_lock";
    const reason = functions[word]?.(words.slice(at + 2));
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function isTemporary(words: Words): boolean {
  const first = words.find((word) => !["OR", "REPLACE", "GLOBAL", "LOCAL"].includes(word));
  return first === "TEMP" || first === "TEMPORARY";
}

function selectsIntoTemporary(words: Words): boolean {
  return words.some(
    (word, at) => word === "INTO" && !["INSERT", "MERGE"].includes(words[at - 1] ?? "") && isTemporary(words.slice(at + 1)),
  );
}

/** The third argument of a call, where it is one word. */
function thirdArgument(rest: Words): string | undefined {
  let depth = 0;
  let commas = 0;
  for (const [at, word] of rest.entries()) {
    if (word === "(" || word === "[") depth++;
    else if (word === ")" || word === "]") depth--;
    else if (word === "," && depth === 0 && ++commas === 2) return rest[at + 2] === ")" ? rest[at + 1] : undefined;
  }
  return undefined;
}
