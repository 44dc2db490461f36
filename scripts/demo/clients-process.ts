import { createDatabase } from "warmline";
import type { DatabaseEvent, Watched } from "../../src/dashboard/watched.ts";
import { makeBarePool } from "./bare-pool.ts";
import type { Order, SideName, Told } from "./told.ts";

/** The two clients in a process of their own, so that it can be frozen while the page goes on. They make the same calls at the same times. */

const MAX = 4;
const TELL_MS = 50;
/** Between two calls of the steady trickle, milliseconds. */
const TRICKLE_MS = 200;
const [url = ""] = process.argv.slice(2);
const slow = "select pg_sleep($1::float8 / 1000), (select name from products where id = $2::int)";
const quick = "select name from products where id = $1::int";

const pending: Record<SideName, DatabaseEvent[]> = { warmline: [], bare: [] };
const db = createDatabase({ url, transport: "pool", max: MAX, name: "live picture" });
db.subscribe((event) => pending.warmline.push(event));
const bare = makeBarePool({ connectionString: url, max: MAX }, (event) => pending.bare.push(event));

const clients: Record<SideName, { query(text: string, values: readonly unknown[]): Promise<unknown>; stats: Watched["stats"] }> = {
  warmline: { query: (text, values) => db.query(text, values, { readOnly: true }), stats: () => db.stats() },
  bare,
};

function tell(side: SideName, more: Partial<Told> = {}): void {
  const events = pending[side];
  pending[side] = [];
  // whoever was told may have ended: then this process ends, too
  process.send?.({ side, stats: clients[side].stats(), events, ...more } satisfies Told, undefined, undefined, () => {});
}

function call(text: string, values: readonly unknown[]): void {
  for (const { query } of Object.values(clients)) query(text, values).catch(() => {});
}

const anyProduct = () => 1 + Math.floor(Math.random() * 50);
const quickCall = () => call(quick, [anyProduct()]);
const slowCall = (lastingMs = 5 + Math.random() ** 3 * 300) => call(slow, [lastingMs, anyProduct()]);

tell("warmline", { plan: db.plan });
tell("bare");
const telling = setInterval(() => {
  tell("warmline");
  tell("bare");
}, TELL_MS);
const trickle = setInterval(() => {
  quickCall();
  slowCall();
}, TRICKLE_MS);
process.on("message", ({ fire, lastingMs }: Order) => {
  for (let n = 0; n < fire; n++) {
    if (lastingMs === undefined && n % 2 === 1) quickCall();
    else slowCall(lastingMs);
  }
});
process.once("disconnect", () => {
  clearInterval(telling);
  clearInterval(trickle);
  process.exit();
});
// Ctrl-C reaches the whole group of processes: the demo's own end is this one's, too
process.on("SIGINT", () => {});
