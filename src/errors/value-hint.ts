/** The text of an array of Postgres, and not that of a JSON object. */
const arrayText = /^\{(?!"(\\.|[^"\\])*":).*\}$/s;

/** The routines of Postgres that read JSON. Source: PostgreSQL 14 to 18, `json.c`, `jsonfuncs.c`. */
const readsJson = /^(json|report_parse_error)/;

/** Those of pgvector that read a vector. Source: pgvector, `vector.c`, `halfvec.c`. */
const readsVector = /^(vector|halfvec)_in$/;

/** Those of Postgres that read an array, the routines of 14 to 18: what one of ours is refused for are lists of different lengths. */
const readsArray = /array/i;

/** The text of bytes. */
const bytesText = /^\\x[\da-f]*$/;

const FOR_A_LIST = "write = any(…) with it, or in (…) with sql.join";

/** What a server says of a statement, as far as a hint needs it. */
interface Refusal {
  readonly code: string;
  /** As the server said it. */
  readonly message: string;
  readonly where?: string | null | undefined;
  readonly routine?: string | null | undefined;
  readonly position?: string | null | undefined;
}

interface Sent {
  readonly text: string;
  readonly values: readonly (string | null)[];
}

/**
 * What to write where a value went as what it cannot be, or several statements as one; empty where that is not the reason. Told by codes, routines and places, for the message
 * may be in the server's language.
 * @param statements the one that failed, or all of them where nobody tells which did
 */
export function valueHint(refusal: Refusal, statements: readonly Sent[]): string {
  const { code, routine, position } = refusal;
  if (code === "22P02" && isReadArray(refusal, statements)) {
    if (readsArray.test(routine ?? "")) return ". Lists in an array are of one length: for others write sql.json(…)";
    const isVector = readsVector.test(routine ?? "");
    return isVector || readsJson.test(routine ?? "")
      ? `. An array is sent as one of Postgres: for ${isVector ? "a vector write JSON.stringify" : "JSON write sql.json"}(…)`
      : `. An array is sent as one value: ${FOR_A_LIST}`;
  }
  if (code === "22P02" && isReadBytes(refusal, statements)) {
    return ". A typed array is sent as bytes: write Array.from(…)";
  }
  // the server counts characters, from 1
  if (code === "42601" && position && statements.some(({ text }) => /^\$\d/.test([...text].slice(Number(position) - 1).join("")))) {
    return `. No value can stand there: for a list ${FOR_A_LIST}, for a name sql.id(…)`;
  }
  if (code === "42601" && routine === "exec_parse_message") return ". Several go by batch([…]) or db.script(…)";
  if (code === "08P01" && routine === "exec_bind_message") {
    return ". There must be as many values as the text has placeholders ($1, $2 …); one within quotes is text";
  }
  return "";
}

/** Whether what could not be read are bytes that were sent, whole. */
function isReadBytes({ message }: Refusal, statements: readonly Sent[]): boolean {
  return statements.some(({ values }) => values.some((value) => value !== null && bytesText.test(value) && message.includes(`"${value}"`)));
}

/**
 * Whether what could not be read is an array that was sent, whole: an element of one, or another value beside it, is told for itself. A message
 * quotes what was read; of JSON the context shows its beginning, cut off where it failed.
 */
function isReadArray({ message, where, routine }: Refusal, statements: readonly Sent[]): boolean {
  const [, shown] = /: (\{.*?)(?:\.{3})?$/s.exec(where?.split("\n")[0] ?? "") ?? [];
  return statements.some(({ values }) =>
    values.some((value) => {
      if (value === null || !arrayText.test(value)) return false;
      return readsJson.test(routine ?? "") ? shown !== undefined && value.startsWith(shown) : message.includes(`"${value}"`);
    }),
  );
}
