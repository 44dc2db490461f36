import { makesTemporary, type SessionUseKind, useOf } from "../syntax/session-use.ts";
import { type StatementTokens, statements, word } from "../syntax/statements.ts";

/** Statements over this many bytes of text pin. Source of this and all below: AWS documentation, "Avoiding pinning an RDS Proxy". */
export const PINNING_BYTES = 16_384;

const TEMPORARY = "a temporary object lives in the session; use a table of your own or a common table expression";
const SEQUENCE = "it moves a sequence by name; let an identity column or a default do it";
const CURSOR = "DECLARE opens a cursor in the session; page with LIMIT and a key instead";

/** What to do instead of what uses the session; what only waits for an answer beside the rows does not pin. */
const reasons: Readonly<Record<SessionUseKind, ((by: string) => string) | undefined>> = {
  setting: (by) => `${by} changes the session; use SET LOCAL, or set_config with true, in a transaction`,
  lock: () => "a session's advisory lock stays with the session; use pg_advisory_xact_lock",
  temporary: () => TEMPORARY,
  prepared: (by) => `${by} needs a statement kept in the session; parameters need none`,
  cursor: () => CURSOR,
  library: () => "LOAD brings a library into the session",
  everything: () => "DISCARD changes the session",
  listening: (by) => `${by} waits in the session; use a connection that goes round the proxy`,
  copying: undefined,
};

/**
 * Why `text` would pin a client of RDS Proxy to its backend, so that nobody else can use it until the client goes; undefined where it would
 * not. Told by the first words, the functions that are named, and the size; what a function does inside cannot be seen.
 * @param bytes of the text in UTF-8.
 */
export function pinReason(text: string, bytes: number): string | undefined {
  if (bytes > PINNING_BYTES) return `its text has more than ${PINNING_BYTES / 1_024} KB; send the data as parameters`;
  for (const statement of statements(text)) {
    const use = useOf(statement);
    const reason = (use && reasons[use.kind]?.(use.by)) ?? reasonOfItsOwn(statement);
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

/** What pins though nothing of it outlives its transaction, or though it is the table's own. */
function reasonOfItsOwn(statement: StatementTokens): string | undefined {
  if (word(statement[0]) === "DECLARE") return CURSOR;
  if (makesTemporary(statement)) return TEMPORARY;
  const moves = statement.some((token, at) => ["NEXTVAL", "SETVAL"].includes(word(token)) && statement[at + 1]?.text === "(");
  return moves ? SEQUENCE : undefined;
}
