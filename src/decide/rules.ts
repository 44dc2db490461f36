import { endpointProblem } from "./endpoint-url.ts";
import { hostProblem } from "./host.ts";
import { type DatabaseOptions, transportNames } from "./options.ts";
import { runtimes } from "./runtime.ts";
import { targets } from "./target.ts";
import { sslModes } from "./tls.ts";

/** What is wrong with a value, reading on after the setting's name (`must be …`), or null. */
export type Rule = (value: unknown) => string | null;

/** The longest time a JavaScript timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;

function wholeNumber(least: number, most: number): Rule {
  return (value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most ? null : `must be a whole number from ${least} to ${most}`;
}

function oneOf(values: readonly string[], note = ""): Rule {
  return (value) => (values.includes(value as string) ? null : `must be one of ${values.join(", ")}${note}`);
}

const text: Rule = (value) =>
  typeof value === "string" && value.length > 0 && !value.includes("\0") && value.isWellFormed()
    ? null
    : "must be well-formed text, not empty, without NUL";

const printable: Rule = (value) =>
  typeof value === "string" && /^[\x20-\x7e]{1,63}$/.test(value) ? null : "must be 1 to 63 printable ASCII characters";

const pem: Rule = (value) =>
  typeof value === "string" && /-----BEGIN (TRUSTED )?CERTIFICATE-----[\s\S]+-----END/.test(value)
    ? null
    : "must be the text of PEM certificates (-----BEGIN CERTIFICATE-----), not a file's name";

const parsers: Rule = (value) =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  Object.entries(value).every(([id, parse]) => /^[1-9]\d{0,9}$/.test(id) && typeof parse === "function")
    ? null
    : "must be functions by type id, such as { 20: BigInt }";

const password: Rule = (value) => {
  const problem = typeof value === "function" ? null : text(value);
  return problem && `${problem}, or a function`;
};

/** What every setting accepts. `url` and `directUrl` are read by `parseUrl`. */
export const rules: Readonly<Record<Exclude<keyof DatabaseOptions, "url" | "directUrl">, Rule>> = {
  name: text,
  host: hostProblem,
  port: wholeNumber(1, 65_535),
  database: text,
  user: text,
  password,
  endpoint: endpointProblem,
  applicationName: printable,
  startupOptions: text,
  runtime: oneOf(Object.keys(runtimes)),
  target: oneOf(Object.keys(targets)),
  transport: oneOf(transportNames),
  max: wholeNumber(1, 10_000),
  min: wholeNumber(0, 10_000),
  idleTimeoutMs: wholeNumber(0, LONGEST_MS),
  lifetimeMs: wholeNumber(0, LONGEST_MS),
  connectTimeoutMs: wholeNumber(1, LONGEST_MS),
  acquireTimeoutMs: wholeNumber(1, LONGEST_MS),
  deadlineMs: wholeNumber(0, LONGEST_MS),
  statementTimeoutMs: wholeNumber(1, LONGEST_MS),
  sslMode: oneOf(Object.keys(sslModes), " (allow and prefer fall back to plain text in silence: write require)"),
  ca: pem,
  sslNegotiation: oneOf(["postgres", "direct"]),
  channelBinding: oneOf(["disable", "prefer", "require"]),
  types: parsers,
};

/** The names of all settings. */
export const settingNames: readonly string[] = ["url", "directUrl", ...Object.keys(rules)];
