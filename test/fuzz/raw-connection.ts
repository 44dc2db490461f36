import { connect } from "node:net";

/** What came back over one connection. */
export interface RawAnswer {
  /** All that was received, as latin-1. */
  readonly text: string;
  /** Whether the peer ended the connection, or this side had to. */
  readonly ended: boolean;
  /** Whether there was a connection at all. */
  readonly connected: boolean;
}

/** How bytes are sent. */
export interface RawRequest {
  /** What is sent, one write after another. */
  readonly writes: readonly Buffer[];
  /** Whether an answer is owed; without one the sending side ends its half after a moment of silence. */
  readonly whole: boolean;
}

const SILENCE_MS = 150;
const PATIENCE_MS = 20_000;

/** Sends bytes over a connection of its own, and takes whatever comes until the peer ends it. Never rejects. */
export function sendRaw(port: number, { writes, whole }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const received: Buffer[] = [];
    let peerEnded = false;
    let connected = false;
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => {
      connected = true;
      for (const bytes of writes) socket.write(bytes);
    });
    const silence = setTimeout(() => socket.end(), SILENCE_MS);
    const patience = setTimeout(() => socket.destroy(), PATIENCE_MS);
    if (whole) clearTimeout(silence);
    socket.on("data", (bytes: Buffer) => {
      received.push(bytes);
      if (!whole) silence.refresh();
    });
    socket.on("end", () => {
      peerEnded = true;
    });
    socket.on("error", () => {
      // a reset is an end too
      peerEnded = true;
    });
    socket.on("close", () => {
      clearTimeout(silence);
      clearTimeout(patience);
      resolve({ text: Buffer.concat(received).toString("latin1"), ended: peerEnded, connected });
    });
  });
}

/** The statuses of all answers in what was received, those of the kind 100 left out. */
export function statusesIn(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)]
    .map(([, status]) => Number(status))
    .filter((status) => status >= 200 || status === 101);
}
