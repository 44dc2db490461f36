import type { Overview } from "./overview.ts";

/** The overview for a terminal. */
export function overviewText({ instanceId, invocation, runtime, why, database, stats, routes, proof }: Overview): string {
  const width = Math.max(...routes.map(({ path }) => path.length));
  const facts: readonly (readonly [name: string, value: string])[] = [
    ["instance", `${instanceId}, request ${invocation}`],
    ["transport", `${why}, on ${runtime}`],
    ["connection", connection(database)],
    ["the server", server(database)],
    [
      "statistics",
      stats === null ? "with the API token, at /stats" : `connects: ${stats.connects}, reuses: ${stats.reuses}, open: ${stats.total}`,
    ],
  ];
  return [
    "warmline demo. A browser gets a page here, Accept: application/json the same as JSON.",
    "",
    ...facts.map(([name, value]) => `${name.padEnd(12)}${value}`),
    "",
    ...routes.map(({ method, path, summary }) => `${method.padEnd(6)}${path.padEnd(width + 2)}${summary}`),
    ...(proof === null ? [] : ["", ...proofLines(proof)]),
    "",
  ].join("\n");
}

function connection(database: Overview["database"]): string {
  if (database === null) return "none: the database does not answer";
  const { connectionId, connectionReused, backendPid } = database;
  return `${connectionId}, reused: ${connectionReused}, backend ${backendPid}`;
}

function server(database: Overview["database"]): string {
  return database === null ? "?" : `sessions begun in this database: ${database.sessions}, open: ${database.open}`;
}

function proofLines({ rows, isRunning }: NonNullable<Overview["proof"]>): readonly string[] {
  const name = rows.map(({ runtime, transport }) => `${runtime} · ${transport}`);
  const width = Math.max(0, ...name.map(({ length }) => length));
  const lines = rows.map(
    ({ invocations, serverSessions, failures }, index) =>
      `${(name[index] ?? "").padEnd(width + 2)}sessions: ${serverSessions}, failures: ${failures}, of ${invocations} invocations`,
  );
  return isRunning ? [...lines, "The proof is still running."] : lines;
}
