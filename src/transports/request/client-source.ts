import type { Place } from "../../observe/trace-connections.ts";
import type { Paces } from "../paces.ts";
import type { Clock } from "../transport.ts";
import type { RequestClient } from "./open-client.ts";

/** A database as a request sees it: the same object for all its connections. */
export interface ClientSource {
  /** Most connections one request opens to it. */
  readonly max: number;
  /** How long a call waits for one, milliseconds. */
  readonly acquireTimeoutMs: number;
  /** Most calls of one request that wait for one. */
  readonly maxWaiting: number;
  /** How fast the answers to a text come, learned in all requests. */
  readonly paces: Paces;
  readonly clock: Clock;
  /** Where it is. */
  readonly place: Place;
  /** Begins to open a connection. */
  readonly open: (place: ClientPlace) => RequestClient;
  /** Told when a connection is given back that could be used, before it is judged. */
  readonly onUsed: (client: RequestClient) => void;
  /** Told of a connection that broke while nothing was on its way. */
  readonly onLost: (client: RequestClient) => void;
}

/** What a connection is given by the request it is opened in. */
interface ClientPlace {
  /** Runs a request on one socket more, once there is one. */
  readonly besides: (request: () => Promise<void>) => Promise<void>;
  /** To be called when the connection breaks. */
  readonly onBreak: () => void;
}
