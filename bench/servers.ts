import pg from "pg";
import { startEndpoint } from "warmline/endpoint";
import { startPostgres } from "../test/support/postgres/server.ts";
import { startWire } from "../test/support/wire.ts";
import { COLD_MS, FAR_MS } from "./distances.ts";
import { fixtures } from "./statements.ts";

/** Where the measured processes find their servers: one Postgres, and the ways to it. */
export interface ServerAddresses {
  readonly databaseUrl: string;
  /** At the end of a wire of {@link FAR_MS}. */
  readonly farUrl: string;
  /** At the end of a wire of {@link COLD_MS}. */
  readonly coldUrl: string;
  readonly endpointUrl: string;
  /** Path of the authority that signed the server's certificate. */
  readonly ca: string;
  /** Of Postgres, as it says itself. */
  readonly version: string;
}

/** Postgres, the local endpoint and the wires in processes of their own, so that their CPU is not counted. They end when the parent lets go. */
const postgres = await startPostgres({ tls: true, settings: { max_connections: "300" } });
const [endpoint, far, cold] = await Promise.all([
  startEndpoint({ databaseUrl: postgres.url(), port: 0 }),
  startWire(postgres, { delayMs: FAR_MS }),
  startWire(postgres, { delayMs: COLD_MS }),
]);
const client = new pg.Client({ connectionString: postgres.url() });
await client.connect();
for (const statement of fixtures) await client.query(statement);
const { rows } = await client.query<{ server_version: string }>("show server_version");
await client.end();

process.once("disconnect", async () => {
  await Promise.all([endpoint.stop(), far.close(), cold.close()]);
  await postgres.stop();
});
process.send?.({
  databaseUrl: postgres.url(),
  farUrl: urlAt(far.port),
  coldUrl: urlAt(cold.port),
  endpointUrl: endpoint.url,
  ca: postgres.ca ?? "",
  version: rows[0]?.server_version ?? "unknown",
} satisfies ServerAddresses);

function urlAt(port: number): string {
  const url = new URL(postgres.url());
  url.port = String(port);
  return url.href;
}
