import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { databaseUrl, useEndpoint } from "./local-endpoint.ts";

const { post, query } = useEndpoint();

const PID = { query: "select pg_backend_pid() as pid" };

/** As the role whose password changes. */
const as = (password: string) => ({
  url: databaseUrl((url) => {
    url.username = "changing";
    url.password = password;
  }),
});

const pidOf = ({ status, body }: { readonly status: number; readonly body: Readonly<Record<string, unknown>> }): unknown =>
  status === 200 ? (body.rows as readonly { readonly pid: number }[])[0]?.pid : body.code;

/** Sets the wall clock ahead by so much, and stops it there. */
function pass(ms: number): void {
  const now = Date.now();
  vi.spyOn(Date, "now").mockReturnValue(now + ms);
}

beforeEach(async () => {
  await query("drop role if exists changing");
  await query("create role changing login password 'before'");
});
afterEach(() => vi.restoreAllMocks());

describe("a login whose password is changed", () => {
  test("works for as long as a login is believed, and no longer", async () => {
    const pid = pidOf(await post(PID, as("before")));
    expect(pid).toEqual(expect.any(Number));
    await query("alter role changing password 'after'");
    expect(pidOf(await post(PID, as("after")))).toEqual(expect.any(Number));
    pass(29_000);
    expect(pidOf(await post(PID, as("before")))).toBe(pid);
    pass(1_001);
    expect(await post(PID, as("before"))).toMatchObject({ status: 400, body: { code: "28P01", severity: "FATAL" } });
    expect(pidOf(await post(PID, as("after")))).toEqual(expect.any(Number));
  });

  test("is not believed either when it is used all the time", async () => {
    await post(PID, as("before"));
    await query("alter role changing password 'after'");
    const answers: unknown[] = [];
    for (let second = 0; second <= 31; second++, pass(1_000)) answers.push((await post(PID, as("before"))).status);
    expect(answers.filter((status) => status === 200).length).toBeGreaterThan(20);
    expect(answers.at(-1)).toBe(400);
  });

  test("is asked for again when the clock was set back", async () => {
    const pid = pidOf(await post(PID, as("before")));
    pass(-60_000);
    const other = pidOf(await post(PID, as("before")));
    expect(other).toEqual(expect.any(Number));
    expect(other).not.toBe(pid);
  });
});

test("many connections of one login are all replaced when it is asked for again", async () => {
  const sleepy = { query: "select pg_backend_pid() as pid, pg_sleep(0.05)" };
  const first = await Promise.all(Array.from({ length: 5 }, () => post(sleepy, as("before"))));
  pass(31_000);
  const second = await Promise.all(Array.from({ length: 5 }, () => post(sleepy, as("before"))));
  const [before, after] = [new Set(first.map(pidOf)), new Set(second.map(pidOf))];
  expect([before.size, after.size]).toEqual([5, 5]);
  expect([...after].filter((pid) => before.has(pid))).toEqual([]);
});
