import { createDatabase, type DatabaseOptions } from "warmline";

/** Said once, for whoever asks for a pool with the same settings gets the same pool. */
export const settings: DatabaseOptions = { applicationName: "next-shop", max: 5 };

/** The database of the proxy, the routes, the page and the action, on both runtimes. Nothing is read or connected before the first query. */
export const db = createDatabase(settings);
