/** The text of an array of Postgres, and not that of a JSON object. */
const arrayText = /^\{(?!"(\\.|[^"\\])*":).*\}$/s;

/** The routines of Postgres that read JSON. Source: PostgreSQL 14 to 18, `json.c`, `jsonfuncs.c`. */
const readsJson = /^(json|report_parse_error)/;

/**
 * What to write where an array was read as another type (22P02): arrays go as arrays of Postgres, and as one value; empty where none was sent.
 * Told by the routine that read it, for the message may be in the server's language.
 */
export function arrayHint(
  { code, routine }: { readonly code: string; readonly routine?: string | null | undefined },
  statements: readonly { readonly values: readonly (string | null)[] }[],
): string {
  if (code !== "22P02" || !statements.some(({ values }) => values.some((value) => value !== null && arrayText.test(value)))) return "";
  return readsJson.test(routine ?? "")
    ? ". An array is sent as one of Postgres: for JSON write sql.json(…)"
    : ". An array is sent as one value: write = any(…) with it, or in (…) with sql.join";
}
