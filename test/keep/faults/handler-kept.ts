import { request } from "undici";
import { agent as httpAgent } from "../../../examples/keep/http-agent.ts";
import { redis } from "../../../examples/keep/ioredis.ts";
import { cluster } from "../../../examples/keep/ioredis-cluster.ts";
import { mysql } from "../../../examples/keep/mysql2.ts";
import { agent } from "../../../examples/keep/undici.ts";
import type { ClientName, Doing, Errand } from "./errand.ts";
import { ask } from "./over-http.ts";

const overUndici = (method: "GET" | "POST") => (id: string) =>
  agent.use(async (dispatcher) => (await request(`${process.env.SERVICE_URL}/${id}`, { method, dispatcher })).body.json());

/** Each client as its recipe has it. */
const doings: Readonly<Record<ClientName, Doing>> = {
  mysql2: {
    read: async (id) => (await mysql()).query("select count(*) from rounds where id = ?", [id]),
    write: async (id) => (await mysql()).query("insert into rounds (id) values (?)", [id]),
  },
  ioredis: { read: async (id) => (await redis()).get(id), write: async (id) => (await redis()).incr(id) },
  "ioredis cluster": { read: async (id) => (await cluster()).get(id), write: async (id) => (await cluster()).incr(id) },
  undici: { read: overUndici("GET"), write: overUndici("POST") },
  "http agent": {
    read: (id) => httpAgent.use((own) => ask("GET", id, own)),
    write: (id) => httpAgent.use((own) => ask("POST", id, own)),
  },
};

/** Does one read or write. */
export async function handler({ id, what }: Errand): Promise<void> {
  await doings[process.env.CLIENT as ClientName][what](id);
}
