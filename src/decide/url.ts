import { refusal, unknownName } from "./refuse.ts";
import { type GivenSettings, readWritten, rows, type TabledName } from "./table.ts";

const FORM =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?:\[(?<v6>[^@/?#\]]*:[^@/?#\]]*)\]|(?<host>[^:@/?#[\]]*))(?::(?<port>-?\d+))?(?:\/(?<database>[^@/?#]*))?(?:\?(?<query>[^@#]*))?$/i;

/** The URL parameters that are known. */
export const parameterNames: readonly string[] = rows.flatMap(([, [, , , parameter]]) => parameter ?? []);

/**
 * Reads a connection URL without help: no driver and no runtime sees it, since their errors quote it whole.
 * @param setting the name under which it was given, for the error.
 * @returns the settings it holds; what it leaves out is absent.
 * @throws {ConfigError} that says which piece is broken, never what is in it.
 */
export function parseUrl(url: unknown, setting: string): GivenSettings {
  const form = typeof url === "string" && isDecodable(url) && !/[\s\p{Cc}]|["'`]$/u.test(url) && FORM.exec(url);
  if (!form) {
    throw refusal(
      setting,
      "like postgres://user:password@host:port/database, without quotes, IPv6 in brackets, with @ / ? # % and spaces percent-encoded (%40 is @, %25 is %)",
    );
  }
  const { v6, query, host = v6, ...pieces } = form.groups as Readonly<Record<string, string | undefined>>;
  const parts: Record<string, unknown> = {};
  const take = (name: TabledName, written: string, piece: string): void => {
    const value = readWritten(name, decodeURIComponent(written), { setting, piece });
    if (value !== undefined) parts[name] = value;
  };
  for (const [name, written] of Object.entries({ ...pieces, host })) {
    if (written) take(name as TabledName, written, name);
  }
  const seen = new Set<string>();
  for (const pair of query ? query.split("&") : []) {
    const [written = "", ...value] = pair.split("=");
    const parameter = decodeURIComponent(written);
    const row = rows.find(([, [, , , known]]) => known === parameter);
    if (!row) throw unknownName(parameter, parameterNames, setting);
    if (seen.has(parameter)) throw refusal(setting, "there once; leave one out", { piece: parameter });
    seen.add(parameter);
    take(row[0], value.join("="), parameter);
  }
  return parts;
}

/** Whether every percent escape in it is whole. */
function isDecodable(url: string): boolean {
  try {
    return decodeURIComponent(url) !== "";
  } catch {
    return false;
  }
}
