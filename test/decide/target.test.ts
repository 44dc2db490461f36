import { describe, expect, test } from "vitest";
import { detectTarget, type TargetName, targets } from "../../src/decide/target.ts";

const rows: readonly (readonly [name: TargetName, host: string, port: number])[] = [
  ["postgres", "db.example.com", 5432],
  ["postgres", "127.0.0.1", 6432],
  ["postgres", "neon.tech.example.com", 5432],
  ["postgres", "fakeneon.tech", 5432],
  ["neon", "ep-cool-1.us-east-2.aws.neon.tech", 5432],
  ["neon-pooler", "ep-cool-1-pooler.us-east-2.aws.neon.tech", 5432],
  ["neon-pooler", "EP-Cool-1-Pooler.US-East-2.aws.Neon.tech", 5432],
  ["rds", "orders.abc123.eu-central-1.rds.amazonaws.com", 5432],
  ["rds-proxy", "orders.proxy-abc123.eu-central-1.rds.amazonaws.com", 5432],
  ["rds-proxy", "reader.endpoint.proxy-abc123.eu-central-1.rds.amazonaws.com", 5432],
  ["rds-proxy", "orders.proxy-abc123.cn-north-1.rds.amazonaws.com.cn", 5432],
  ["dsql", "kiabcdefghijklmnopqrstu.dsql.eu-central-1.on.aws", 5432],
  ["dsql", "KIABC.DSQL-FNH4.US-EAST-1.ON.AWS", 5432],
  ["postgres", "dsql.eu-central-1.on.aws.example.com", 5432],
  ["supavisor-transaction", "aws-0-eu-central-1.pooler.supabase.com", 6543],
  ["supavisor-session", "aws-0-eu-central-1.pooler.supabase.com", 5432],
  ["hyperdrive", "abc123.hyperdrive.local", 5432],
  ["planetscale", "aws-eu-central-1-1.pg.psdb.cloud", 5432],
];

const c = {
  httpSql: 0,
  namedStatements: 1,
  startupParameters: 2,
  sessionState: 3,
  cancel: 4,
  iam: 5,
  pooled: 6,
  pins: 7,
  pipelining: 8,
  verifiedTls: 9,
} as const;

/** Ten columns of capabilities in the order of `c`, and the server's idle limit. */
const capabilityTable: Readonly<Record<TargetName, readonly [flags: string, serverIdleMs: number | null]>> = {
  postgres: ["-yyyy---y-", null],
  neon: ["yyyyy---y-", 300_000],
  "neon-pooler": ["yy--y-y---", 300_000],
  rds: ["-yyyyy--y-", null],
  "rds-proxy": ["-----yyy--", 1_800_000],
  dsql: ["-----yy--y", null],
  pgbouncer: ["----y-y---", 600_000],
  "supavisor-transaction": ["----y-y---", null],
  "supavisor-session": ["-yyyy-y---", null],
  hyperdrive: ["-y----y---", 600_000],
  planetscale: ["yyyyy---y-", null],
};

describe("detectTarget", () => {
  test.each(rows)("finds %s at %s:%i", (name, host, port) => {
    const found = detectTarget({ host, port }, null, null);
    expect(found.name).toBe(name);
    expect(found.capabilities).toEqual(detectTarget({ host: "db.example.com", port }, name, null).capabilities);
    expect(found.reason).not.toBe("");
  });

  test.each(Object.keys(targets) as TargetName[])("gives %s the capabilities of the table", (name) => {
    const [flags, serverIdleMs] = capabilityTable[name];
    const { capabilities, endpoint, reason } = detectTarget({ host: "db.example.com", port: 5432 }, name, null);
    const seen = (Object.keys(c) as (keyof typeof c)[]).map((key) => (capabilities[key] ? "y" : "-")).join("");
    expect([seen, capabilities.serverIdleMs]).toEqual([flags, serverIdleMs]);
    expect(endpoint === null).toBe(!capabilities.httpSql);
    expect(reason).toBe("the settings say so");
  });

  test("takes PlanetScale's pooled port for what it is", () => {
    const { capabilities } = detectTarget({ host: "x.pg.psdb.cloud", port: 6432 }, null, null);
    expect(capabilities).toMatchObject({ httpSql: true, pooled: true, startupParameters: false, sessionState: false });
  });

  test.each([
    ["ep-x.us-east-2.aws.neon.tech", "https://api.us-east-2.aws.neon.tech/sql", "wss://ep-x.us-east-2.aws.neon.tech/v2"],
    ["ep-x-pooler.us-east-2.aws.neon.tech", "https://api.us-east-2.aws.neon.tech/sql", "wss://ep-x-pooler.us-east-2.aws.neon.tech/v2"],
    ["x.pg.psdb.cloud", "https://x.pg.psdb.cloud/sql", "wss://x.pg.psdb.cloud/v2"],
  ])("knows where %s speaks SQL over HTTP", (host, sqlUrl, sessionUrl) => {
    expect(detectTarget({ host, port: 5432 }, null, null).endpoint).toEqual({ sqlUrl, sessionUrl });
  });

  test.each([
    ["http://127.0.0.1:4444", "http://127.0.0.1:4444/sql", "ws://127.0.0.1:4444/v2"],
    ["https://sql.example.com/base/", "https://sql.example.com/base/sql", "wss://sql.example.com/base/v2"],
  ])("speaks SQL over HTTP at the endpoint %s, whatever the target", (endpoint, sqlUrl, sessionUrl) => {
    for (const host of ["127.0.0.1", "ep-x.us-east-2.aws.neon.tech"]) {
      const found = detectTarget({ host, port: 5432 }, null, endpoint);
      expect(found.capabilities.httpSql).toBe(true);
      expect(found.endpoint).toEqual({ sqlUrl, sessionUrl });
    }
  });
});
