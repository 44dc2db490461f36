/** One message of Postgres' protocol as it passes. */
export interface PostgresMessage {
  readonly from: "client" | "server";
  /** The protocol's letter, or `startup`, `ssl`, `gss`, `cancel` and `ssl-answer` for the messages that have none. */
  readonly type: string;
  /** What follows the length. */
  readonly body: Buffer;
}

/** Bytes to pass on: exactly one message, or some bytes of a conversation that cannot be read (TLS, HTTP, WebSocket). */
export interface Piece {
  readonly bytes: Buffer;
  readonly message: PostgresMessage | undefined;
}

/** Cuts the two byte streams of one connection into messages; a message is given out when it is complete. */
export interface MessageReader {
  readClient(chunk: Buffer): readonly Piece[];
  readServer(chunk: Buffer): readonly Piece[];
}

const requestNames = new Map([
  [80_877_102, "cancel"],
  [80_877_103, "ssl"],
  [80_877_104, "gss"],
]);
const protocolMajor = 3;
const longestStartup = 10_000;

/** Reads any connection: what is not Postgres in plain text comes out as it came in. */
export function createMessageReader(): MessageReader {
  let opaque = false;
  let started = false;
  let encryptionAsked = false;
  const clientBytes = createByteQueue();
  const serverBytes = createByteQueue();

  const readStartup = (): Piece | undefined => {
    const head = clientBytes.peek(8);
    if (head === undefined) return undefined;
    const code = head.readInt32BE(4);
    const type = requestNames.get(code) ?? (code >>> 16 === protocolMajor ? "startup" : undefined);
    if (type === undefined || head.readUInt32BE(0) > longestStartup) {
      opaque = true;
      return undefined;
    }
    const bytes = clientBytes.take(head.readUInt32BE(0));
    if (bytes === undefined) return undefined;
    started = type === "startup" || type === "cancel";
    encryptionAsked = !started;
    return { bytes, message: { from: "client", type, body: bytes.subarray(4) } };
  };

  const readEncryptionAnswer = (): Piece | undefined => {
    const bytes = serverBytes.take(1);
    if (bytes === undefined) return undefined;
    encryptionAsked = false;
    opaque = bytes.toString("latin1") !== "N";
    return { bytes, message: { from: "server", type: "ssl-answer", body: bytes } };
  };

  const collect = (queue: ByteQueue, next: () => Piece | undefined): readonly Piece[] => {
    const pieces: Piece[] = [];
    for (let piece = opaque ? undefined : next(); piece !== undefined; piece = opaque ? undefined : next()) pieces.push(piece);
    const rest = opaque ? queue.take(queue.size()) : undefined;
    if (rest !== undefined && rest.length > 0) pieces.push({ bytes: rest, message: undefined });
    return pieces;
  };

  return {
    readClient(chunk) {
      clientBytes.push(chunk);
      return collect(clientBytes, () => (started ? readTyped(clientBytes, "client") : readStartup()));
    },
    readServer(chunk) {
      serverBytes.push(chunk);
      return collect(serverBytes, () => (encryptionAsked ? readEncryptionAnswer() : readTyped(serverBytes, "server")));
    },
  };
}

/** Matches the server's report that a command is done, by its whole tag: `COMMIT`, `INSERT 0 1`. */
export function isCommandComplete(tag: string): (message: PostgresMessage) => boolean {
  return ({ from, type, body }) => from === "server" && type === "C" && body.toString("utf8") === `${tag}\0`;
}

/** Matches the message with which a client hands over SQL that contains `text`: Query or Parse. */
export function isStatement(text: string): (message: PostgresMessage) => boolean {
  return ({ from, type, body }) => from === "client" && (type === "Q" || type === "P") && body.includes(text);
}

function readTyped(queue: ByteQueue, from: PostgresMessage["from"]): Piece | undefined {
  const head = queue.peek(5);
  const bytes = head && queue.take(1 + head.readUInt32BE(1));
  return bytes && { bytes, message: { from, type: bytes.toString("latin1", 0, 1), body: bytes.subarray(5) } };
}

interface ByteQueue {
  push(chunk: Buffer): void;
  peek(length: number): Buffer | undefined;
  take(length: number): Buffer | undefined;
  size(): number;
}

/** Chunks are joined only when a whole message is there, or a long message would be copied once per chunk. */
function createByteQueue(): ByteQueue {
  let chunks: Buffer[] = [];
  let size = 0;
  const peek = (length: number) => {
    if (size < length) return undefined;
    if ((chunks[0]?.length ?? 0) < length) chunks = [Buffer.concat(chunks)];
    return (chunks[0] ?? Buffer.alloc(0)).subarray(0, length);
  };
  return {
    peek,
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
    },
    take(length) {
      const bytes = peek(length);
      const first = chunks[0];
      if (bytes === undefined || first === undefined) return bytes;
      chunks[0] = first.subarray(length);
      size -= length;
      return bytes;
    },
    size: () => size,
  };
}
