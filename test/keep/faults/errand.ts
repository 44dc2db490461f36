/** The clients there is a recipe for that holds connections. */
export const clientNames = ["mysql2", "ioredis", "ioredis cluster", "undici", "http agent"] as const;
export type ClientName = (typeof clientNames)[number];

/** What a handler is asked. */
export interface Errand {
  /** Unlike that of any other invocation, so that a write that is lost or doubled shows at the server. */
  readonly id: string;
  readonly what: "read" | "write";
}

/** How a client does what a handler is asked. */
export type Doing = Readonly<Record<Errand["what"], (id: string) => Promise<unknown>>>;
