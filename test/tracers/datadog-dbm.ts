import { startDatadog } from "./datadog.ts";

/** With Database Monitoring, which puts a comment before every text it can. */
export const start = () => startDatadog("dd-trace", { DD_DBM_PROPAGATION_MODE: "full" });
