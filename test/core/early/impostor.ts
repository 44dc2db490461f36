import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createMessageReader, type PostgresMessage } from "../../support/postgres-messages.ts";

/** What becomes of a message of the server's: another in its place, or none. */
export type Change = (message: PostgresMessage, bytes: Buffer) => Buffer | undefined;

/** Authentication messages of SCRAM's end, and of a login that is granted. Source: PostgreSQL documentation, "Message Formats". */
const [GRANTED, CHALLENGE, PROVED] = [0, 11, 12];

const saysOf =
  (kind: number) =>
  ({ type, body }: PostgresMessage): boolean =>
    type === "R" && body.readInt32BE(0) === kind;
const grants = saysOf(GRANTED);
export const challenges: (message: PostgresMessage) => boolean = saysOf(CHALLENGE);
export const proves: (message: PostgresMessage) => boolean = saysOf(PROVED);

/** Ways of a server that does not know the password, and lets in all the same. */
export const impostures: readonly (readonly [string, Change])[] = [
  [
    "proves it wrongly",
    (message, bytes) => {
      if (!proves(message)) return bytes;
      const wrong = Buffer.from(bytes);
      const at = wrong.indexOf("v=") + 2;
      wrong[at] = wrong[at] === 0x41 ? 0x42 : 0x41;
      return wrong;
    },
  ],
  ["proves nothing", (message, bytes) => (proves(message) ? undefined : bytes)],
  ["proves nothing, and does not say that it lets in", (message, bytes) => (proves(message) || grants(message) ? undefined : bytes)],
];

/** Stands before a Postgres in plain text, and changes what it says. What grants a login leaves with the answer to what came with it, in one write. */
export async function startImpostor(
  target: { readonly host: string; readonly port: number },
  change: Change,
): Promise<AsyncDisposable & { readonly host: string; readonly port: number }> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    return socket.on("error", () => socket.destroy()).on("close", () => sockets.delete(socket));
  };
  const listener = createServer((client) => {
    const server = keep(connect(target));
    const reader = createMessageReader();
    let unsaid: Buffer[] = [];
    let answers = 0;
    keep(client).on("data", (bytes) => {
      reader.readClient(bytes);
      server.write(bytes);
    });
    server.on("data", (chunk) => {
      for (const { message, bytes } of reader.readServer(chunk)) {
        const said = message === undefined ? bytes : change(message, bytes);
        if (said !== undefined) unsaid.push(said);
        if (message?.type === "Z") answers++;
        if (answers === 1 || (message !== undefined && (proves(message) || grants(message)))) continue;
        if (answers === 0 && message?.type !== "R") continue;
        client.write(Buffer.concat(unsaid));
        unsaid = [];
      }
    });
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    host: "127.0.0.1",
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, "close");
    },
  };
}
