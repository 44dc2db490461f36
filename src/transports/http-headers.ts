import type { Isolation, TransactionMode } from "./transport.ts";

/** Where a server is and who logs in, already judged. */
export interface ConnectionStringParts {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** Sent at login. */
  readonly startup: Readonly<Record<string, string>>;
}

/**
 * The connection string as Neon's driver writes it: a URL read with the scheme `http`, whose rules for hosts and escapes hold for no scheme of
 * its own, and written with `postgresql`.
 */
export function connectionStringWriter({
  host,
  port,
  user,
  database,
  startup,
}: ConnectionStringParts): (password: string | null) => string {
  // a socket's folder and an IPv6 address have no place in it, and the endpoint needs neither
  const place = /[/:]/.test(host) ? "localhost" : host;
  const address = `http://${encodeURIComponent(user)}@${place}:${port}/${encodeURIComponent(database)}?${new URLSearchParams(startup)}`;
  return (password) => {
    const url = new URL(address);
    if (password !== null) url.password = encodeURIComponent(password);
    return `postgresql:${url.href.slice(url.protocol.length)}`;
  };
}

/** The headers of a post, named as Neon's driver names them. With a mode it is a batch. */
export function headersOf(connectionString: string, mode?: TransactionMode): Record<string, string> {
  const headers: Record<string, string> = {
    "Neon-Connection-String": connectionString,
    "Neon-Raw-Text-Output": "true",
    "Neon-Array-Mode": "true",
  };
  const { isolation, readOnly, deferrable } = mode ?? {};
  if (isolation !== undefined) headers["Neon-Batch-Isolation-Level"] = isolationName(isolation);
  if (readOnly !== undefined) headers["Neon-Batch-Read-Only"] = String(readOnly);
  if (deferrable !== undefined) headers["Neon-Batch-Deferrable"] = String(deferrable);
  return headers;
}

/** `read committed` is `ReadCommitted`. */
function isolationName(isolation: Isolation): string {
  return isolation.replace(/(?:^| )(.)/g, (_, letter: string) => letter.toUpperCase());
}
