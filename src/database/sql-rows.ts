import { quotedName } from "./quoted-name.ts";
import { invalidStatement, isPromise, refuse, refusePromise, unsupported, writable } from "./refuse-value.ts";
import { isSql, type SqlParts, soleValue, sqlParts } from "./sql-parts.ts";
import { typeName } from "./type-name.ts";

type Row = Readonly<Record<string, unknown>>;

/** `("a", "b") values ($1, $2), …`, as {@link sql.values} gives it. */
export function valuesOf(rows: unknown, columns: readonly string[] | undefined): SqlParts {
  return writable("A row of sql.values", () => {
    const given = rowsOf(rows, "sql.values");
    const [first] = given;
    if (first === undefined) {
      throw invalidStatement(
        "sql.values takes at least one row: send no statement where there is none, or use sql.unnest, which inserts none.",
      );
    }
    const names = columns ?? Object.keys(first);
    if (!Array.isArray(names)) throw invalidStatement("The columns of sql.values are an array of names.");
    if (names.length === 0) throw invalidStatement("sql.values takes at least one column; for defaults alone write default values.");
    const head = `(${names.map(quotedName).join(", ")}) values (`;
    const values = given.flatMap((row, index) => {
      if (columns === undefined) refuseOthers(row, names, index);
      return names.map((name) => cellOf(row, name, index));
    });
    const between = values.map((_, index) => ((index + 1) % names.length === 0 ? "), (" : ", "));
    return { strings: [head, ...between.slice(0, -1), ")"], values };
  });
}

/** `"a" = $1, …`, as {@link sql.set} gives it. */
export function assignmentsOf(patch: unknown): SqlParts {
  return writable("The patch of sql.set", () => {
    const row = rowOf(patch, "the patch of sql.set");
    const names = Object.keys(row);
    if (names.length === 0) throw invalidStatement("sql.set takes at least one column: send no update where nothing changes.");
    const strings = names.map((name, index) => `${index === 0 ? "" : ", "}${quotedName(name)} = `);
    return { strings: [...strings, ""], values: names.map((name) => cellOf(row, name)) };
  });
}

/**
 * A parameter per column, as {@link sql.unnest} gives it. All are arrays of text, read as their types row by row: unnest would take arrays
 * apart into what is innermost, and composites into their columns.
 */
export function rowsAsArrays(rows: unknown, types: unknown): SqlParts {
  return writable("A row of sql.unnest", () => {
    const columns = Object.entries(rowOf(types, "the types of sql.unnest")).map(([name, type]) => ({
      name,
      quoted: quotedName(name),
      type: typeName(type, name),
    }));
    if (columns.length === 0) throw invalidStatement("sql.unnest takes the type of at least one column.");
    const given = rowsOf(rows, "sql.unnest");
    const read = columns.map(({ quoted, type }) => `${quoted}::${type}`).join(", ");
    const names = columns.map(({ quoted }) => quoted).join(", ");
    const values = columns.map(({ name, type }) => {
      const hasArrays = type.endsWith("[]");
      return given.map((row, index) => itemOf(cellOf(row, name, index), hasArrays, () => placeOf(name, index)));
    });
    const between = columns.map((_, index) => (index === 0 ? `select ${read} from unnest(` : "::text[], "));
    return { strings: [...between, `::text[]) as given (${names})`], values };
  });
}

/** What is an array. @throws UsageError INVALID_STATEMENT, PROMISE_VALUE for what is none */
export function listOf(list: unknown, maker: string, what: string): readonly unknown[] {
  if (isPromise(list)) throw refusePromise(`The list of ${maker}`, list, "is a promise; await it");
  if (!Array.isArray(list)) throw invalidStatement(`${maker} takes an array of ${what}.`);
  return list;
}

function rowsOf(rows: unknown, maker: string): readonly Row[] {
  return Array.from(listOf(rows, maker, "rows"), (row, index) => rowOf(row, `row ${index + 1} of ${maker}`));
}

function rowOf(row: unknown, party: string): Row {
  if (isPromise(row)) throw refusePromise(`What is given as ${party}`, row, "is a promise; await it");
  if (typeof row === "object" && row !== null && !Array.isArray(row) && !isSql(row)) return row as Row;
  throw invalidStatement(`What is given as ${party} is no object of columns.`);
}

function refuseOthers(row: Row, names: readonly string[], index: number): void {
  const keys = Object.keys(row);
  if (keys.length <= names.length) return;
  const other = keys.find((name) => !names.includes(name)) as string;
  throw invalidStatement(`${placeOf(other, index)} is none of the first row's; name the columns to insert.`);
}

/** Where a value stands, for who is told of it. Without a row it is the patch. */
function placeOf(name: string, index: number | undefined): string {
  return `Column "${name}" in ${index === undefined ? "the patch" : `row ${index + 1}`}`;
}

function cellOf(row: Row, name: string, index?: number): unknown {
  const value = Object.hasOwn(row, name) ? row[name] : undefined;
  if (value !== undefined) return value;
  const place = placeOf(name, index);
  if (Object.hasOwn(row, name)) throw refuse(place, "UNDEFINED_VALUE", "is undefined; write null for NULL");
  throw invalidStatement(`${place} is missing; give every row the same columns.`);
}

/** A value as an item of an array of texts. */
function itemOf(value: unknown, hasArrays: boolean, place: () => string): unknown {
  if (typeof value !== "object") return value;
  if (isSql(value)) {
    const sole = soleValue(value[sqlParts]);
    if (sole) return sole[0];
    throw unsupported(place(), "is sql`…`; use sql.values");
  }
  if (!Array.isArray(value)) return value;
  if (!hasArrays) throw unsupported(place(), "is an array; write its type as …[], or its value as sql.json(…)");
  return { toPostgres: () => value };
}
