import { createContext, runInContext } from "node:vm";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { type BundleOptions, bundle, inputsAtStart, modulesOf, packagesAtStart } from "./bundle.ts";
import { installPackage } from "./installed-package.ts";

const { project } = installPackage();

const NEON = "@neondatabase/serverless";
const consumer = 'import { createDatabase, sql } from "warmline"; export default () => createDatabase().query(sql`select 1`);';
const driverAlone = `import { Client, neon, types } from "${NEON}"; export default [neon, Client, types];`;

/** Files that nothing but a held connection needs. */
const forSessions = /\/(wire-session|websocket|link|exchange|frames|held-work|session|transaction|portal)\.js$/;

/** What reads values where there is no pg, in the versions that pg itself stands on. */
const PARSERS = ["postgres-date", "postgres-interval", "xtend"];

/**
 * What the main entry of the edge may read at its start, bytes of gzip, rounded up to the next 100: a ratchet, which goes down and never up but for what no call should be without. The aim is
 * 26,000, and is not reached: what is left is what a call does or refuses at once, `database/` two fifths of it, settings and plans a fifth, the guard and
 * its lexer a tenth. Neon's driver alone is 47,000, and was read at every start until HTTP was our own.
 */
const MAX_START_BYTES = 43_400;

/** What `warmline/http` may weigh, in one file: that it reads failures at once is 4,300 of it. */
const MAX_HTTP_BYTES = 46_650;

const handler = `import { createDatabase, sql } from "warmline/tcp"; import { lambdaHandler } from "warmline/lambda";
  const db = createDatabase(); export const handler = lambdaHandler(db, () => db.query(sql\`select 1\`));`;

/** What such a handler may be, the AWS SDK left to the runtime, which has it. The aim is 150,000, and is not reached: pg is 87,000, and the rest is ours. */
const MAX_LAMBDA_BYTES = 298_400;

/** The conditions of each toolchain: wrangler, Next.js' edge, and a runtime nobody has heard of. */
const edges: readonly (readonly [string, BundleOptions])[] = [
  ["workerd", { conditions: ["workerd", "worker", "browser"], platform: "browser" }],
  ["edge-light", { conditions: ["edge-light"], platform: "neutral", mainFields: ["module", "main"] }],
  ["an unknown target", { conditions: [], platform: "neutral", mainFields: ["module", "main"] }],
];

const node: BundleOptions = { platform: "node", external: ["pg-native", "pg-cloudflare"], splitting: true };

describe.each(edges)("bundled for %s", (name, options) => {
  test("nothing of pg, the AWS SDK, ws or Node is in it", async () => {
    const { packages } = await bundle(project, consumer, options);
    expect(packages).toEqual([NEON, ...PARSERS, ...(name === "workerd" ? ["cloudflare:workers"] : []), "warmline"].sort());
  });

  test("Neon's driver, what reads the frames of a session and what runs on one are loaded by the first session", async () => {
    const { metafile } = await bundle(project, consumer, { ...options, splitting: true });
    expect(packagesAtStart(metafile)).toEqual(["postgres-date", "postgres-interval", "warmline", "xtend"]);
    expect(inputsAtStart(metafile).filter((path) => forSessions.test(path))).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((path) => forSessions.test(path))).toHaveLength(9);
  });

  test(`its start reads at most ${MAX_START_BYTES} bytes`, async () => {
    const { startGzipBytes, gzipBytes } = await bundle(project, consumer, { ...options, splitting: true });
    const { gzipBytes: whole } = await bundle(project, consumer, options);
    const { gzipBytes: driver } = await bundle(project, driverAlone, options);
    console.info(`${name}: ${startGzipBytes} bytes gzip at start of ${gzipBytes}, ${whole} in one file; bare neon() is ${driver}`);
    expect(startGzipBytes).toBeGreaterThan(10_000);
    expect(startGzipBytes).toBeLessThanOrEqual(MAX_START_BYTES);
  });
});

const from = (entry: string) => consumer.replace('"warmline"', `"warmline/${entry}"`);

describe.each(edges)("warmline/http, bundled for %s", (name, options) => {
  test(`holds nothing that opens a session, and weighs at most ${MAX_HTTP_BYTES} bytes`, async () => {
    const { metafile, packages, gzipBytes } = await bundle(project, from("http"), options);
    expect(packages).toEqual([...PARSERS, ...(name === "workerd" ? ["cloudflare:workers"] : []), "warmline"].sort());
    expect(Object.keys(metafile.inputs).filter((path) => forSessions.test(path))).toEqual([]);
    console.info(`warmline/http for ${name}: ${gzipBytes} bytes gzip`);
    expect(gzipBytes).toBeLessThanOrEqual(MAX_HTTP_BYTES);
  });
});

describe("warmline/tcp", () => {
  const overHttpAlone = /\/transports\/(http|websocket)|node_modules\/(undici|@neondatabase)/;

  test("bundled for Node, holds no file of HTTP, undici or Neon's driver", async () => {
    const { metafile, packages } = await bundle(project, from("tcp"), { ...node, splitting: false });
    expect(packages).toEqual(expect.arrayContaining(["warmline", "pg"]));
    expect(packages.filter((name) => name === NEON || name === "undici" || name === "ws")).toEqual([]);
    const modules = modulesOf(project, Object.keys(metafile.inputs));
    expect(modules.filter((path) => /\/transports\/pool\/warm-pool\.ts$/.test(path))).toHaveLength(1);
    expect(modules.filter((path) => overHttpAlone.test(path))).toEqual([]);
  });

  test("bundled for Workers, has pg over the sockets of a request, and no file of HTTP or Neon's driver", async () => {
    const { metafile, packages } = await bundle(project, from("tcp"), { ...edges[0]?.[1] });
    expect(packages).toEqual(expect.arrayContaining(["warmline", "pg", "pg-cloudflare", "cloudflare:sockets", "cloudflare:workers"]));
    expect(packages.filter((name) => name === NEON || name === "undici" || name.startsWith("@aws-sdk/"))).toEqual([]);
    expect(Object.keys(metafile.inputs).filter((path) => overHttpAlone.test(path))).toEqual([]);
  });

  test("bundled for where there are no sockets, holds nothing but what refuses there", async () => {
    const { packages } = await bundle(project, from("tcp"), { ...edges[1]?.[1] });
    expect(packages).toEqual(["warmline"]);
  });

  test(`a Lambda handler over it is at most ${MAX_LAMBDA_BYTES} bytes minified, in one file`, async () => {
    const { metafile } = await bundle(project, handler, { ...node, external: [...(node.external ?? []), "@aws-sdk/*"], splitting: false });
    const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
    console.info(`a Lambda handler over warmline/tcp: ${bytes} bytes minified`);
    expect(bytes).toBeGreaterThan(100_000);
    expect(bytes).toBeLessThanOrEqual(MAX_LAMBDA_BYTES);
  });
});

describe.each([
  ["warmline on Workers", consumer, edges[0]?.[1]],
  ["warmline/http on Workers", from("http"), edges[0]?.[1]],
  ["a Lambda handler", handler, { ...node, splitting: false }],
])("the code of %s", (_, code, options) => {
  test("is read as fast as it can be: it is ASCII, and no pattern has classes of Unicode", async () => {
    const { code: text } = await bundle(project, code, options);
    // V8 takes twice the memory for other texts
    expect(/.{20}[^\0-\x7f]/.exec(text)).toBeNull();
    // V8 looks classes up where a pattern stands, called or not; in a string it is made when it is needed
    expect(/.{20}(?<!\\)\\p\{/.exec(text)).toBeNull();
  });
});

/** Where a worker's modules are loaded: what costs it CPU there is told. Of what is left to the runtime to find every name is a function. */
async function load(worker: string, external: readonly string[] = []) {
  const { code } = await bundle(project, worker, { ...edges[0]?.[1], external: [...external] });
  const { code: script } = await transform(code, { format: "cjs" });
  const costly: string[] = [];
  const module: { exports: { db?: object; fail?: () => Error } } = { exports: {} };
  const others = Object.create(new Proxy({}, { get: (_, name) => (name === "env" ? {} : function any() {}) }));
  const globals = { module, require: () => others, TextEncoder, performance, tell: (what: string) => costly.push(what) };
  const context = createContext(globals);
  // the first takes workerd 3 ms of CPU, the second as long as reading the whole bundle again
  runInContext('Object.defineProperty(globalThis, "process", { get: () => void tell("process") })', context);
  runInContext('Error = class extends Error { constructor(...given) { super(...given); tell("error"); } }', context);
  runInContext(script, context);
  return { costly, exported: module.exports };
}

test.each(["warmline", "warmline/http"])(
  "when a worker loads %s and makes a database, no process is read and no error made",
  async (entry) => {
    const worker = `import { createDatabase } from "${entry}"; export const db = createDatabase(); export const fail = () => new Error("made");`;
    const { costly, exported } = await load(worker);
    expect(exported.db).toBeTypeOf("object");
    expect(costly).toEqual([]);
    exported.fail?.();
    expect(costly).toEqual(["error"]);
  },
);

test.each(["dashboard", "drizzle", "hono", "keep", "kysely", "otel", "prisma", "vercel"])("nor when it loads warmline/%s", async (name) => {
  const used = name === "hono" ? 'import { serverTiming } from "warmline/hono"; serverTiming();' : "";
  const { costly, exported } = await load(`${used} export * from "warmline/${name}";`, [
    "@opentelemetry/api",
    "drizzle-orm",
    "hono",
    "kysely",
  ]);
  expect(Object.keys(exported)).not.toEqual([]);
  expect(costly).toEqual([]);
});

test("bundled for a browser, there is nothing in it that could reach a database", async () => {
  const { packages } = await bundle(project, consumer, { platform: "browser" });
  expect(packages).toEqual(["warmline"]);
});

const poolConsumer = 'import { sharedPool } from "warmline/pool"; export default sharedPool;';

test("bundled for a browser, warmline/pool is only what refuses there; a worker's build has the pool", async () => {
  const { packages } = await bundle(project, poolConsumer, { platform: "browser" });
  expect(packages).toEqual(["warmline"]);
  const worker = await bundle(project, poolConsumer, { conditions: ["workerd", "worker", "browser"], platform: "browser" });
  expect(worker.packages).toEqual(expect.arrayContaining(["warmline", "pg", "pg-cloudflare", "cloudflare:workers"]));
  expect(worker.packages.filter((name) => name === NEON || name === "undici" || name.startsWith("@aws-sdk/"))).toEqual([]);
  const insides = Object.keys(worker.metafile.outputs).flatMap((path) => Object.keys(worker.metafile.outputs[path]?.inputs ?? {}));
  expect(insides.filter((path) => /warmline\/dist\/(aws|database|delivery)\//.test(path))).toEqual([]);
});

test("bundled for Node, Neon's driver and undici are loaded only when HTTP is chosen", async () => {
  const { metafile, packages } = await bundle(project, consumer, node);
  expect(packages).toEqual(expect.arrayContaining(["warmline", "pg", NEON, "undici"]));
  const atStart = packagesAtStart(metafile);
  expect(atStart).toEqual(expect.arrayContaining(["warmline", "pg"]));
  expect([NEON, "undici"].filter((name) => atStart.includes(name))).toEqual([]);
});

test("bundled for Node, the endpoint and its WebSocket server stay out of it", async () => {
  const { metafile } = await bundle(project, consumer, node);
  const modules = modulesOf(project, Object.keys(metafile.inputs));
  expect(modules.filter((path) => /warmline\/src\/(endpoint|cli)\/|node_modules\/ws\//.test(path))).toEqual([]);
});

test("what is not used is shaken off", async () => {
  const { metafile } = await bundle(project, 'import { isWarmlineError } from "warmline"; export default isWarmlineError;', {
    platform: "browser",
    external: [NEON],
  });
  const [output] = Object.values(metafile.outputs);
  expect(Object.keys(output?.inputs ?? {}).filter((path) => !/consumer|errors|public/.test(path))).toEqual([]);
});

const overTcp =
  'import { createDatabase } from "warmline"; import { hyperdrive } from "warmline/hyperdrive"; export default createDatabase({ tcp: hyperdrive() });';

test("a worker that asks for TCP has pg, of Node what nodejs_compat has, and nothing of the AWS SDK", async () => {
  const { packages } = await bundle(project, overTcp, { ...edges[0]?.[1] });
  expect(packages).toEqual(expect.arrayContaining(["pg", "pg-cloudflare", "cloudflare:workers", "cloudflare:sockets", "node:async_hooks"]));
  expect(packages.filter((name) => name.startsWith("@aws-sdk/"))).toEqual([]);
});

test("asking for TCP costs other runtimes nothing", async () => {
  const { packages } = await bundle(project, overTcp, { ...edges[1]?.[1] });
  expect(packages).toEqual([NEON, ...PARSERS, "warmline"].sort());
});

test.each(edges)("instrumented for OpenTelemetry and bundled for %s, its API alone is added, and nothing of Node", async (_, options) => {
  const code = 'import { instrument } from "warmline/otel"; export default instrument;';
  expect((await bundle(project, code, options)).packages).toEqual(["@opentelemetry/api", "warmline"]);
});

/** What an adapter may add to its ORM and the package, bytes of gzip. */
const MAX_ADAPTER_BYTES = 4_096;

test.each(["drizzle", "kysely", "prisma"])(`warmline/%s adds at most ${MAX_ADAPTER_BYTES} bytes in a worker, and no pg`, async (name) => {
  const options: BundleOptions = { ...edges[0]?.[1], external: ["drizzle-orm", "kysely"] };
  const alone = await bundle(project, 'export * from "warmline";', options);
  const { gzipBytes, packages } = await bundle(project, `export * from "warmline"; export * from "warmline/${name}";`, options);
  expect(gzipBytes - alone.gzipBytes).toBeLessThanOrEqual(MAX_ADAPTER_BYTES);
  expect(gzipBytes).toBeGreaterThan(alone.gzipBytes);
  expect(packages).not.toContain("pg");
});

/** What an import of `warmline/keep` alone may be, bytes of gzip. */
const MAX_KEEP_BYTES = 1_023;

test.each([...edges, ["Node", node] as const])(
  `warmline/keep, bundled for %s, is under a kilobyte and brings nothing along`,
  async (name, options) => {
    const { gzipBytes, packages } = await bundle(project, 'import { keep } from "warmline/keep"; export default keep;', options);
    console.info(`warmline/keep for ${name}: ${gzipBytes} bytes gzip`);
    expect(gzipBytes).toBeLessThanOrEqual(MAX_KEEP_BYTES);
    expect(gzipBytes).toBeGreaterThan(500);
    expect(packages).toEqual([...(name === "workerd" ? ["node:async_hooks"] : []), "warmline"]);
  },
);

test.each(["warmline", "warmline/http", "warmline/tcp"])("of %s its errors can be had without what makes a database", async (entry) => {
  for (const options of [...edges.map(([, one]) => one), { ...node, splitting: false }]) {
    const { gzipBytes } = await bundle(project, `import { fateOf } from "${entry}"; export default fateOf;`, options);
    expect(gzipBytes).toBeLessThan(1_024);
  }
});

describe("the reading of a bundle", () => {
  test("tells pg and a Node built-in that reach it", async () => {
    const code = 'import pg from "pg"; import { createHash } from "node:crypto"; export default [pg, createHash];';
    const { packages } = await bundle(project, code, { ...edges[0]?.[1] });
    expect(packages).toEqual(expect.arrayContaining(["pg", "pg-protocol", "pg-types", "node:crypto", "events"]));
  });

  test("tells pg behind an import() that is never called", async () => {
    const { packages } = await bundle(project, 'export default () => import("pg");', { ...edges[0]?.[1] });
    expect(packages).toContain("pg");
  });

  test("tells Neon's driver when Node's start needs it", async () => {
    const { metafile } = await bundle(project, driverAlone, node);
    expect(packagesAtStart(metafile)).toEqual([NEON]);
  });
});
