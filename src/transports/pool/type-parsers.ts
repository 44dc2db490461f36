import pg from "pg";

/** What pg exports, and does not type. */
const { TypeOverrides } = pg as unknown as {
  readonly TypeOverrides: new () => { setTypeParser(typeId: number, format: "text", parse: (text: string) => unknown): void };
};

/** Parsers by type id as pg takes them; undefined where there is none. */
export function typesOf(types: Readonly<Record<number, (text: string) => unknown>>): object | undefined {
  const entries = Object.entries(types);
  if (entries.length === 0) return undefined;
  const overrides = new TypeOverrides();
  for (const [typeId, parse] of entries) overrides.setTypeParser(Number(typeId), "text", parse);
  return overrides;
}
