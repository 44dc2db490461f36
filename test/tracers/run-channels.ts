// A process with one tracer that is told by tracing channels: `run-channels.ts <tracer>`, with TRACERS and DATABASE_URL. Sends what it found to its parent.
import type { ChannelSpan, ChannelTracer } from "./channel-tracer.ts";
import { stayOnLoopback } from "./loopback-only.ts";
import { SECRET, shown } from "./tracer.ts";

const [, , name = ""] = process.argv;
const url = process.env.DATABASE_URL ?? "";
const problems: string[] = [];
const abroad = stayOnLoopback();
for (const event of ["uncaughtException", "unhandledRejection"]) {
  process.on(event, (error: Error) => problems.push(`${event}: ${error?.stack}`));
}
let spans = 0;

const { start } = (await import(`./${name}.ts`)) as { start(): Promise<ChannelTracer> };
const tracer = await start();
try {
  const { createDatabase, sql } = await import("warmline");
  const db = createDatabase({ url, max: 2 });
  const { database } = db.plan.server;
  const transaction = `TRANSACTION ${database}`;
  const connect = `CONNECT ${database}`;

  await judge(
    "query",
    [
      ["select", "query"],
      [connect, "select"],
    ],
    () => db.query("select $1::text as said, 'a literal'", [SECRET]),
  );
  await judge("refused", [["select", "refused", "22P02"]], () => db.query("select $1::int", [SECRET]).catch(() => {}));
  await judge("batch", [["BATCH select pg_class", "batch"]], () =>
    db.batch([sql`select 1 from pg_class`, sql`select ${SECRET} from pg_class`]),
  );
  await judge(
    "transaction",
    [
      [transaction, "transaction"],
      ["select pg_class", transaction],
      ["select pg_type", transaction],
    ],
    () =>
      db.transaction(async (tx) => {
        await tx.query("select 1 from pg_class limit 1");
        await tx.query("select $1::text from pg_type limit 1", [SECRET]);
      }),
  );
  await judge(
    "rolled back",
    [
      [transaction, "rolled back", "42P01"],
      ["select nowhere", transaction, "42P01"],
    ],
    () => db.transaction((tx) => tx.query("select 1 from nowhere")).catch(() => {}),
  );
  await Promise.all(
    Array.from({ length: 8 }, (_, n) =>
      judge(`at once ${n}`, [["select pg_class", `at once ${n}`]], () => db.query("select 1 from pg_class limit 1"), [connect]),
    ),
  );
  await db.close();
} catch (error) {
  problems.push((error as Error).stack ?? String(error));
}
await tracer.stop();
problems.push(...abroad.map((host) => `It asked for ${host}.`));
process.send?.({ spans, problems });
process.disconnect?.();

/** A span as it has to be: its name, its parent's, and the server's code where it failed. */
type Wanted = readonly [name: string, parent: string, code?: string];

/** Each call has one span, below the one it was made in; none is open, none holds a value, and nobody else makes one of the same statement. */
async function judge(
  request: string,
  wanted: readonly Wanted[],
  work: () => Promise<unknown>,
  mayBe: readonly string[] = [],
): Promise<void> {
  const [root, ...made] = await tracer.request(request, work);
  const names = new Map([root, ...made].map((span) => [span?.id, span?.name]));
  // COMMIT and ROLLBACK belong to no call of ours: whoever patches pg still tells of them
  const own = made.filter((span) => !mayBe.includes(span.name) && !/COMMIT|ROLLBACK/.test(span.kept.slice(0, 200)));
  spans += own.length;
  const told = own.map((span): Wanted => {
    const parent = (span.parentId === root?.id ? request : names.get(span.parentId)) ?? "none";
    return span.failed ? [span.name, parent, codeOf(span)] : [span.name, parent];
  });
  if (shown(told.map(String).sort()) !== shown(wanted.map(String).sort()))
    problems.push(`${request}: wanted ${shown(wanted)}, made ${shown(told)}`);
  for (const span of made) {
    if (!span.ended) problems.push(`${request}: not ended: ${span.kept}`);
    if (span.kept.includes(SECRET)) problems.push(`${request}: a value is kept: ${span.kept}`);
  }
  for (const span of own) {
    const { attributes } = span;
    if (attributes["db.system.name"] !== "postgresql" || typeof attributes["server.address"] !== "string") {
      problems.push(`${request}: not by the conventions: ${span.kept}`);
    }
    const text = String(attributes["db.query.text"] ?? "");
    if (span.name.startsWith("select") && (!text.startsWith("select") || text.includes("a literal"))) {
      problems.push(`${request}: the text is ${text}`);
    }
  }
}

function codeOf({ attributes }: ChannelSpan): string {
  return String(attributes["db.response.status_code"] ?? attributes["error.type"]);
}
