import { hostForms } from "./host.ts";

/** What a setting accepts. */
export interface Rule {
  /** Reads on after "must be". */
  readonly shape: string;
  readonly fits: (value: unknown) => boolean;
  /** What a text of the environment or of a URL stands for; without it, itself. */
  readonly read?: (written: string) => unknown;
}

/** The longest time a JavaScript timer can wait. */
const LONGEST_MS = 2 ** 31 - 1;

function matching(shape: string, ...forms: readonly RegExp[]): Rule {
  return { shape, fits: (value) => typeof value === "string" && forms.some((form) => form.test(value)) };
}

function digits(written: string): number {
  return /^\d{1,10}$/.test(written) ? Number(written) : -1;
}

/** A whole number in a range. */
export function wholeNumber(least: number, most: number): Rule {
  return {
    shape: `a whole number from ${least} to ${most}`,
    fits: (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
    read: digits,
  };
}

const onePort = wholeNumber(1, 65_535);

/** A time, up to the longest a timer can wait. */
export function milliseconds(least: 0 | 1): Rule {
  return wholeNumber(least, LONGEST_MS);
}

/** A time in milliseconds that is written in seconds, as libpq does. */
export const writtenInSeconds: Rule = {
  ...milliseconds(1),
  shape: "a whole number of seconds from 1 to 2147483",
  read: (written) => digits(written) * 1_000,
};

/** One of a few words. */
export function oneOf(words: readonly string[], note = ""): Rule {
  return { shape: `one of ${words.join(", ")}${note}`, fits: (value) => words.includes(value as string) };
}

/** True or false. */
export const flag: Rule = { shape: "true or false", fits: (value) => typeof value === "boolean" };

/** The same in a text. */
export const writtenFlag: Rule = { ...flag, read: (written) => (written === "true" ? true : written === "false" ? false : null) };

/** The URL parameter `pgbouncer`: names that target when it is `true`, and nothing when it is `false`. */
export const pgbouncerFlag: Rule = {
  shape: "true or false",
  fits: (value) => value !== null,
  read: (written) => (written === "true" ? "pgbouncer" : written === "false" ? undefined : null),
};

/** Any text that Postgres can take. */
export const text = matching("well-formed text, not empty, without NUL", /^[^\0\ud800-\udfff]+$/u);

export const password: Rule = {
  shape: `${text.shape}, or a function`,
  fits: (value) => typeof value === "function" || text.fits(value),
};

/** Text that Postgres keeps as it is in `application_name`. */
export const printable = matching("1 to 63 printable ASCII characters", /^[ -~]{1,63}$/);

/** Certificates, or where they are; a file is opened when the first connection is made. */
export const certificates = matching(
  "certificates in PEM, or the path of their file",
  /-----BEGIN (TRUSTED )?CERTIFICATE-----[\s\S]+-----END/,
  /^(?!.*-----)[^\0\n]+$/,
);

/** The same as libpq has it: `system` is the runtime's own store. */
export const rootCertificates: Rule = {
  shape: `${certificates.shape}, or system`,
  fits: (value) => value === undefined || certificates.fits(value),
  read: (written) => (written === "system" ? undefined : written),
};

/** A private key without a passphrase, or where it is; a file is opened when the first connection is made. */
export const privateKey = matching(
  "a private key in PEM, without a passphrase, or the path of its file",
  /-----BEGIN ((RSA|EC) )?PRIVATE KEY-----[\s\S]+-----END/,
  /^(?!.*-----)[^\0\n]+$/,
);

/** Name of a region of AWS. */
export const awsRegion = matching("a region such as eu-central-1", /^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$/);

const oneHost = matching("", ...hostForms);

/** One host, or several with commas between, as libpq has them. */
export const host: Rule = {
  shape:
    "one host name (xn--… if international), IP address or /folder of a socket, without scheme or port; or several, with commas between",
  fits: (value) => typeof value === "string" && value.split(",").every(oneHost.fits),
};

/** One port for all hosts, or a list with one for each, in which nothing stands for the usual one. */
export const port: Rule = {
  shape: `${onePort.shape}, or as many as there are hosts, with commas between`,
  fits: (value) =>
    onePort.fits(value) ||
    (typeof value === "string" && /,/.test(value) && value.split(",").every((one) => one === "" || onePort.fits(digits(one)))),
  read: (written) => (written.includes(",") ? written : digits(written)),
};

const endpointForm = matching(
  "like https://sql.example.com, without user, password, query or fragment; http is only for this machine",
  /^(https:\/\/([\w-]+(\.[\w-]+)*|\[[\d:a-fA-F]+\])|http:\/\/(localhost|127(\.\d+){3}|\[::1\]))(:[1-9]\d{0,4})?(\/[^\s?#]*)?$/,
);

/** The base address of SQL over HTTP. The password travels to it, so plain http only reaches this machine. */
export const endpoint: Rule = {
  ...endpointForm,
  shape: `${endpointForm.shape}, and without /sql, which is added`,
  // ports and addresses that are out of range
  fits: (value) => endpointForm.fits(value) && URL.canParse(value as string) && !/\/sql\/*$/.test(value as string),
};

/** Functions that read values of a type, by its id or its name. */
export const parsers: Rule = {
  shape: "functions by type id or name, such as { 20: BigInt, numeric: Number, 'app.mood': read }; names without quotes and []",
  fits: (value) =>
    isRecord(value) &&
    Object.entries(value).every(([type, parse]) => /^([1-9]\d{0,9}|[^\d\s"][^\0"]*(?<!\[\]))$/.test(type) && typeof parse === "function"),
};

/** Variables and bindings by name. */
export const record: Rule = { shape: "an object", fits: isRecord };

/** What is called with something of the package's own, as others export it. */
export const callback: Rule = { shape: "a function", fits: (value) => typeof value === "function" };

/** Whether a value is an object with names in it, not a list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
