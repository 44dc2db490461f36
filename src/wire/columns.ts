import { decodeFailure } from "../errors/decode-failure.ts";
import type { DecodeError } from "../errors/errors.ts";
import type { Field, ParserSet } from "../transports/transport.ts";

/** How rows are read. */
export interface ReadOptions {
  readonly rowMode: "object" | "array";
  readonly parsers: ParserSet;
}

/** The columns of a statement's rows, and how their values are read. */
export class Columns {
  readonly fields: readonly Field[];
  readonly options: ReadOptions;
  /** Rows are copies of it, so that they are fast objects. */
  readonly emptyRow: Record<string, unknown>;
  readonly keys: readonly (string | number)[];
  readonly parsers: ((text: string) => unknown)[] = [];
  /** Why there is no reading them. */
  readonly failure: DecodeError | undefined;

  /** `like` are the same columns, whose rows look the same where they are read in the same mode. */
  constructor(fields: readonly Field[], options: ReadOptions, like?: Columns) {
    const isLike = like?.options.rowMode === options.rowMode;
    this.fields = fields;
    this.options = options;
    this.emptyRow = isLike ? like.emptyRow : emptyRowOf(fields);
    this.keys = isLike ? like.keys : fields.map(({ name }, index) => (options.rowMode === "array" ? index : name));
    try {
      for (const { dataTypeID } of fields) this.parsers.push(options.parsers.getTypeParser(dataTypeID, "text"));
    } catch (thrown) {
      this.failure = decodeFailure(thrown, fields, this.parsers.length);
    }
  }
}

function emptyRowOf(fields: readonly Field[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const { name } of fields) {
    if (name === "__proto__") Object.defineProperty(row, name, { ...ordinary, value: null });
    else row[name] = null;
  }
  return row;
}

/** How a property is that was assigned. */
const ordinary = { writable: true, enumerable: true, configurable: true } as const;
