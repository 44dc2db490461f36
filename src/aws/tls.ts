import { X509Certificate } from "node:crypto";
import { ConfigError } from "../errors/errors.ts";
import { isNotPermitted } from "../errors/not-permitted.ts";

/** What is known when it has to be decided whom to trust. */
export interface TrustOptions {
  /** What stands at the other end, as the plan calls it. */
  readonly target: string;
  /** Whether this is Lambda, whose runtime brings RDS's certificates along. */
  readonly onLambda: boolean;
  /** The setting: the text of PEM certificates, or the path of a file that holds them; null where it was not given. */
  readonly ca: string | null;
  /** Gives a file's text; throws as Node does. */
  readonly readFile: (path: string) => string;
}

/** Where Lambda's runtime keeps the certificates of RDS. Source: AWS documentation, "Using SSL/TLS connections with an Amazon RDS instance". */
export const LAMBDA_CA_PATH = "/var/runtime/ca-cert.pem";

const certificate = /-----BEGIN (TRUSTED )?CERTIFICATE-----[\s\S]+?-----END (TRUSTED )?CERTIFICATE-----/g;

/**
 * The certificates to trust, as PEM text; null for Node's own store, which knows those of RDS Proxy. An RDS instance has a private authority,
 * so on Lambda the file of its runtime stands in where nothing was set.
 * @throws {ConfigError} `INVALID_SETTING` for `ca`, where its file cannot be read or there is no certificate in it.
 */
export function trustedCertificates({ target, onLambda, ca, readFile }: TrustOptions): string | null {
  if (ca !== null) return checkedPem(pemOf("ca", ca, readFile));
  return target === "rds" && onLambda ? readRuntimesOwn(readFile) : null;
}

/**
 * The text of PEM that a setting holds, or names the file of.
 * @throws {ConfigError} `INVALID_SETTING`, where the file cannot be read.
 */
export function pemOf(setting: string, given: string, readFile: TrustOptions["readFile"]): string {
  // variables often hold it on one line
  if (given.includes("-----BEGIN")) return given.replaceAll("\\r", "").replaceAll("\\n", "\n");
  try {
    return readFile(given);
  } catch (error) {
    if (isNotPermitted(error))
      throw invalid(setting, "a file that Deno has permission to read (--allow-read=its path), or the text in PEM itself");
    const code = error instanceof Error && "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
    throw invalid(setting, `the path of a PEM file that can be read${code}, or the text in PEM itself`);
  }
}

function readRuntimesOwn(readFile: TrustOptions["readFile"]): string | null {
  try {
    return readFile(LAMBDA_CA_PATH);
  } catch {
    return null;
  }
}

function checkedPem(text: string): string {
  const found = text.match(certificate) ?? [];
  if (found.length === 0) throw invalid("ca", "certificates in PEM (-----BEGIN CERTIFICATE-----), or the path of a file that holds them");
  for (const pem of found) {
    try {
      new X509Certificate(pem);
    } catch {
      throw invalid("ca", "whole certificates: one of them cannot be read; copy it again");
    }
  }
  return text;
}

function invalid(setting: string, shape: string): ConfigError {
  return new ConfigError(`The setting ${setting} must be ${shape}.`, { code: "INVALID_SETTING", setting });
}
