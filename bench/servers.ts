import { startEndpoint } from "warmline/endpoint";
import { startPostgres } from "../test/support/postgres/server.ts";

/** Where the measured process finds its servers. */
export interface ServerAddresses {
  readonly databaseUrl: string;
  readonly endpointUrl: string;
}

/** Postgres and the local endpoint in a process of their own, so that their CPU is not counted. It ends when its parent lets go of it. */
const postgres = await startPostgres();
const endpoint = await startEndpoint({ databaseUrl: postgres.url(), port: 0 });

process.once("disconnect", async () => {
  await endpoint.stop();
  await postgres.stop();
});
process.send?.({
  databaseUrl: postgres.url(),
  endpointUrl: endpoint.url,
} satisfies ServerAddresses);
