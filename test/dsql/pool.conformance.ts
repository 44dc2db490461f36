import { afterAll, expect, inject } from "vitest";
import { createDatabase } from "../../src/entry/node.ts";
import { testConformance } from "../conformance/suite.ts";
import { startFakeDsql } from "../support/dsql/fake-dsql.ts";

const region = "eu-central-1";
const credentials = { accessKeyId: "AKIDCONFORMANCE", secretAccessKey: "conformance/secret" };
process.env.AWS_ACCESS_KEY_ID = credentials.accessKeyId;
process.env.AWS_SECRET_ACCESS_KEY = credentials.secretAccessKey;
for (const name of ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"]) delete process.env[name];

const { host, port, user, password, database } = inject("postgres");
const fake = await startFakeDsql({
  server: { host, port, database },
  users: { admin: { user, password } },
  prepares: "set search_path = conformance_dsql_pool",
  region,
  credentials: [credentials],
});
const place = { host: fake.host, port: fake.port, ca: fake.ca, user: "admin", database: "postgres", region, target: "dsql" } as const;

afterAll(async () => {
  await fake[Symbol.asyncDispose]();
  // of what the package refuses nothing arrived; what else the target has not, it refuses itself
  expect(fake.strange.filter((asked) => !/^\s*truncate/i.test(asked))).toEqual([]);
});

testConformance({
  name: "dsql_pool",
  createDatabase: ({ url, startupOptions: _, ...options }) =>
    createDatabase(url === inject("postgres").url ? { ...place, ...options } : { url, ...options }),
  options: { transport: "pool" },
  transport: "pool",
  knowsNesting: true,
  cancels: false,
  skips: {
    // the server's default is repeatable read; and a token, not a password, is what it takes
    titles:
      /by the server's defaults|password function|PASSWORD_FAILED|getter of a binding|(in|callback of) a savepoint|savepoint that nobody/,
    failures: /NOT_SUPPORTED|This target has no|unsupported statement/,
  },
});
