import type { Random } from "../support/random.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { mangle, nastyJson, nastyTexts, nastyValue } from "./nasty.ts";
import { breakRequest, chunkRequest, nastyHeaders, type WrittenRequest, writeRequest } from "./request-bytes.ts";

/** Statements of every sort: refused, without rows, that end their own connection, that raise any error they like. Nothing that takes long. */
const statements: readonly string[] = [
  "select $1::text as word",
  "select $1::int + $2::int as sum",
  "select $1::jsonb, $2::int[]",
  "",
  ";",
  "-- nothing",
  "selec 1",
  "select 1; select 2",
  "begin",
  "commit",
  "rollback",
  "savepoint a",
  "set search_path = x",
  "set role none",
  "listen a",
  "prepare a as select 1",
  "deallocate all",
  "declare c cursor for select 1",
  "copy (select 1) to stdout",
  "copy pg_class from stdin",
  "create temp table t (a int)",
  "select * from nowhere",
  "select 1/0",
  "select 'a'::int",
  "select pg_cancel_backend(pg_backend_pid())",
  "select pg_terminate_backend(pg_backend_pid())",
  "select array[array[1,2],array[3,4]], box '(1,1),(0,0)', row(1,'a'), '{}'::json, null::int[]",
  "select 'NaN'::float8, 'infinity'::timestamptz, 'infinity'::numeric, '\\x00'::bytea",
  'select 1 as "__proto__", 2 as "constructor", 3 as a, 4 as a',
  "do $$ begin raise exception 'own' using errcode = '57P01'; end $$",
  "do $$ begin raise exception 'own' using errcode = 'XX000'; end $$",
  "do $$ begin raise exception 'own' using errcode = '08006'; end $$",
  "do $$ begin raise notice 'own'; end $$",
];

const flags = [
  "Neon-Raw-Text-Output",
  "Neon-Array-Mode",
  "Neon-Pool-Opt-In",
  "Neon-Batch-Read-Only",
  "Neon-Batch-Deferrable",
  "Neon-Batch-Isolation-Level",
];

/** A malformed, hostile or merely odd request to `POST /sql`. `connectionString` is a good one, whose password must not come back. */
export function endpointCase(random: Random, connectionString: string): FuzzCase {
  const request = endpointRequest(random, connectionString);
  return random.pick<() => FuzzCase>([
    () => ({ kind: "head", ...breakRequest(request, random) }),
    () => ({ kind: "chunks", ...chunkRequest(request, random) }),
    () => ({ kind: "statement", ...writeRequest(request) }),
    () => ({ kind: "body", ...writeRequest({ ...request, body: nastyBody(request.body, random) }) }),
    () => ({ kind: "body", ...writeRequest({ ...request, body: nastyBody(request.body, random) }) }),
    () => ({
      kind: "headers",
      ...writeRequest({ ...request, headers: [...request.headers, ...nastyHeaders(random), ...nastyFlags(random)] }),
    }),
    () => ({
      kind: "connection string",
      ...writeRequest({ ...request, headers: [["Neon-Connection-String", nastyUrl(connectionString, random)]] }),
    }),
    () => ({
      kind: "connection string",
      ...writeRequest({ ...request, headers: [["Neon-Connection-String", nastyUrl(connectionString, random)]] }),
    }),
    () => ({
      kind: "method and path",
      ...writeRequest({
        ...request,
        method: random.pick(["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "POST"]),
        path: `/${random.pick(["sql", "v2", "SQL", "sql/", "sql?x=1", ""])}${random.pick(["", ...nastyTexts]).slice(0, 3_000)}`,
      }),
    }),
  ])();
}

function endpointRequest(random: Random, connectionString: string): WrittenRequest {
  const query = () => ({
    query: random.pick(statements),
    ...(random.once(2) && { params: Array.from({ length: random.between(0, 3) }, () => nastyValue(random, 2)) }),
    ...(random.once(4) && { arrayMode: nastyValue(random, 0) }),
  });
  const payload = random.once(3) ? { queries: Array.from({ length: random.between(0, 4) }, query) } : query();
  return {
    method: "POST",
    path: "/sql",
    headers: [["Neon-Connection-String", connectionString]],
    body: Buffer.from(JSON.stringify(payload)),
  };
}

function nastyBody(good: Buffer, random: Random): Buffer {
  return random.pick<() => Buffer>([
    () => mangle(good, random),
    () => good.subarray(0, random.between(0, good.length)),
    () => Buffer.from(nastyJson(random)),
    () => Buffer.from(JSON.stringify({ query: nastyValue(random), params: nastyValue(random) })),
    () => Buffer.from(JSON.stringify({ queries: nastyValue(random) })),
    () => Buffer.from(JSON.stringify({ query: random.pick(nastyTexts) })),
    () => Buffer.from(`{"query":"select $1::text","params":[${nastyJson(random)}]}`),
    () => Buffer.from(JSON.stringify({ query: "select 1", params: Array(70_000).fill(null) })),
    () => Buffer.from("\ufeff{}"),
    () => Buffer.from([0xff, 0xfe, 0x7b, 0x00]),
    () => Buffer.from(JSON.stringify({ query: "select 1" }), "utf16le"),
  ])();
}

function nastyFlags(random: Random): readonly (readonly [string, string])[] {
  return Array.from({ length: random.between(1, 4) }, () => [
    random.pick(flags),
    random.pick(["true", "True", "1", "false", "Serializable", "ReadUncommitted", "serializable", ...nastyTexts]).slice(0, 2_000),
  ]);
}

function nastyUrl(good: string, random: Random): string {
  const nasty = () => random.pick(nastyTexts).slice(0, 2_000);
  const change = (name: "username" | "password" | "pathname" | "hostname" | "protocol" | "port") => {
    const url = new URL(good);
    url[name] = random.once(2) ? encodeURIComponent(nasty().toWellFormed()) : nasty();
    return url.href;
  };
  const withPair = (name: string, value: string) => {
    const url = new URL(good);
    url.searchParams.append(name, value);
    return url.href;
  };
  return random.pick<() => string>([
    () => mangle(Buffer.from(good), random).toString("latin1"),
    () => change(random.pick(["username", "password", "pathname", "hostname", "protocol", "port"])),
    () => withPair(nasty(), nasty()),
    () =>
      withPair(
        random.pick([
          "options",
          "application_name",
          "search_path",
          "statement_timeout",
          "client_encoding",
          "DateStyle",
          "TimeZone",
          "role",
        ]),
        nasty(),
      ),
    () => withPair("options", random.pick(["-c", "-c work_mem=x", "-c nothing=1", "--a=b", "-c statement_timeout=-5", "\\", "-P -d 5"])),
    () => withPair("replication", "database"),
    () =>
      random.pick([
        "postgres://",
        "postgres://u@h/d",
        "postgres://u:p@h",
        "postgres://%ff:p@h/d",
        "postgres://u:p@h/%00",
        "http://u:p@h/d",
        "u:p@h/d",
        "postgres://u:p@h:99999/d",
      ]),
    () => nasty(),
  ])();
}
