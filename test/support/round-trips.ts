import type { Piece } from "./postgres-messages.ts";

/** Counts how often one connection's client had to wait before it went on. */
export interface TripCounter {
  /** Notes what the client sends; true when that begins a round trip. */
  client(piece: Piece): boolean;
  /** Notes what the client has been given. */
  server(piece: Piece): void;
}

/** What a server may say at any time; nobody waits for it: NoticeResponse, ParameterStatus, NotificationResponse. */
const asides = new Set(["N", "S", "A"]);
/** What hands the turn to the client: ReadyForQuery, CopyInResponse, CopyBothResponse. */
const turns = new Set(["Z", "G", "W"]);

/**
 * A round trip is a change of direction: the client speaks again after it was answered. For Postgres in plain text that is told by messages,
 * from the end of the login on: the answer is complete with ReadyForQuery, with an invitation to copy, or with anything asked for by Flush; so a
 * long statement whose answer begins before its last byte is sent still counts once. What cannot be read is told by bytes, from the first one.
 */
export function createTripCounter(): TripCounter {
  let loggedIn = false;
  let clientsTurn = true;
  let flushed = false;
  return {
    client({ message }) {
      if (message !== undefined && (!loggedIn || message.type === "X")) return false;
      if (message?.type === "H") flushed = true;
      const begins = clientsTurn;
      clientsTurn = false;
      return begins;
    },
    server({ message }) {
      if (message === undefined) {
        clientsTurn = true;
        return;
      }
      if (message.type === "Z") loggedIn = true;
      if (turns.has(message.type) || (flushed && !asides.has(message.type))) {
        clientsTurn = true;
        flushed = false;
      }
    },
  };
}
