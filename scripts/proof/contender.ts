/** A runtime with a transport that has to prove itself. A new one is one more entry in contenders.ts. */
export interface Contender {
  readonly runtime: string;
  readonly transport: string;
  /** What its answers have to say they came over. Default: `transport`. */
  readonly over?: string;
  /**
   * The most sessions the server may count for the proof to hold; `one each` where a connection ends with its invocation; null where a runtime
   * holds no connection and may open as many as it likes; `not promised` for a client without this package, which is there to compare with.
   */
  readonly connections: number | "one each" | "not promised" | null;
  /** Invocations on their way at a time. Default 1. */
  readonly atOnce?: number;
  /** Invocations at most, where more of them show nothing new. */
  readonly atMost?: number;
  /** Starts the demo API there, over the database at `databaseUrl`. */
  serve(place: Place): Promise<Served>;
}

/** Where a contender finds its database. */
export interface Place {
  readonly databaseUrl: string;
  readonly endpointUrl: string;
  /** How many times the endpoint was posted to. */
  readonly countPosts: () => number;
}

/** The demo API of a contender, answering. */
export interface Served {
  /** Why this transport was chosen, in the plan's words. */
  readonly why: string;
  /** Asks for `GET /proof` once. */
  invoke(): Promise<Answer>;
  /** What else was promised and counted, in words, once all is asked; empty where nothing was. */
  readonly alsoCounted?: () => { readonly words: string; readonly held: boolean };
  stop(): Promise<void>;
}

/** An answer of the demo API. */
export interface Answer {
  readonly status: number;
  /** Read from JSON. */
  readonly body: unknown;
  /** From asking to its end, milliseconds; without what it slept before. */
  readonly tookMs: number;
}
