import type { Database } from "../entry/node.ts";

/** What a feed tells of: a database, or what stands for one that is elsewhere. */
export type Watched = Pick<Database, "plan" | "stats" | "subscribe">;

/** What a database tells its subscribers. */
export type DatabaseEvent = Parameters<Parameters<Database["subscribe"]>[0]>[0];
