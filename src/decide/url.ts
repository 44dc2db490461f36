import { invalidSetting, unknownName } from "./refuse.ts";
import { rules } from "./rules.ts";
import { type Parts, readSpelling, spellings } from "./spellings.ts";

const SHAPE = "postgres://user:password@host:port/database";
const ENCODE = "percent-encode @ / ? # % and spaces inside its pieces (@ is %40)";

/**
 * Reads a connection URL without help: no driver and no runtime sees it, since their errors quote it whole.
 * @param setting the name under which it was given, for the error.
 * @returns the settings it holds; what it leaves out is absent.
 * @throws {ConfigError} that says which piece is broken, never what is in it.
 */
export function parseUrl(url: unknown, setting: string): Parts {
  const refuse = (problem: string): never => {
    throw invalidSetting(setting, problem);
  };
  if (typeof url !== "string") return refuse(`it must be text: ${SHAPE}`);
  if (url.length === 0) return refuse(`it is empty: write ${SHAPE}`);
  if (/^["'`]|["'`]$/.test(url)) return refuse("take off the quotes around it");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\s\x00-\x1f\x7f]/.test(url)) return refuse(`it has spaces or line breaks in it; ${ENCODE}`);
  const rest = /^postgres(?:ql)?:\/\/(.*)$/i.exec(url)?.[1];
  if (rest === undefined) return refuse("it must begin with postgres:// or postgresql://");

  const [, authority = "", path, query] = /^([^/?]*)(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest) ?? [];
  const [credentials, place = ""] = authority.includes("@") ? authority.split("@") : [undefined, authority];
  const stray = authority.split("@").length > 2 || `${path}${query}`.includes("@") || path?.includes("/") || rest.includes("#");
  if (stray) return refuse(`it cannot be taken apart; ${ENCODE}`);

  const decode = (piece: string, what: string): string => {
    try {
      return decodeURIComponent(piece);
    } catch {
      return refuse(`its ${what} has a broken percent escape; write a lone % as %25`);
    }
  };
  const parts: Record<string, unknown> = {};
  const put = (option: keyof typeof rules, value: unknown, what: string): void => {
    const problem = rules[option](value);
    if (problem !== null) refuse(`its ${what} ${problem}`);
    parts[option] = value;
  };

  if (credentials !== undefined) {
    const [, user = "", password = ""] = /^([^:]*):?(.*)$/.exec(credentials) ?? [];
    if (user !== "") put("user", decode(user, "user"), "user");
    if (password !== "") put("password", decode(password, "password"), "password");
  }
  const [, bracketed, plain = "", port] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(place) ?? refuse("write an IPv6 host in brackets: [::1]");
  if (bracketed !== undefined && !bracketed.includes(":")) refuse("only an IPv6 host is in brackets; take them off");
  const host = bracketed ?? decode(plain, "host");
  if (bracketed !== undefined || host !== "") put("host", host, "host");
  if (port !== undefined) put("port", /^\d{1,5}$/.test(port) ? Number(port) : port, "port");
  if (path !== undefined && path !== "") put("database", decode(path, "database"), "database");

  const seen = new Set<string>();
  for (const pair of query === undefined || query === "" ? [] : query.split("&")) {
    const [, rawName = "", rawValue] = /^([^=]*)(?:=(.*))?$/.exec(pair) ?? [];
    const name = decode(rawName, "query");
    const spelling = spellings.find(({ parameter }) => parameter === name);
    if (spelling === undefined) throw unknownName(name, parameterNames(), { setting, kind: "URL parameter" });
    if (seen.has(name)) refuse(`its parameter ${name} is there twice; leave one out`);
    seen.add(name);
    const read = readSpelling(spelling, decode(rawValue ?? "", `parameter ${name}`));
    if ("problem" in read) refuse(`its parameter ${name} ${read.problem}`);
    else if (read.value !== undefined) parts[spelling.option] = read.value;
  }
  return parts;
}

/** The URL parameters that are known. */
export function parameterNames(): readonly string[] {
  return spellings.flatMap(({ parameter }) => parameter ?? []);
}
