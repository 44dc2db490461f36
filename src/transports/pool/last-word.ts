/** What a pg client has while it logs in, which its types do not show. */
interface LoggingIn {
  readonly connection: {
    sendSCRAMClientFinalMessage(proof: string): void;
    prependOnceListener(event: "readyForQuery", listener: () => void): unknown;
    emit(event: "error", failure: Error): boolean;
    /** In Workers it has no cork. */
    readonly stream: { readonly cork?: () => void; readonly uncork?: () => void };
  };
  /** Null when the server has proved that it knows the password, too. */
  readonly saslSession: object | null;
  readyForQuery?: boolean;
}

/**
 * Calls `said` when a login by SCRAM has written its last message: what pg is given in this turn leaves in one write with it. A server that lets
 * in without having proved that it knows the password is not believed, though pg would.
 * Protocol: PostgreSQL documentation, "SASL Authentication".
 */
export function watchLastWord(client: object, said: () => void): void {
  const pgClient = client as LoggingIn;
  const { connection } = pgClient;
  const { sendSCRAMClientFinalMessage: send } = connection;
  connection.sendSCRAMClientFinalMessage = (proof) => {
    const { stream } = connection;
    if (stream.cork) {
      stream.cork();
      setImmediate(() => stream.uncork?.());
    }
    send.call(connection, proof);
    connection.prependOnceListener("readyForQuery", () => {
      if (pgClient.saslSession !== null) connection.emit("error", new Error("The server did not prove that it knows the password."));
    });
    pgClient.readyForQuery = true;
    said();
  };
}
