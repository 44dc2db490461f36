import { look } from "../errors/look.ts";
import { refusal, unknownName } from "./refuse.ts";
import { type GivenSettings, readWritten, rows, type TabledName } from "./table.ts";
import { foreignParameters, type Nothing, withoutEndpointOption } from "./url-parameters.ts";

const FORM =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<hosts>[^@/?#]*)(?:\/(?<database>[^@/?#]*))?(?:\?(?<query>[^@#]*))?$/i;

/** One of the hosts in it. */
const PLACE = /^(?:\[([^\]]*:[^\]]*)\]|([^:[\]]*))(?::(-?\d+))?$/;

/** What is often pasted in place of such a URL, and what to write instead. */
const mistaken: readonly (readonly [form: RegExp, shape: string])[] = [
  [/\s$/, "without the line break or space at its end"],
  [/^jdbc:/i, "written without jdbc:, with user and password before the host: postgres://user:password@host:port/database"],
  [/^prisma(\+postgres)?:/i, "the database's own URL, postgres://…: one for Prisma's proxy is understood by Prisma alone"],
  [/^https?:/i, "the database's own URL, postgres://…; what speaks SQL over HTTP is named in endpoint"],
  // as consoles and templates show them; a password with brackets of its own is percent-encoded
  [/^\w+:\/\/[^:@/?#]*:(\[[^\]@]*\]|<[^>@]*>|\$?\{[^}@]*\}|\*+)@/, "with the password itself: what stands in its place is to be replaced"],
];

/** The URL parameters that are known. */
export const parameterNames: readonly string[] = rows.flatMap(([, [, , , parameter]]) => parameter ?? []);

/** What a URL holds. */
export interface ParsedUrl {
  /** What it leaves out is absent. */
  readonly given: GivenSettings;
  /** Parameters of other clients that change nothing here. */
  readonly leftOut: readonly string[];
}

/**
 * Reads a connection URL without help: no driver and no runtime sees it, since their errors quote it whole.
 * @param setting the name under which it was given, for the error.
 * @throws {ConfigError} that says which piece is broken, never what is in it.
 */
export function parseUrl(url: unknown, setting: string): ParsedUrl {
  const { query = "", ...pieces } = piecesOf(url, setting);
  const given: Record<string, unknown> = {};
  for (const [name, written] of Object.entries(pieces)) {
    if (written) given[name] = readWritten(name as TabledName, decodeURIComponent(written), { setting, piece: name });
  }
  return { given, leftOut: readParameters(query, given, setting) };
}

/** The pieces of a URL by their settings, as they are written, and what stands behind its question mark. @throws {ConfigError} where it is none */
function piecesOf(url: unknown, setting: string): Readonly<Record<string, string | undefined>> {
  const text = typeof url === "string" ? url : "";
  const known = mistaken.find(([form]) => form.test(text));
  const form = !known && isDecodable(text) && !/[\0- \x7f-\x9f\s]|["'`]$/.test(text) ? FORM.exec(text) : null;
  const { hosts = "", ...pieces } = form?.groups ?? {};
  const places = hosts.split(",").map((place) => PLACE.exec(place));
  if (!form || places.includes(null)) {
    throw refusal(
      setting,
      known
        ? known[1]
        : "like postgres://user:password@host:port/database, without quotes, IPv6 in brackets, with @ / ? # % and spaces percent-encoded (%40 is @, %25 is %)",
    );
  }
  const ports = places.map((place) => place?.[3]);
  return { ...pieces, host: places.map((place) => place?.[1] ?? place?.[2]).join(), port: ports.some(Boolean) ? ports.join() : undefined };
}

/** Adds what the parameters of a URL say to what its pieces do, which they go before. @returns those that are left out */
function readParameters(query: string, given: Record<string, unknown>, setting: string): readonly string[] {
  const leftOut: string[] = [];
  const parameters = new Set<string>();
  const settled = new Set<TabledName>();
  for (const pair of query.split("&").filter(Boolean)) {
    const [written = "", ...rest] = pair.split("=");
    const piece = decodeURIComponent(written);
    const meaning = meaningOf(piece, decodeURIComponent(rest.join("=")));
    // what stands behind an & that was not encoded may be the rest of a password; before the @ of a URL there is none, so else it is a name
    if (meaning === undefined) throw unknownName(rest.length === 0 || parameters.has("password") ? "" : piece, parameterNames, setting);
    if (parameters.has(piece)) throw refusal(setting, "there once; leave one out", { piece });
    parameters.add(piece);
    if (meaning === "left out") leftOut.push(piece);
    if (typeof meaning === "string") continue;
    const [name, text] = meaning;
    const value = readWritten(name, text, { setting, piece });
    if (value === undefined) continue;
    if (!settled.has(name)) given[name] = value;
    else if (name === "startupOptions") given[name] = `${given[name]} ${value}`;
    else if (plainly(given[name]) !== plainly(value))
      throw refusal(setting, "without a second one that says something else; leave one out", { piece });
    settled.add(name);
  }
  return leftOut;
}

/** The same for words that mean the same. */
export function plainly(value: unknown): unknown {
  return value === "verify-ca" || value === "verify-full" ? "require" : value;
}

/** The setting a parameter stands for, and its text as that is written; or that it changes nothing. Undefined for one nobody knows. */
function meaningOf(parameter: string, written: string): readonly [name: TabledName, text: string] | Nothing | undefined {
  const own = rows.find(([, [, , , known]]) => known === parameter)?.[0];
  if (own === "startupOptions") {
    // a plus is a space there for all but libpq
    const options = withoutEndpointOption(written.replaceAll("+", " "));
    return options === "" && written !== "" ? "nothing" : [own, options];
  }
  if (own !== undefined) return [own, written];
  return Object.hasOwn(foreignParameters, parameter) ? foreignParameters[parameter]?.(written, parameter) : undefined;
}

/** Whether every percent escape in it is whole. */
function isDecodable(url: string): boolean {
  return look(() => decodeURIComponent(url) !== "", false);
}
