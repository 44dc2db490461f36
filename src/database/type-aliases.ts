/** What SQL calls a type, where the catalog has another name for it. Source: PostgreSQL documentation, "Data Types". */
const names: Readonly<Record<string, string>> = {
  bigint: "int8",
  "bit varying": "varbit",
  boolean: "bool",
  char: "bpchar",
  character: "bpchar",
  "character varying": "varchar",
  decimal: "numeric",
  "double precision": "float8",
  float: "float8",
  int: "int4",
  integer: "int4",
  real: "float4",
  smallint: "int2",
  "time with time zone": "timetz",
  "time without time zone": "time",
  "timestamp with time zone": "timestamptz",
  "timestamp without time zone": "timestamp",
};

/** The catalog's name of a type. */
export function catalogName(name: string): string {
  const spelled = name.toLowerCase();
  return Object.hasOwn(names, spelled) ? (names[spelled] as string) : name;
}
