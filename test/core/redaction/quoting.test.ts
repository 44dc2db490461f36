import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instrument } from "../../../src/adapters/otel.ts";
import type { Database, DatabaseEvent, WarmlineError } from "../../../src/entry/node.ts";
import { createRandom } from "../../support/random.ts";
import { openDirect, openPool, urlAt } from "../databases.ts";
import { forms, setUp, statements, tearDown } from "./quoting.ts";

const MAIN = fileURLToPath(new URL("../../../src/cli/main.ts", import.meta.url));

let cli: ReturnType<typeof spawn>;
let printed = "";
let endpoint: string;
let types: readonly string[];

beforeAll(async () => {
  await using direct = await openDirect();
  await direct.query(tearDown);
  await direct.query(setUp);
  const { rows } = await direct.query(
    "select format_type(oid, null) as name from pg_type where typtype in ('b', 'r', 'm', 'd') and typnamespace = 'pg_catalog'::regnamespace order by 1",
  );
  types = rows.map(({ name }) => name);
  cli = spawn(process.execPath, [MAIN, "endpoint", "--port", "0"], { env: { ...process.env, DATABASE_URL: urlAt() } });
  for (const stream of [cli.stdout, cli.stderr]) stream?.on("data", (chunk) => (printed += chunk));
  while (!printed.includes("\n")) await once(cli.stdout as NonNullable<typeof cli.stdout>, "data");
  endpoint = /http:\/\/[\d.:]+/.exec(printed)?.[0] ?? "";
});
afterAll(async () => {
  cli.kill();
  await once(cli, "close");
  await using direct = await openDirect();
  await direct.query(tearDown);
});

/** Every three characters of a value that stand together, forwards and backwards; signs are too common in paths. */
function runsOf(value: string): readonly string[] {
  const pieces = value.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  const runs = pieces
    .filter((piece) => !/^(integer|example|u0041.*)$/.test(piece))
    .flatMap((piece) => Array.from({ length: piece.length - 2 }, (_, at) => piece.slice(at, at + 3)));
  return [...runs, ...runs.map((run) => [...run].reverse().join(""))];
}

/** What is shown of an error that is not its place in a file, in the statement, or in the server's sources: those have digits too. */
function shownOf(error: WarmlineError): string {
  const whole = [error.stack, String(error), inspect(error, { depth: 20 }), JSON.stringify(error)].join("\n");
  return whole.replace(/^\s+at .*$|"?\b(line|position|internalPosition|code|sqlState)"?: ?['"]\w*['"]/gm, "");
}

const transports: Readonly<Record<string, () => Database>> = {
  pool: () => openPool({ max: 1 }),
  http: () => openPool({ transport: "http", endpoint }),
};

describe.each(Object.entries(transports))("over %s", (_, open) => {
  test("no run of three characters of a value is in anything that is shown", async () => {
    const random = createRandom(20_260_807);
    await using db = open();
    const told: DatabaseEvent[] = [];
    db.subscribe((event) => void told.push(event));
    const spans = new InMemorySpanExporter();
    const stop = instrument(db, { tracerProvider: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }) });
    const leaks: unknown[] = [];
    const refused = new Set<string>();
    const all = [...types.flatMap((type) => [`select $1::text::${type}`, `select $1::${type}`]), ...statements];
    let failed = 0;
    for (const text of all) {
      // of casts to types, a few forms each; of what goes more ways, all
      for (const [form, make] of statements.includes(text) ? forms : random.shuffle(forms).slice(0, 5)) {
        const value = make(random);
        const error = await db.query(text, [value]).then(
          () => undefined,
          (failure: WarmlineError) => failure,
        );
        if (error === undefined) continue;
        failed++;
        refused.add(text);
        if (!("sqlState" in error)) {
          leaks.push({ text, form, code: error.code });
          continue;
        }
        const shown = shownOf(error).toLowerCase();
        const found = runsOf(value).filter((run) => shown.includes(run) && !text.toLowerCase().includes(run));
        if (found.length > 0) leaks.push({ text, form, value, message: error.message, found });
      }
    }
    stop();
    const afar = `${JSON.stringify(told)}${inspect(
      spans.getFinishedSpans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
      { depth: 9 },
    )}`;
    expect(/[qxzjkvw]{5}/i.exec(`${afar}${printed}`)).toBeNull();
    expect(leaks.slice(0, 40)).toEqual([]);
    expect(refused.size).toBeGreaterThanOrEqual(300);
    expect(failed).toBeGreaterThan(3_000);
  });
});
