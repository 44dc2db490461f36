import { createDatabase } from "warmline";
import { createApp } from "./app";

/** Over SQL over HTTP: one POST per query; a transaction opens a WebSocket. Reads DATABASE_URL at the first request. */
export default createApp(createDatabase());
