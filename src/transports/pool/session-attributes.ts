/** What a server has to be, in libpq's words: the setting of this name. */
export type SessionAttrs = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

/** The code of a server that is none of those that were asked for. */
export const OTHER_SERVER = "OTHER_SERVER";

/** What a server says of itself: whether it recovers, and whether a transaction may write there. */
interface Standing {
  readonly standby: boolean;
  readonly readOnly: boolean;
}

/** What of pg's client is used. */
interface AskedClient {
  readonly connection: { on(event: "parameterStatus", listener: (said: ParameterStatus) => void): unknown };
  query(text: string): Promise<{ readonly rows: readonly Standing[] }>;
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** For servers before 14, which say nothing at login, and poolers that leave it out. */
const ASK = `select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as "readOnly"`;

/**
 * Listens to what the server says at login; what is given tells afterwards whether it is none that was wanted, and in a word what it is. From
 * Postgres 14 on that takes no round trip.
 * Source: libpq, `target_session_attrs`; PostgreSQL documentation, "Asynchronous Operations", ParameterStatus.
 */
export function watchStanding(client: AskedClient, wanted: SessionAttrs): () => Promise<string | undefined> {
  const said = new Map<string, boolean>();
  client.connection.on("parameterStatus", ({ parameterName, parameterValue }) => void said.set(parameterName, parameterValue === "on"));
  return async () => {
    const [standby, readOnly] = ["in_hot_standby", "default_transaction_read_only"].map((name) => said.get(name));
    const known = standby === undefined || readOnly === undefined ? undefined : { standby, readOnly: readOnly || standby };
    return unlike(known ?? ((await client.query(ASK)).rows[0] as Standing), wanted);
  };
}

function unlike({ standby, readOnly }: Standing, wanted: SessionAttrs): string | undefined {
  switch (wanted) {
    case "any":
      return undefined;
    case "read-write":
      return readOnly ? "read-only" : undefined;
    case "read-only":
      return readOnly ? undefined : "read-write";
    case "primary":
      return standby ? "a standby" : undefined;
    default:
      return standby ? undefined : "a primary";
  }
}
