import { BLANK } from "./redact.ts";

/** Unicode's classes. In patterns that are written as such V8 looks them up when it reads the module, called or not, and every start would wait for that. */
const LETTERS = "\\p{L}";
const SAID = `${LETTERS}\\p{N}`;
const OF_WORDS = `${SAID}\\p{M}_$`;

let patterns: Readonly<Record<"letter" | "said" | "words" | "plain", RegExp>> | undefined;

/** Patterns over them, made for the first message. */
export function unicode() {
  patterns ??= {
    letter: new RegExp(LETTERS, "u"),
    said: new RegExp(`[${SAID}]`, "u"),
    words: new RegExp(`[${OF_WORDS}]+|[^${OF_WORDS}\\s\\0]{2,}`, "gu"),
    plain: new RegExp(`^[${OF_WORDS}\\s.,()[\\]]*$`, "u"),
  };
  return patterns;
}

/** The words of a text, in lower case. */
export const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(unicode().words) ?? [];

/** Blanks what stands between two spaces and holds a word that is bad. */
export function blankWords(text: string, isBad: (word: string) => boolean): string {
  return text.replace(/[^\s\0]+/g, (chunk) => {
    if (chunk.includes(BLANK) || !wordsOf(chunk).some(isBad)) return chunk;
    const start = /^[("'[{<]*/.exec(chunk)?.[0] ?? "";
    const end = /[)"'\]}>.,;:!?]*$/.exec(chunk.slice(start.length))?.[0] ?? "";
    return start + BLANK + end;
  });
}

/** What is known of the texts, in any case and without their quotes, since Postgres prints names so. */
export function knownWords(texts: readonly string[]) {
  const text = texts.join("\n").toLowerCase().replaceAll('"', "");
  let words: Set<string> | undefined;
  const read = () => {
    words = new Set([...wordsOf(text), ...(text.match(/\d+/g) ?? [])]);
    // Postgres cuts a name at 63 bytes
    for (const word of words) if (word.length > 63) words.add(word.slice(0, 63));
    return words;
  };
  const word = (asked: string) => (words ?? read()).has(asked);
  const piece = (asked: string) => {
    const small = asked.toLowerCase();
    const found = wordsOf(small);
    const said = unicode().said.test(small);
    return said
      ? found.every((each) => !unicode().said.test(each) || word(each)) && (unicode().plain.test(small) || text.includes(small))
      : small.trim() !== "" && text.includes(small);
  };
  return { word, piece };
}

/** Small words of English, which a value has too. */
const everywhere =
  / (an?|and|are|as|at|be|been|by|can|cannot|does|exists?|for|found|from|has|have|in|is|it|less|more|must|no|not|of|on|only|or|than|that|the|this|to|too|was|with|already) /;

/**
 * Tells which of the words stand in a value: those of four and more letters by any four of theirs, shorter ones whole, and those of one or two
 * as a word of the value. Each value is read once, so the time is that of reading them.
 */
export function wordsHeld(words: readonly string[], values: readonly (string | null)[]): (word: string) => boolean {
  const asked = words.filter((word) => !everywhere.test(` ${word} `));
  const pieces = new Set(asked.flatMap(piecesOf));
  const lengths = [...new Set([...pieces].map(({ length }) => length))];
  const found = new Set<string>();
  for (const value of values) {
    if (value === null) continue;
    const text = ` ${unescaped(value).toLowerCase()} `;
    for (const length of lengths) {
      for (let at = 1; at < text.length - length; at++) {
        const piece = text.slice(at, at + length);
        if (pieces.has(piece) && (length > 2 || isApart(text, at, length))) found.add(piece);
      }
    }
    const whole = text.trim();
    if (whole.length === 3) for (const word of asked) if (word.includes(whole)) found.add(word);
  }
  const held = new Set(asked.filter((word) => found.has(word) || piecesOf(word).some((piece) => found.has(piece))));
  return (word) => held.has(word);
}

const piecesOf = (word: string): readonly string[] =>
  word.length <= 4 ? [word] : Array.from({ length: word.length - 3 }, (_, at) => word.slice(at, at + 4));

function isApart(text: string, at: number, length: number): boolean {
  return !unicode().said.test(`${text[at - 1]}${text[at + length]}`);
}

/** With the escapes of JSON read. */
function unescaped(value: string): string {
  return value.includes("\\")
    ? value.replace(/\\u([\da-f]{4})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))).replace(/\\[bfnrt]/g, " ")
    : value;
}
