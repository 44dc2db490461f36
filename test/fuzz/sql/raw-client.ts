import { Client } from "pg";

/** What came back up to one ReadyForQuery. */
export interface Segment {
  /** Of CommandComplete, in turn; empty for an empty statement. */
  readonly tags: readonly string[];
  /** SQLSTATE of the error that ended it. */
  readonly code: string | undefined;
  /** Transaction status: idle, open, failed. */
  readonly status: "I" | "T" | "E";
}

/** Statements that travel with one Sync; or a text for the simple protocol. */
export type Piece = readonly (readonly [text: string, values?: readonly number[]])[] | string;

interface Message {
  readonly name: string;
  readonly text?: string;
  readonly code?: string;
  readonly status?: Segment["status"];
}

/** The part of pg's connection that is written to, and its events. */
interface Connection {
  readonly stream: { cork(): void; uncork(): void };
  parse(message: { readonly text: string; readonly name: string }): void;
  bind(message: { readonly values: readonly (string | null)[] }): void;
  execute(message: object): void;
  sync(): void;
  query(text: string): void;
  removeAllListeners(event: string): void;
  on(event: "message", listener: (message: Message) => void): void;
  on(event: "end", listener: () => void): void;
}

/** A connection on which pieces are sent one after the other without waiting, and nothing is read into them. */
export interface RawClient extends AsyncDisposable {
  /** Sends pieces in one write, and resolves with what came back of each. */
  send(pieces: readonly Piece[]): Promise<readonly Segment[]>;
}

const handled = [
  "parseComplete",
  "bindComplete",
  "noData",
  "rowDescription",
  "dataRow",
  "portalSuspended",
  "commandComplete",
  "emptyQuery",
];
const alsoHandled = ["copyInResponse", "copyData", "copyDone", "copyOutResponse", "errorMessage", "readyForQuery", "notice"];

/** Logs in by pg, and then takes its connection over. */
export async function openRaw(connectionString: string): Promise<RawClient> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  const { connection } = client as unknown as { readonly connection: Connection };
  for (const event of [...handled, ...alsoHandled]) connection.removeAllListeners(event);
  let segments: Segment[] = [];
  let tags: string[] = [];
  let code: string | undefined;
  let onSegment = () => {};
  let onLoss = () => {};
  connection.on("end", () => onLoss());
  connection.on("message", (message) => {
    if (message.name === "commandComplete") tags.push(message.text ?? "");
    else if (message.name === "emptyQuery") tags.push("");
    else if (message.name === "error") code = message.code;
    else if (message.name === "readyForQuery") {
      segments.push({ tags, code, status: message.status ?? "I" });
      tags = [];
      code = undefined;
      onSegment();
    }
  });
  return {
    send(pieces) {
      segments = [];
      connection.stream.cork();
      for (const piece of pieces) {
        if (typeof piece === "string") connection.query(piece);
        else {
          for (const [text, values = []] of piece) {
            connection.parse({ text, name: "" });
            connection.bind({ values: values.map(String) });
            connection.execute({});
          }
          connection.sync();
        }
      }
      connection.stream.uncork();
      return new Promise((resolve, reject) => {
        onLoss = () => reject(new Error("The server ended the connection."));
        onSegment = () => {
          if (segments.length === pieces.length) resolve(segments);
        };
      });
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
