import { afterEach, expect, test, vi } from "vitest";
import { createDatabase } from "../../src/entry/node.ts";
import { sharedPool } from "../../src/entry/pool.ts";
import { readNetworkCode } from "../../src/transports/network-failure.ts";
import { failureOf } from "./databases.ts";

// the real ones are tried by `npm run test:runtimes`

afterEach(() => void vi.unstubAllGlobals());

/** Deno with these permissions; whoever lists the variables is refused, as there. */
function denoAllows(...variables: readonly string[]): string[] {
  const asked: string[] = [];
  const state = (variable: string | undefined) =>
    variables.some((one) => one === variable || (one.endsWith("*") && variable?.startsWith(one.slice(0, -1)))) ? "granted" : "prompt";
  vi.stubGlobal("Deno", {
    permissions: {
      querySync: ({ variable }: { readonly variable?: string }) => ({ state: state(variable) }),
      requestSync({ variable }: { readonly variable?: string }) {
        asked.push(String(variable));
        return { state: state(variable) };
      },
    },
  });
  const env = new Proxy(process.env, {
    ownKeys: () => notCapable("env"),
    get: (own, name) => (state(String(name)) === "granted" ? Reflect.get(own, name) : notCapable(`env access to "${String(name)}"`)),
  });
  vi.stubGlobal("process", Object.create(process, { env: { value: env } }));
  return asked;
}

function notCapable(what: string): never {
  throw Object.assign(new Error(`Requires ${what}`), { name: "NotCapable" });
}

test.each([
  [[], {}, "Deno has no permission to read DATABASE_URL and PG*. Run it with --allow-env=DATABASE_URL,PG*."],
  [["DATABASE_URL"], {}, "Deno has no permission to read PG*. Run it with --allow-env=DATABASE_URL,PG*."],
  [["PG*"], {}, "Deno has no permission to read DATABASE_URL. Run it with --allow-env=DATABASE_URL,PG*."],
  [
    ["DATABASE_URL"],
    { host: "db.example", user: "u", database: "d" },
    "Deno has no permission to read PG*. Run it with --allow-env=DATABASE_URL,PG*.",
  ],
])("with %j and the options %j, the flag that is missing is named, and each is asked for", async (allowed, options, message) => {
  const asked = denoAllows(...allowed);
  const expected = { code: "NOT_PERMITTED", fate: "not-sent", message };
  expect(await failureOf(createDatabase(options).query("select 1"))).toMatchObject(expected);
  expect(asked).toEqual("host" in options ? ["PG*"] : ["DATABASE_URL", "PG*"]);
  await expect(sharedPool(options).query("select 1")).rejects.toMatchObject({ code: "NOT_PERMITTED" });
});

test("what is needed is enough for a plan: a platform's variable that may not be read is none", () => {
  vi.stubEnv("K_SERVICE", "orders");
  denoAllows("PG*");
  expect(createDatabase("postgres://u@db.example/d").plan.runtime).toBe("deno");
  vi.unstubAllGlobals();
  denoAllows("PG*", "K_SERVICE");
  expect(createDatabase("postgres://u@db.example/d").plan.runtime).toBe("cloud-run");
  vi.unstubAllEnvs();
});

test("over HTTP the variables of Neon's driver are named", async () => {
  denoAllows("PG*", "USER");
  const db = createDatabase({ url: "postgres://u@db.example/d", transport: "http", endpoint: "https://sql.example" });
  expect(await failureOf(db.query("select 1"))).toMatchObject({
    code: "NOT_PERMITTED",
    message:
      "Deno has no permission to read USERNAME and NODE_PG_FORCE_NATIVE. Run it with --allow-env=DATABASE_URL,PG*,USER,USERNAME,NODE_PG_FORCE_NATIVE.",
  });
});

test("an address it may not connect to is named with its flag, and not tried again", () => {
  const refused = Object.assign(new Error('Requires net access to "db.example:5432"'), { name: "NotCapable" });
  expect(readNetworkCode(refused, { where: "db.example:5432" })).toMatchObject({
    code: "NOT_PERMITTED",
    fate: "not-sent",
    retryable: false,
    message: expect.stringContaining("--allow-net=db.example:5432."),
  });
});
