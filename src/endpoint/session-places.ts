import { createWaitingLine } from "./waiting-line.ts";

/** Most connections to the server that belong to WebSockets. */
const MAX_SESSIONS = 64;

/** Room for the connections of WebSockets, over all logins. */
export interface SessionPlaces {
  /** Takes a place, when there is one. Rejects as a waiting line does. */
  take(signal: AbortSignal): Promise<void>;
  /** Gives a place back, once its connection is closed. */
  free(): void;
}

/** All places, free. */
export function createSessionPlaces(): SessionPlaces {
  const line = createWaitingLine<undefined, void>();
  let taken = 0;
  return {
    async take(signal) {
      if (taken >= MAX_SESSIONS) return line.join(undefined, signal);
      taken += 1;
    },
    free() {
      if (line.length > 0) line.serve();
      else taken -= 1;
    },
  };
}
