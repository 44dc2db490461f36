import { connect as connectTls } from "node:tls";
import { CANCEL_REQUEST, sslRequest } from "../wire/startup-messages.ts";
import { openSocket, type ServerAddress } from "./server-address.ts";

/** How long the endpoint waits for the server to take a CancelRequest, which it tells by closing the connection. */
const CANCEL_WAIT_MS = 250;

/** The CancelRequest that ends the statement of one backend. */
export function cancelRequest(processId: number, secretKey: number): Buffer {
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST, 4);
  message.writeInt32BE(processId, 8);
  message.writeInt32BE(secretKey, 12);
  return message;
}

/**
 * Sends a CancelRequest on a connection of its own, with TLS where the server's connections have it. Resolves when the server has closed that
 * connection, or after 250 ms; never rejects, for a statement that cannot be cancelled ends by itself.
 */
export function sendCancelRequest(address: ServerAddress, message: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = openSocket(address);
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(finish, CANCEL_WAIT_MS);
    socket.on("error", finish);
    socket.on("close", finish);
    const { tls } = address;
    if (tls === false) {
      socket.on("connect", () => socket.write(message));
      socket.resume();
      return;
    }
    socket.on("connect", () => socket.write(sslRequest()));
    socket.once("data", (answer) => {
      if (answer.toString("latin1") !== "S") return finish();
      const secure = connectTls({ ...tls, socket, host: address.host }, () => secure.write(message));
      secure.on("error", finish);
      secure.on("close", finish);
      secure.resume();
    });
  });
}
