import type { Field } from "../transports/transport.ts";
import type { ServerResult } from "./exchange.ts";
import { type ValueWriter, valueWriter } from "./json-values.ts";
import type { ArrayType } from "./type-catalog.ts";

/** How a result is written. */
export interface ResultMode {
  /** Values as Postgres' text. */
  readonly rawText: boolean;
  readonly arrayMode: boolean;
  readonly arrayType: (typeId: number) => ArrayType | undefined;
}

/**
 * A result as JSON text: `fields`, `rows`, `command`, `rowCount`, `rowAsArray`. JSON values are handed on as the server wrote them, so no
 * digit of theirs is lost; of two columns of the same name, an object has both and its reader keeps the last.
 */
export function resultJson(result: ServerResult, mode: ResultMode): string {
  const writers = result.fields.map(
    ({ dataTypeID }): ValueWriter => (mode.rawText ? JSON.stringify : valueWriter(dataTypeID, mode.arrayType)),
  );
  const keys = result.fields.map(({ name }) => (mode.arrayMode ? "" : `${JSON.stringify(name)}:`));
  const [open, close] = mode.arrayMode ? ["[", "]"] : ["{", "}"];
  const rows = result.rows.map((row) => {
    const values = row.map((text, index) => `${keys[index]}${text === null ? "null" : writers[index]?.(text)}`);
    return `${open}${values.join(",")}${close}`;
  });
  return (
    `{"fields":${JSON.stringify(result.fields.map(describeField))},"rows":[${rows.join(",")}],` +
    `"command":${JSON.stringify(result.command ?? "")},"rowCount":${result.rowCount},"rowAsArray":${mode.arrayMode}}`
  );
}

function describeField({ name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier }: Field) {
  return { name, dataTypeID, tableID, columnID, dataTypeSize, dataTypeModifier, format: "text" };
}
