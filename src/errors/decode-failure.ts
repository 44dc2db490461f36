import { DecodeError } from "./errors.ts";
import { look } from "./look.ts";

/** What a parser of this package's own throws: its message quotes no value, so it is told. */
export class Unreadable extends Error {}

/** What a parser throws where a setting of the server writes values in a style that would be read as others. */
export function otherStyle(setting: string, value: string, orElse = ""): Unreadable {
  return new Unreadable(
    `the role's or the database's ${setting} writes it in another style. Set it, as in: alter role … set ${setting} = '${value}'${orElse}.`,
  );
}

/** How the message of a {@link decodeFailure} begins. */
export const WAS_DONE = "The statement was done";

/** As much as is known of a column. */
export interface Column {
  readonly name: string;
  readonly dataTypeID: number;
}

/** The error of an answer in which a parser threw, at one of its columns. What a parser of the caller's threw may quote the value. */
export function decodeFailure(thrown: unknown, fields: readonly Column[], columnIndex: number): DecodeError {
  const field = fields[columnIndex];
  const cause = causeOf(thrown);
  const where = field === undefined ? "its answer" : `its column ${JSON.stringify(field.name)} (type ${field.dataTypeID})`;
  const why = isOwn(thrown)
    ? thrown.message
    : `the parser of its type threw a ${cause.name}. Mend the one given in types, or give one there.`;
  return new DecodeError(`${WAS_DONE}, but ${where} could not be read: ${why}`, {
    code: "DECODE_FAILED",
    fate: "applied",
    cause,
    ...(field && { column: field.name, columnIndex, typeId: field.dataTypeID }),
  });
}

/** The error of an answer whose rows hold more than `maxBytes`; it was read no further. */
export function answerTooLarge(maxBytes: number): DecodeError {
  return new DecodeError(
    `${WAS_DONE}, but its rows hold more than ${maxBytes} bytes (maxResponseBytes). Ask for fewer rows or columns at once, or raise the limit.`,
    { code: "RESPONSE_TOO_LARGE", fate: "applied" },
  );
}

function isOwn(thrown: unknown): thrown is Unreadable {
  return look(() => thrown instanceof Unreadable, false);
}

/** Whatever was thrown, even what throws when it is looked at. */
export function causeOf(thrown: unknown): Error {
  return look(() => withoutMessage(thrown), undefined) ?? withoutMessage(undefined);
}

/** An error's name and the frames of its stack, and nothing that could quote what it was about. */
function withoutMessage(thrown: unknown): Error {
  const cause = new Error("its message may quote the value");
  const { name, message, stack } = thrown instanceof Error ? thrown : { name: "Error", message: "", stack: "" };
  cause.name = typeof name === "string" && /^[A-Z]\w{0,49}$/.test(name) ? name : "Error";
  cause.stack = [`${cause.name}: ${cause.message}`, ...framesOf(stack, message)].join("\n");
  return cause;
}

/** The lines of a stack that say where: those behind the message, whose own lines may look alike. */
function framesOf(stack: unknown, message: unknown): readonly string[] {
  if (typeof stack !== "string" || typeof message !== "string") return [];
  const from = message === "" ? 0 : stack.indexOf(message) + message.length;
  return stack
    .slice(from)
    .split("\n")
    .filter((line) => /^ {4}at [^\n]+:\d+:\d+\)?$/.test(line));
}
