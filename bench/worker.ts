import { neon, neonConfig } from "@neondatabase/serverless";
import { createDatabase } from "warmline";

interface Bindings {
  readonly DATABASE_URL: string;
  readonly WARMLINE_ENDPOINT: string;
}

const text = "select $1::int as n, $2::text as t";
const values = [7, "a short text"];

const db = createDatabase();
let run: ReturnType<typeof neon> | undefined;

const contenders: Readonly<Record<string, (bindings: Bindings) => Promise<unknown>>> = {
  "/ours": () => db.query(text, values),
  "/bare": ({ DATABASE_URL, WARMLINE_ENDPOINT }) => {
    neonConfig.fetchEndpoint = () => `${WARMLINE_ENDPOINT}/sql`;
    run ??= neon(DATABASE_URL);
    return run.query(text, values);
  },
};

/** A worker that sends the same query through warmline or through the driver below it, as often as it is told, one after the other. */
export default {
  async fetch(request: Request, bindings: Bindings): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const query = contenders[pathname];
    if (query === undefined) return new Response("", { status: 404 });
    for (let sent = 0; sent < Number(searchParams.get("queries")); sent++) await query(bindings);
    return new Response("done");
  },
};
