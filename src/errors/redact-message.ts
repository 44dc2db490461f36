import { conditionName } from "./condition.ts";
import { blankWords, knownWords, unicode, wordsHeld, wordsOf } from "./message-words.ts";
import { isOfFunction } from "./of-function.ts";
import { BLANK } from "./redact.ts";

/** What is read of a server's report. */
type Said = { readonly message: string; readonly code: string } & {
  readonly [Name in
    | "severity"
    | "position"
    | "internalQuery"
    | "where"
    | "routine"
    | "schema"
    | "table"
    | "column"
    | "constraint"
    | "dataType"]?: string | null | undefined;
};

/** What was sent when the server said it. */
export interface SentWork {
  /** The statements' texts, what was sent behind them, and the encoded values of their parameters. */
  readonly statements: readonly {
    readonly text: string;
    readonly comment?: string | undefined;
    readonly values: readonly (string | null)[];
  }[];
  /** Whether the server speaks another language than English; told by the severity where it is left out. */
  readonly translated?: boolean | undefined;
}

/** Longer messages are cut, in characters: only values make them so long. */
const MAX_LENGTH = 4_000;
/** No message of Postgres' own quotes more. */
const MAX_QUOTED = 16;

/**
 * A server's message without values. What it quotes and the statement's own text does not contain came from a value, and is blanked, and so
 * is every number; the names in the error's own fields, settings and encodings stay. A refusal of the text itself (a position points into it)
 * was said before any value was read, and stays whole.
 */
export function redactMessage(report: Said, sent: SentWork): string {
  const { code, severity, position, internalQuery, where } = report;
  const message = report.message.length > MAX_LENGTH ? `${report.message.slice(0, MAX_LENGTH)}…` : report.message;
  const own = isOwn(report);
  const texts = sent.statements.map(({ text }) => text);
  const known = knownWords(own ? [...texts, ...namesOf(report)] : texts);
  if (own) {
    const translated = sent.translated ?? !/^(ERROR|FATAL|PANIC)$/.test(severity ?? "ERROR");
    if (translated || wordsOf(message.replace(/".*"/s, "")).some((word) => isNotEnglish.test(word) && !known.word(word))) {
      return conditionName(code);
    }
    if (!where && ((position && !internalQuery) || code.startsWith("23"))) return message;
  }
  const quoted: string[] = [];
  const marked = own
    ? message
    : message.replace(otherMarks, (all, mark: string, piece: string) => (known.piece(piece) ? all : mark + BLANK + all.slice(-1)));
  let masked = maskQuoted(marked, quoted, (piece, before) => known.piece(piece) || (own && isSettingOrEncoding(piece, before)));
  const unknown = (word: string) => !known.word(word);
  if (own) {
    masked = masked.replace(
      missing,
      (_, kind: string, name: string) => kind + blankWords(name, (word) => unknown(word) && !types.test(word)),
    );
    // of a pattern's mistake, or of the system's, no value is said behind the colon
    if (!/^(2201B|5[38])/.test(code)) masked = masked.replace(/: .*$/s, (tail) => blankWords(tail, unknown));
  }
  // names stand in Postgres' own sentences as words only where they exist, unless a function put them into SQL
  const ofFunction = !own || Boolean(internalQuery) || (Boolean(where) && !code.startsWith("22"));
  const holds = ofFunction
    ? wordsHeld(
        wordsOf(masked).filter(unknown),
        sent.statements.flatMap(({ values }) => values),
      )
    : () => false;
  const named = own && /^(42501|2BP01)$/.test(code);
  const isValue = (word: string) => unknown(word) && ((/\d/.test(word) && (ofFunction || !named)) || holds(word));
  const parts = own ? masked.split(typesAndRanges) : [masked];
  return parts
    .map((part, index) => (index % 2 === 0 ? blankWords(part, isValue) : part))
    .join("")
    .replace(/\[redacted\](\s+\[redacted\])+/g, BLANK)
    .replace(/\0/g, () => quoted.shift() ?? "");
}

/** Whether the message is one of Postgres' own sentences, and not what a function said, in SQL or in another language, or another server. */
function isOwn({ code, routine }: Said): boolean {
  return Boolean(routine) && !/^(P0|3[89]|HV|XX)/.test(code) && !isOfFunction(routine);
}

/** What no sentence of Postgres' own has in English: other letters, and of its languages that say ERROR too, the small words of Spanish. */
const isNotEnglish = /[^\0-\x7f]|^(el|los|las?|del?|para|en|por|una?)$/;

/** What a function's message quotes with other marks. */
const otherMarks = /(?<=^|[\s(=[:])(['`\xab\u201c\u201e\u2018])(.*?)['`\xbb\u201d\u2019](?=$|[\s).,;:!?\]])/gs;

/** Names of what does not exist, which are not quoted. Source: PostgreSQL 18, its messages with a bare `%s`. */
const missing =
  /^((?:function|procedure|routine|aggregate|column|operator|type|tablesample method) )(?!\0)(.+)(?= (?:does not exist|is not unique))/s;

/** How Postgres prints the types that have other names in SQL, and its commonest. */
const types =
  /^(integer|(small|big)int|boolean|real|double|precision|numeric|text|character|varying|date|time|timestamp|interval|with(out)?|zone|jsonb?|uuid|bytea|record|unknown)$/;

/** Types, which print as several words, and a setting's range. */
const typesAndRanges = /((?:for|to|from|match) (?:type|enum|domain) (?!with OID)[^":\0]*|\(\S+ ?\w* \.\. \S+ ?\w*\)$)/;

function isSettingOrEncoding(piece: string, before: string): boolean {
  return (
    (/(^|(value|range) for |to set )parameter $/.test(before) && /^[a-z_]+$/i.test(piece)) ||
    (/ (for|in) encoding $/.test(before) && /^[A-Z][A-Z\d_]+$/.test(piece))
  );
}

/**
 * Puts NUL, which no text of Postgres' has, for what is quoted, and into `quoted` what is to be shown of it. From the first piece that may not
 * stay to the last mark all is blanked: there is no telling the marks of a value from the server's.
 */
function maskQuoted(message: string, quoted: string[], mayStay: (piece: string, before: string) => boolean): string {
  let out = "";
  let at = 0;
  for (let open = message.indexOf('"'); open >= 0; open = message.indexOf('"', at)) {
    const close = message.indexOf('"', open + 1) + 1;
    const piece = message.slice(open, close);
    const before = message.slice(Math.max(0, open - 30), open);
    const last = close > message.lastIndexOf('"');
    const stays = close > 0 && quoted.length < MAX_QUOTED && (last || unicode().letter.test(piece)) && mayStay(piece.slice(1, -1), before);
    quoted.push(stays ? piece : `"${BLANK}"`);
    out += `${message.slice(at, open)}\0`;
    if (close === 0) return out;
    at = stays ? close : message.lastIndexOf('"') + 1;
  }
  return out + message.slice(at);
}

function namesOf({ schema, table, column, constraint, dataType }: Said): readonly string[] {
  return [schema, table, column, constraint, dataType].filter((name) => name != null);
}
