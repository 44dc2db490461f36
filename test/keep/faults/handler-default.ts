import { Cluster, Redis } from "ioredis";
import { createPool } from "mysql2/promise";
import { request } from "undici";
import type { ClientName, Doing, Errand } from "./errand.ts";
import { ask } from "./over-http.ts";

const overUndici = (method: "GET" | "POST") => async (id: string) =>
  (await request(`${process.env.SERVICE_URL}/${id}`, { method })).body.json();

/** Each client as its documentation shows it, at module scope. */
const doings: Readonly<Record<ClientName, () => Doing>> = {
  mysql2() {
    const pool = createPool(process.env.MYSQL_URL ?? "");
    return {
      read: (id) => pool.query("select count(*) from rounds where id = ?", [id]),
      write: (id) => pool.query("insert into rounds (id) values (?)", [id]),
    };
  },
  ioredis() {
    const redis = new Redis(process.env.REDIS_URL ?? "");
    return { read: (id) => redis.get(id), write: (id) => redis.incr(id) };
  },
  "ioredis cluster"() {
    const cluster = new Cluster((process.env.REDIS_CLUSTER ?? "").split(","));
    return { read: (id) => cluster.get(id), write: (id) => cluster.incr(id) };
  },
  undici: () => ({ read: overUndici("GET"), write: overUndici("POST") }),
  "http agent": () => ({ read: (id) => ask("GET", id), write: (id) => ask("POST", id) }),
};

const doing = doings[process.env.CLIENT as ClientName]();

/** Does one read or write. */
export async function handler({ id, what }: Errand): Promise<void> {
  await doing[what](id);
}
