import type { Socket } from "node:net";
import type { WebSocket } from "ws";
import { TERMINATE } from "./say-goodbye.ts";

/** The server is not read while the WebSocket has more than this still to send. */
const MAX_BUFFERED_BYTES = 1_048_576;

/** A running splice. */
export interface Splice {
  /** Whether the client's last message was Terminate: it says goodbye and has nothing running. */
  terminated(): boolean;
}

/**
 * Carries bytes between a paused WebSocket and a socket in both directions, `first` before all others. Whichever side cannot keep up holds
 * the other back.
 */
export function splice(webSocket: WebSocket, socket: Socket, first: Buffer): Splice {
  let terminated = false;
  const toServer = (data: Buffer) => {
    terminated = data.subarray(-TERMINATE.length).equals(TERMINATE);
    if (socket.write(data)) return;
    webSocket.pause();
    socket.once("drain", () => webSocket.resume());
  };
  webSocket.on("message", (data: Buffer, isBinary: boolean) => {
    if (isBinary) toServer(data);
    else webSocket.close(1003, "Postgres messages are binary");
  });
  socket.on("data", (chunk: Buffer) => {
    webSocket.send(chunk, () => {
      if (webSocket.bufferedAmount <= MAX_BUFFERED_BYTES) socket.resume();
    });
    if (webSocket.bufferedAmount > MAX_BUFFERED_BYTES) socket.pause();
  });
  if (first.length > 0) toServer(first);
  webSocket.resume();
  return { terminated: () => terminated };
}
