import type { Way } from "./workload.ts";

/** What an environment asks with. */
export interface ScaleClient {
  /** Resolves when every statement has been answered; rejects with what the first that failed rejected with. */
  ask(text: string, times: number): Promise<void>;
  close(): Promise<void>;
}

/** Where an environment finds its database. */
export interface Address {
  readonly url: string;
  /** Of SQL over HTTP. */
  readonly endpoint?: string;
}

/** Each is loaded by who asks with it alone, as a function deploys one of them. */
export const clients: Readonly<Record<Way["client"], (address: Address) => Promise<ScaleClient>>> = {
  async warmline({ url }) {
    const { createDatabase } = await import("../../src/entry/tcp.ts");
    const db = createDatabase({ url, max: 1, name: "scale" });
    return { ask: (text, times) => atOnce(times, () => db.query(text)), close: () => db.close() };
  },
  async pg({ url }) {
    const { default: pg } = await import("pg");
    const pool = new pg.Pool({ connectionString: url });
    pool.on("error", () => {});
    return { ask: (text, times) => atOnce(times, () => pool.query(text)), close: () => pool.end() };
  },
  async "warmline-http"({ url, endpoint = "" }) {
    const { createDatabase } = await import("../../src/entry/node-http.ts");
    const db = createDatabase({ url, endpoint, name: "scale" });
    return { ask: (text, times) => atOnce(times, () => db.query(text)), close: () => db.close() };
  },
};

async function atOnce(times: number, ask: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: times }, ask));
}
