import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, inject, test } from "vitest";
import { type Endpoint, startEndpoint } from "../../src/endpoint/endpoint.ts";
import { eventually, postTo } from "./local-endpoint.ts";

let folder: string;
/** Postgres' socket of the folder, which leads to the server of the tests. */
let door: Server;
let endpoint: Endpoint;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "pg-"));
  const { host, port } = inject("postgres");
  door = createServer((socket) => {
    const server = connect(port, host);
    socket.pipe(server).pipe(socket);
    for (const one of [socket, server]) one.on("error", () => {});
  });
  await once(door.listen(join(folder, ".s.PGSQL.5432")), "listening");
  endpoint = await startEndpoint({ databaseUrl: `postgres:///app?host=${encodeURIComponent(folder)}`, port: 0 });
});

afterAll(async () => {
  await endpoint?.stop();
  door?.close();
  await rm(folder, { recursive: true, force: true });
});

test("a statement is cancelled over a Unix socket when its client goes away", async () => {
  const leaving = new AbortController();
  const gone = postTo(endpoint, { query: "select pg_sleep(600) as by_folder" }, { signal: leaving.signal }).catch(() => undefined);
  const running = async () => {
    const text = "select count(*)::int4 as n from pg_stat_activity where query like '%as by_folder' and wait_event = 'PgSleep'";
    return ((await postTo(endpoint, { query: text })).body.rows as { n: number }[])[0]?.n;
  };
  await eventually(running, (n) => n === 1);
  leaving.abort();
  await gone;
  await eventually(running, (n) => n === 0);
});
