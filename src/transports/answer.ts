import { decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field, ParserSet } from "./transport.ts";

/** What a statement gave, before the way it came is added. */
export interface Answer {
  rows: Record<string, unknown>[];
  rowCount: number | null;
  command: string | null;
  fields: readonly Field[];
}

/** How rows are read. */
export interface ReadOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
}

/** Reads the answer to one statement after the other, rows straight to values. */
export class AnswerReader {
  /** Why a value could not be read; of the first that could not, and nothing is read after it. */
  failure: DecodeError | undefined;
  /** How many columns a row has. */
  width = 0;
  readonly #options: ReadOptions;
  #parsers: ((text: string) => unknown)[] = [];
  #keys: (string | number)[] = [];
  #emptyRow: Record<string, unknown> = {};
  #open: Answer = emptyAnswer();

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  describe(fields: readonly Field[]): void {
    const { parsers, rowMode } = this.#options;
    const plain: Field[] = [];
    this.#open.fields = plain;
    this.width = fields.length;
    this.#parsers = [];
    this.#keys = [];
    this.#emptyRow = {};
    let column = 0;
    try {
      for (const field of fields) {
        plain.push(plainField(field));
        this.#keys.push(rowMode === "array" ? column : field.name);
        // rows are copies of it, so that they are fast objects
        if (field.name === "__proto__") Object.defineProperty(this.#emptyRow, field.name, { ...ordinary, value: null });
        else this.#emptyRow[field.name] = null;
        this.#parsers.push(parsers.getTypeParser(field.dataTypeID, "text"));
        column++;
      }
    } catch (thrown) {
      this.failure ??= decodeFailure(thrown, fields, column);
    }
  }

  read(values: readonly (string | null)[]): void {
    if (this.failure !== undefined) return;
    const keys = this.#keys;
    const parsers = this.#parsers;
    let column = 0;
    try {
      const row = (this.#options.rowMode === "array" ? [] : { ...this.#emptyRow }) as Record<string | number, unknown>;
      for (; column < values.length; column++) {
        const value = values[column] as string | null;
        row[keys[column] as string] = value === null ? null : parsers[column]?.(value);
      }
      this.#open.rows.push(row);
    } catch (thrown) {
      this.failure = decodeFailure(thrown, this.#open.fields, column);
    }
  }

  /** The whole answer; what comes next belongs to the next statement. `tag` is that of CommandComplete, null for an empty statement. */
  complete(tag: string | null): Answer {
    const [, command = null, count] = /^([A-Za-z]+)(?:.* (\d+)$)?/.exec(tag ?? "") ?? [];
    const answer = this.#open;
    answer.command = command;
    answer.rowCount = count === undefined ? null : Number(count);
    this.#open = emptyAnswer();
    this.width = 0;
    return answer;
  }
}

/** How a property is that was assigned. */
const ordinary = { writable: true, enumerable: true, configurable: true } as const;

function emptyAnswer(): Answer {
  return { rows: [], rowCount: null, command: null, fields: [] };
}

/** A column as a plain object, whichever class the driver made it of. */
export function plainField({ name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format }: Field): Field {
  return { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format };
}
