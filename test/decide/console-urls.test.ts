import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { checkOptions, settingNames } from "../../src/decide/check.ts";
import { runtimeNames } from "../../src/decide/detect-runtime.ts";
import { otherSpellings } from "../../src/decide/other-spellings.ts";
import { resolveSettings, type Settings } from "../../src/decide/settings.ts";
import { detectTarget, type TargetName } from "../../src/decide/target.ts";
import { chooseTls } from "../../src/decide/tls.ts";
import { parameterNames } from "../../src/decide/url.ts";
import { foreignParameters } from "../../src/decide/url-parameters.ts";
import { createDatabase } from "../../src/entry/node.ts";
import { createRandom } from "../support/random.ts";

/** What comes of a URL beside host, user and password. */
interface Made {
  readonly target?: TargetName;
  /** Default `verify`. */
  readonly tls?: "disable" | "verify" | "no-verify";
  /** Default 5432. */
  readonly port?: number;
  /** Default as it stands at the end of the path. */
  readonly database?: string;
  /** The option `database`, where the URL has no path. */
  readonly option?: string;
  readonly settings?: Partial<
    Pick<Settings, "max" | "acquireTimeoutMs" | "connectTimeoutMs" | "deadlineMs" | "startupOptions" | "prepare" | "applicationName">
  >;
  /** Parameters that change nothing here, and are warned of. */
  readonly leftOut?: readonly string[];
  readonly user?: string;
  readonly host?: string;
  /** What is tried after the first. */
  readonly others?: Settings["address"]["others"];
  readonly targetSessionAttrs?: string;
}

type Line = readonly [url: string, made?: Made];

const neon = "ep-cool-bird-a1b2c3d4.us-east-2.aws.neon.tech";
const neonPooler = "ep-cool-bird-a1b2c3d4-pooler.us-east-2.aws.neon.tech";
const supavisor = "aws-0-eu-central-1.pooler.supabase.com";
const rds = "shop.c9akciq32.eu-west-1.rds.amazonaws.com";
const planetscale = "aws-eu-central-1-1.pg.psdb.cloud";
const plain: Made = { tls: "disable" };
const search = (path: string): Made => ({ settings: { startupOptions: `-c search_path=${path}` } });

/** URLs as the consoles and guides of providers and tools give them, with names made up. */
const consoles: Readonly<Record<string, readonly Line[]>> = {
  Neon: [
    [`postgresql://shop_owner:npg_Ab12@${neon}/shop?sslmode=require`, { target: "neon" }],
    [`postgresql://shop_owner:npg_Ab12@${neon}/shop?sslmode=require&channel_binding=require`, { target: "neon" }],
    [`postgresql://shop_owner:npg_Ab12@${neonPooler}/shop?sslmode=require&channel_binding=require`, { target: "neon-pooler" }],
    [`postgres://shop_owner:npg_Ab12@${neonPooler}/shop`, { target: "neon-pooler" }],
    [`postgres://shop_owner:npg_Ab12@${neonPooler}/shop?options=endpoint%3Dep-cool-bird-a1b2c3d4`, { target: "neon-pooler" }],
    [
      `postgres://shop_owner:npg_Ab12@${neonPooler}/shop?sslmode=require&options=project%3Dep-cool-bird-a1b2c3d4`,
      { target: "neon-pooler" },
    ],
    [`postgres://shop_owner:npg_Ab12@${neonPooler}/shop?sslmode=require&pgbouncer=true`, { target: "neon-pooler" }],
    [
      `postgres://shop_owner:npg_Ab12@${neonPooler}/shop?sslmode=require&pgbouncer=true&connect_timeout=10&pool_timeout=10`,
      { target: "neon-pooler", settings: { connectTimeoutMs: 10_000, acquireTimeoutMs: 10_000 } },
    ],
    [
      `postgres://shop_owner:npg_Ab12@${neonPooler}/shop?sslmode=require&pgbouncer=true&connection_limit=20&statement_cache_size=0`,
      { target: "neon-pooler", settings: { max: 20, prepare: false } },
    ],
    [`postgres://shop_owner:npg_Ab12@${neon}/shop?schema=public`, { target: "neon" }],
    [`postgres://shop_owner:npg_Ab12@${neon}/shop?sslmode=verify-full&sslrootcert=system`, { target: "neon" }],
    [`postgres://shop_owner:npg_Ab12@${neon}/shop?sslmode=require&options=-c%20search_path%3Dapp`, { target: "neon", ...search("app") }],
    ["postgresql://shop_owner:npg_Ab12@ep-x-y-123.c-2.eu-central-1.aws.neon.tech/shop?sslmode=require", { target: "neon" }],
    ["postgresql://shop_owner:npg_Ab12@ep-x-y-123-pooler.azure.eastus2.azure.neon.tech/shop?sslmode=require", { target: "neon-pooler" }],
  ],
  Vercel: [
    [`postgres://default:Ab12@${neon}:5432/verceldb?sslmode=require`, { target: "neon" }],
    [
      `postgres://default:Ab12@${neonPooler}:5432/verceldb?pgbouncer=true&connect_timeout=15&sslmode=require`,
      { target: "neon-pooler", settings: { connectTimeoutMs: 15_000 } },
    ],
    [
      `postgres://default:Ab12@${neonPooler}/verceldb?connect_timeout=15&sslmode=require`,
      { target: "neon-pooler", settings: { connectTimeoutMs: 15_000 } },
    ],
    [
      `postgres://postgres.abcdefghijkl:Ab12@${supavisor}:6543/postgres?sslmode=require&supa=base-pooler.x`,
      { target: "supavisor-transaction", port: 6543, leftOut: ["supa"] },
    ],
    [
      `postgres://postgres.abcdefghijkl:Ab12@${supavisor}:6543/postgres?sslmode=require&pgbouncer=true&workaround=supabase-pooler.vercel`,
      { target: "supavisor-transaction", port: 6543, leftOut: ["workaround"] },
    ],
  ],
  Netlify: [
    [`postgresql://neondb_owner:npg_Ab12@${neonPooler}/neondb?sslmode=require`, { target: "neon-pooler" }],
    [`postgresql://neondb_owner:npg_Ab12@${neon}/neondb?sslmode=require`, { target: "neon" }],
  ],
  Supabase: [
    ["postgresql://postgres:Ab12@db.abcdefghijkl.supabase.co:5432/postgres", {}],
    ["postgresql://postgres:Ab12@db.abcdefghijkl.supabase.co:6543/postgres", { port: 6543 }],
    [`postgresql://postgres.abcdefghijkl:Ab12@${supavisor}:6543/postgres`, { target: "supavisor-transaction", port: 6543 }],
    [`postgresql://postgres.abcdefghijkl:Ab12@${supavisor}:5432/postgres`, { target: "supavisor-session" }],
    [`postgresql://postgres.abcdefghijkl:Ab12@${supavisor}:6543/postgres?pgbouncer=true`, { target: "supavisor-transaction", port: 6543 }],
    [
      `postgresql://postgres.abcdefghijkl:Ab12@${supavisor}:6543/postgres?pgbouncer=true&connection_limit=1`,
      { target: "supavisor-transaction", port: 6543, settings: { max: 1 } },
    ],
    [`postgresql://prisma.abcdefghijkl:Ab12@${supavisor}:5432/postgres?schema=public`, { target: "supavisor-session" }],
    [`postgresql://prisma.abcdefghijkl:Ab12@${supavisor}:5432/postgres?schema=app`, { target: "supavisor-session", ...search('"app"') }],
    ["postgresql://postgres:postgres@127.0.0.1:54322/postgres", { port: 54_322, tls: "disable" }],
    ["postgresql://postgres:Ab12@db.abcdefghijkl.supabase.co:5432/postgres?sslmode=verify-full&sslrootcert=prod-ca-2021.crt", {}],
    [
      "postgresql://user=postgres.abc:Ab12@aws-1-eu-west-3.pooler.supabase.com:5432/postgres",
      { target: "supavisor-session", user: "user=postgres.abc" },
    ],
  ],
  RDS: [
    [`postgres://app:Ab12@${rds}:5432/shop`, { target: "rds" }],
    [`postgresql://app:Ab12@${rds}/shop?sslmode=verify-full&sslrootcert=/opt/global-bundle.pem`, { target: "rds" }],
    [
      `postgresql://app:Ab12@${rds}/shop?sslmode=verify-full&sslrootcert=/opt/global-bundle.pem&uselibpqcompat=true`,
      { target: "rds", leftOut: ["uselibpqcompat"] },
    ],
    [`postgresql://app:Ab12@${rds}/shop?ssl=true`, { target: "rds" }],
    [`postgresql://app:Ab12@${rds}/shop?ssl=1&sslmode=require`, { target: "rds" }],
    [`postgresql://app:Ab12@${rds}/shop?ssl=no-verify`, { target: "rds", tls: "no-verify" }],
    [`postgresql://app:Ab12@${rds}/shop?sslmode=no-verify`, { target: "rds", tls: "no-verify" }],
    [`postgres://app:Ab12@shop-proxy.proxy-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop`, { target: "rds-proxy" }],
    [`postgres://app@shop-proxy.proxy-c9akciq32.eu-west-1.rds.amazonaws.com/shop?sslmode=require`, { target: "rds-proxy" }],
    [`postgres://app:Ab12@shop-proxy.proxy-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop?pgbouncer=true`, { target: "rds-proxy" }],
    [`postgres://app:Ab12@shop-proxy.endpoint.proxy-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop`, { target: "rds-proxy" }],
  ],
  Aurora: [
    ["postgres://app:Ab12@shop.cluster-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop", { target: "rds" }],
    ["postgres://app:Ab12@shop.cluster-ro-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop", { target: "rds" }],
    ["postgres://app:Ab12@shop.cluster-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop?target_session_attrs=any", { target: "rds" }],
    [
      "postgres://app:Ab12@shop.cluster-c9akciq32.eu-west-1.rds.amazonaws.com:5432/shop?target_session_attrs=read-write",
      { target: "rds", targetSessionAttrs: "read-write" },
    ],
    ["postgres://app:Ab12@shop.cluster-custom-c9akciq32.cn-north-1.rds.amazonaws.com.cn:5432/shop", { target: "rds" }],
  ],
  Railway: [
    ["postgresql://postgres:Ab12@monorail.proxy.rlwy.net:31234/railway", { port: 31_234 }],
    ["postgresql://postgres:Ab12@postgres.railway.internal:5432/railway", {}],
    ["postgresql://postgres:Ab12@postgres.railway.internal:5432/railway?sslmode=disable", plain],
    ["postgresql://postgres:Ab12@containers-us-west-12.railway.app:6789/railway", { port: 6789 }],
    ["postgresql://postgres:Ab12@roundhouse.proxy.rlwy.net:31234/railway?sslmode=no-verify", { port: 31_234, tls: "no-verify" }],
  ],
  Render: [
    ["postgres://shop_user:Ab12@dpg-cabc123-a/shop", {}],
    ["postgresql://shop_user:Ab12@dpg-cabc123-a.oregon-postgres.render.com/shop", {}],
    ["postgresql://shop_user:Ab12@dpg-cabc123-a.frankfurt-postgres.render.com:5432/shop?ssl=true", {}],
    ["postgres://shop_user:Ab12@dpg-cabc123-a/shop?sslmode=disable", plain],
  ],
  Heroku: [
    ["postgres://uabc:pAb12@ec2-54-1-2-3.compute-1.amazonaws.com:5432/d12ab", {}],
    ["postgres://uabc:pAb12@cab1.cluster-cz1.us-east-1.rds.amazonaws.com:5432/d12ab", { target: "rds" }],
    ["postgres://uabc:pAb12@ec2-54-1-2-3.compute-1.amazonaws.com:5432/d12ab?sslmode=no-verify", { tls: "no-verify" }],
    [
      "postgres://uabc:pAb12@ec2-54-1-2-3.compute-1.amazonaws.com:5433/d12ab?sslmode=require&uselibpqcompat=true",
      { port: 5433, leftOut: ["uselibpqcompat"] },
    ],
  ],
  Azure: [
    ["postgres://shopadmin:Ab12@shop.postgres.database.azure.com:5432/postgres?sslmode=require", {}],
    ["postgres://shopadmin%40shop:Ab12@shop.postgres.database.azure.com:5432/postgres?sslmode=require", { user: "shopadmin@shop" }],
    [
      "postgres://shopadmin%40shop:Ab12@shop.postgres.database.azure.com:6432/postgres?sslmode=require&pgbouncer=true",
      { port: 6432, target: "pgbouncer", user: "shopadmin@shop" },
    ],
    [
      "postgres://shopadmin:Ab12@shop.postgres.database.azure.com/postgres?sslmode=verify-full&sslrootcert=DigiCertGlobalRootG2.crt.pem",
      {},
    ],
    ["postgres://shopadmin:Ab12@c-shop.abc.postgres.cosmos.azure.com:5432/citus?sslmode=require", {}],
  ],
  Aiven: [
    ["postgres://avnadmin:AVNS_Ab12@pg-abc-shop.e.aivencloud.com:12691/defaultdb?sslmode=require", { port: 12_691 }],
    [
      "postgres://avnadmin:AVNS_Ab12@pg-abc-shop.e.aivencloud.com:12692/defaultdb?sslmode=require&pgbouncer=true",
      { port: 12_692, target: "pgbouncer" },
    ],
    [
      "postgres://avnadmin:AVNS_Ab12@public-pg-abc-shop.aivencloud.com:12691/defaultdb?sslmode=verify-ca&sslrootcert=ca.pem",
      { port: 12_691 },
    ],
  ],
  DigitalOcean: [
    [
      "postgresql://doadmin:AVNS_Ab12@db-postgresql-fra1-12345-do-user-1-0.b.db.ondigitalocean.com:25060/defaultdb?sslmode=require",
      { port: 25_060 },
    ],
    [
      "postgresql://doadmin:AVNS_Ab12@private-db-postgresql-fra1-12345-do-user-1-0.b.db.ondigitalocean.com:25061/pool?sslmode=require",
      { port: 25_061 },
    ],
    [
      "postgresql://doadmin:AVNS_Ab12@db-postgresql-fra1-12345-do-user-1-0.b.db.ondigitalocean.com:25061/pool?sslmode=require&pgbouncer=true",
      { port: 25_061, target: "pgbouncer" },
    ],
  ],
  Fly: [
    ["postgres://postgres:Ab12@shop-db.flycast:5432", { option: "postgres" }],
    ["postgres://shop:Ab12@shop-db.flycast:5432/shop?sslmode=disable", plain],
    ["postgres://shop:Ab12@top2.nearest.of.shop-db.internal:5432/shop?sslmode=disable", plain],
    [
      "postgres://shop:Ab12@[fdaa:0:1da4:a7b:7d:1:b7b4:2]:5432/shop?sslmode=disable",
      { tls: "disable", host: "fdaa:0:1da4:a7b:7d:1:b7b4:2" },
    ],
    ["postgresql://fly-user:Ab12@pgbouncer.abc123.flympg.net/fly-db?pgbouncer=true", { target: "pgbouncer" }],
  ],
  PlanetScale: [
    [`postgresql://postgres.abc123:pscale_pw_Ab12@${planetscale}:5432/postgres?sslmode=verify-full`, { target: "planetscale" }],
    [
      `postgresql://postgres.abc123:pscale_pw_Ab12@${planetscale}:5432/postgres?sslmode=verify-full&sslrootcert=system`,
      { target: "planetscale" },
    ],
    [
      `postgresql://postgres.abc123:pscale_pw_Ab12@${planetscale}:6432/postgres?sslmode=verify-full&pgbouncer=true`,
      { target: "planetscale", port: 6432 },
    ],
    [
      `postgresql://postgres.abc123:pscale_pw_Ab12@${planetscale}:5432/postgres?sslnegotiation=direct&sslmode=verify-full&sslrootcert=system`,
      { target: "planetscale" },
    ],
    [`postgresql://postgres.abc123:pscale_pw_Ab12@${planetscale}:5432/postgres?sslaccept=strict`, { target: "planetscale" }],
  ],
  Timescale: [
    ["postgres://tsdbadmin:Ab12@abc123.def456.tsdb.cloud.timescale.com:31234/tsdb?sslmode=require", { port: 31_234 }],
    [
      "postgres://tsdbadmin:Ab12@abc123.def456.tsdb.cloud.timescale.com:31235/tsdb_transaction?sslmode=require&pgbouncer=true",
      { port: 31_235, target: "pgbouncer" },
    ],
  ],
  Cockroach: [
    ["postgresql://shop:Ab12@shop-1234.5xj.gcp-europe-west1.cockroachlabs.cloud:26257/defaultdb?sslmode=verify-full", { port: 26_257 }],
    [
      "postgresql://shop:Ab12@free-tier.gcp-us-central1.cockroachlabs.cloud:26257/defaultdb?sslmode=verify-full&options=--cluster%3Dshop-1234",
      { port: 26_257, settings: { startupOptions: "--cluster=shop-1234" } },
    ],
    ["postgresql://shop:Ab12@shop-1234.5xj.cockroachlabs.cloud:26257/defaultdb?sslmode=verify-full&sslrootcert=root.crt", { port: 26_257 }],
    ["postgresql://root@localhost:26257/defaultdb?sslmode=disable", { port: 26_257, tls: "disable" }],
  ],
  "Cloud SQL": [
    [
      "postgresql://app:Ab12@/shop?host=/cloudsql/shop-prod:europe-west1:shop",
      { tls: "disable", host: "/cloudsql/shop-prod:europe-west1:shop" },
    ],
    [
      "postgresql://app:Ab12@localhost/shop?host=/cloudsql/shop-prod:europe-west1:shop",
      { tls: "disable", host: "/cloudsql/shop-prod:europe-west1:shop" },
    ],
    [
      "postgresql://app:Ab12@34.90.1.2:5432/shop?sslmode=verify-ca&sslrootcert=server-ca.pem&sslcert=client-cert.pem&sslkey=client-key.pem",
      {},
    ],
    ["postgresql://app:Ab12@127.0.0.1:5432/shop", plain],
    ["postgresql://app%40shop-prod.iam@127.0.0.1:5432/shop", { tls: "disable", user: "app@shop-prod.iam" }],
  ],
  Xata: [
    ["postgresql://abc123:xau_Ab12@eu-central-1.sql.xata.sh/shop:main?sslmode=require", { database: "shop:main" }],
    ["postgresql://xata:Ab12@abc123.eu-central-1.xata.tech/app?sslmode=require", {}],
  ],
  Nile: [
    ["postgres://0190-abc:Ab12@us-west-2.db.thenile.dev:5432/shop", {}],
    ["postgres://0190-abc:Ab12@eu-central-1.db.thenile.dev/shop?ssl=true", {}],
  ],
  Crunchy: [
    ["postgres://application:Ab12@p.abc123.db.postgresbridge.com:5432/postgres", {}],
    ["postgres://application:Ab12@p.abc123.db.postgresbridge.com:5431/postgres?pgbouncer=true", { port: 5431, target: "pgbouncer" }],
    ["postgres://application:Ab12@p.abc123.db.postgresbridge.com:5432/postgres?sslmode=verify-full&sslrootcert=team.pem", {}],
  ],
  "Prisma's guides": [
    ["postgresql://shop:Ab12@db.example.com:5432/shop?schema=public", {}],
    [
      "postgresql://shop:Ab12@db.example.com:5432/shop?schema=shop&connection_limit=5&pool_timeout=2",
      { settings: { max: 5, acquireTimeoutMs: 2_000, startupOptions: '-c search_path="shop"' } },
    ],
    [
      "postgresql://shop:Ab12@db.example.com:5432/shop?socket_timeout=3&connect_timeout=4",
      { settings: { deadlineMs: 3_000, connectTimeoutMs: 4_000 } },
    ],
    ["postgresql://shop:Ab12@db.example.com:5432/shop?pool_timeout=0", { leftOut: ["pool_timeout"] }],
    ["postgresql://shop:Ab12@db.example.com:5432/shop?sslaccept=accept_invalid_certs", { tls: "no-verify" }],
    [
      "postgresql://shop:Ab12@localhost:5432/shop?schema=public&statement_cache_size=500",
      { tls: "disable", leftOut: ["statement_cache_size"] },
    ],
    ["postgresql://shop:Ab12@db.example.com:5432/shop?schema=Shop%20One", search('"Shop\\ One"')],
  ],
  "libpq and others": [
    [
      "postgresql://app:Ab12@db-1.example.com:5433,db-2.example.com/shop?target_session_attrs=read-write",
      { port: 5433, others: [{ host: "db-2.example.com", port: 5432 }], targetSessionAttrs: "read-write" },
    ],
    [
      "postgresql://app:Ab12@db-1.example.com,[fdaa::2]:6000/shop?target_session_attrs=primary",
      { others: [{ host: "fdaa::2", port: 6000 }], targetSessionAttrs: "primary" },
    ],
    [
      "postgresql://app:Ab12@/shop?host=db-1.example.com,db-2.example.com,/run/postgresql&port=5433&sslmode=disable",
      {
        tls: "disable",
        host: "db-1.example.com",
        port: 5433,
        others: [
          { host: "db-2.example.com", port: 5433 },
          { host: "/run/postgresql", port: 5433 },
        ],
      },
    ],
    ["postgresql:///shop?host=/var/run/postgresql&user=app", { tls: "disable", host: "/var/run/postgresql", user: "app" }],
    ["postgresql://db.example.com/shop?user=app&password=Ab12", { user: "app" }],
    ["postgresql://db.example.com?user=app&password=Ab12&dbname=shop", { user: "app", database: "shop" }],
    ["postgres://app:Ab12@db.example.com/shop?application_name=shop%20web", { settings: { applicationName: "shop web" } }],
    ["postgres://app:Ab12@db.example.com/shop?fallback_application_name=psql", { leftOut: ["fallback_application_name"] }],
    ["postgres://app:Ab12@db.example.com/shop?keepalives=1&keepalives_idle=30", { leftOut: ["keepalives", "keepalives_idle"] }],
    ["postgres://app:Ab12@db.example.com/shop?client_encoding=utf8", {}],
    ["postgres://app:Ab12@db.example.com/shop?client_encoding=latin1", { leftOut: ["client_encoding"] }],
    [
      "postgres://app:Ab12@db.example.com/shop?gssencmode=disable&sslsni=1&sslcompression=0",
      { leftOut: ["gssencmode", "sslsni", "sslcompression"] },
    ],
    ["postgres://app:Ab12@db.example.com/shop?lock_timeout=500", { settings: { startupOptions: "-c lock_timeout=500" } }],
    [
      "postgres://app:Ab12@db.example.com/shop?search_path=app,public&options=-c%20lock_timeout%3D500",
      { settings: { startupOptions: "-c search_path=app,public -c lock_timeout=500" } },
    ],
    ["postgres://app:Ab12@db.example.com/shop?options=-c+search_path%3Dapp", search("app")],
    ["postgres://app:Ab12@db.example.com/shop?currentSchema=app", search("app")],
    ["postgres://app:Ab12@db.example.com/shop?timezone=UTC", { settings: { startupOptions: "-c timezone=UTC" } }],
    ["postgres://app:Ab12@db.example.com/shop?sslmode=require&", {}],
    ["postgres://app:Ab12@db.example.com/shop?", {}],
    ["postgres://app:p%40ss%3Aw%2Frd%3F%23@db.example.com/shop", {}],
    ["POSTGRES://app:Ab12@db.example.com/shop", {}],
    ["postgres://app:Ab12@localhost/shop?ssl=false", plain],
    ["postgres://app:Ab12@localhost/shop?sslrootcert=system", plain],
    ["postgres://app:Ab12@db:5432/shop", {}],
    ["postgres://app:Ab12@host.docker.internal:5432/shop", {}],
  ],
};

/** URLs that are not taken, with what the message has to say. */
const refused: readonly (readonly [url: string, words: RegExp])[] = [
  ["postgresql://postgres:[YOUR-PASSWORD]@db.abcdefghijkl.supabase.co:5432/postgres", /with the password itself/],
  [`postgresql://shop_owner:************@${neon}/shop?sslmode=require`, /with the password itself/],
  ["postgres://shopadmin:{your_password}@shop.postgres.database.azure.com/postgres?sslmode=require", /with the password itself/],
  ["postgresql://app:<PASSWORD>@db.example.com/shop", /with the password itself/],
  ["jdbc:postgresql://db.example.com:5432/shop?user=app&password=Ab12", /without jdbc:/],
  ["prisma+postgres://accelerate.prisma-data.net/?api_key=abc", /the database's own URL/],
  ["postgresql://app:Ab12@db-1.example.com:5432,db-2.example.com:5432,db-3.example.com/shop?port=1,2", /as many as there are hosts/],
  [`postgresql://app:Ab12@db-1.example.com,${rds}/shop`, /of one kind/],
  ["postgresql://app:Ab12@db-1.example.com,db-2.example.com/shop?target_session_attrs=master", /one of any, read-write/],
  ["host=db.example.com port=5432 dbname=shop user=app password=Ab12", /like postgres:\/\//],
  ["postgres://app:Ab12@db.example.com/shop\n", /without the line break/],
  ["postgresql://shop:Ab12@db.example.com:5432/shop?sslmode=require&sslaccept=accept_invalid_certs", /something else; leave one out/],
  ["postgresql://app:Ab12@db.example.com/shop?sslcert=client.pem", /given too/],
  [`postgres://app:Ab12@${supavisor}:6543/shop?schema=app`, /in the URL too: supavisor-transaction takes none/],
];

describe("a URL as a console gives it", () => {
  const taken = Object.entries(consoles).flatMap(([console, urls]) => urls.map(([url, made = {}]) => ({ console, url, made })));

  test("there are enough of them", () => {
    expect(taken.length).toBeGreaterThanOrEqual(115);
    expect(new Set(taken.map(({ url }) => url)).size).toBe(taken.length);
  });

  test.each(taken)("$console: $url", ({ url, made }) => {
    const address = new URL(
      url
        .replace(/^postgres(ql)?/i, "https")
        .replace("@/", "@socket/")
        .replace("///", "//socket/")
        // which knows one host
        .replace(/,[^/]*/, ""),
    );
    const database = made.database ?? made.option ?? decodeURIComponent(address.pathname.slice(1));
    const given = made.option === undefined ? { url } : { url, database: made.option };
    const settings = resolveSettings(checkOptions(given, runtimeNames), {});
    expect(settings.address).toMatchObject({
      host: made.host ?? address.hostname,
      port: made.port ?? 5432,
      database,
      user: made.user ?? decodeURIComponent(address.username),
      others: made.others ?? [],
      targetSessionAttrs: made.targetSessionAttrs ?? "any",
    });
    const { target = "postgres", leftOut = [] } = made;
    expect(detectTarget(settings.address, settings.target, null).name).toBe(target);
    expect(chooseTls(settings.address).mode).toBe(made.tls ?? "verify");
    expect(settings).toMatchObject({ max: null, prepare: true, startupOptions: null, ...made.settings });
    // what is planned of it is the same, and what was left out is said once
    const { plan } = createDatabase({ ...given, runtime: "node" });
    expect(plan).toMatchObject({ target, transport: "pool", server: { port: made.port ?? 5432, database } });
    const said = plan.warnings.filter((warning) => warning.startsWith("Left out of url"));
    expect(said).toEqual(
      leftOut.length === 0
        ? []
        : [`Left out of url: ${leftOut.join(", ")}. They are for other clients, or there is no choice of them here.`],
    );
  });

  test.each(refused)("%j is answered with what to write", (url, words) => {
    const plan = () => createDatabase({ url, runtime: "node" }).plan;
    expect(plan).toThrow(words);
    expect(plan).not.toThrow(/Ab12|abc123/);
  });

  test("of 5,000 generated ones each is taken, or refused by name and without what is in it", () => {
    const random = createRandom(20_261_126);
    const secret = "cAnArY";
    const odd = [
      "",
      ":",
      "@",
      "/",
      "?",
      "#",
      "%",
      "%zz",
      "%00",
      " ",
      "\n",
      "[",
      "]",
      ",",
      "é",
      "\ud800",
      "'",
      "&",
      "=",
      "+",
      "%2F",
      secret,
    ];
    const names = [...parameterNames, ...Object.keys(foreignParameters), "service", "sslcrl", "__proto__", "constructor", "toString", ""];
    const word = () => Array.from({ length: random.between(0, 3) }, () => random.pick([...odd, "a", "1", "true", "require"])).join("");
    const some = (text: () => string) => (random.once(2) ? text() : "");
    const seldom = (text: () => string) => (random.once(5) ? text() : "");
    const outcomes = { taken: 0, refused: 0 };
    for (let count = 0; count < 5_000; count++) {
      const scheme = random.pick(["postgres://", "postgresql://", "postgres:", "jdbc:postgresql://", "prisma://", ""]);
      const parameters = Array.from({ length: random.between(0, 3) }, () => `${random.pick(names)}=${word()}`).join("&");
      const rest = random.once(5) ? `&password=${word()}${random.pick(["&", "%26", ""])}${secret}${random.pick(["", "=1"])}` : "";
      const url = `${random.once(3) ? scheme : "postgres://"}u${some(word)}:${secret}${some(word)}@h${some(word)}${some(() => ":5432")}${seldom(() => random.pick([",h2", ",h2:5433", ",[::1]:1", ",", ",h2:", ",:1", `,${secret}`, ",h2,h3:99999"]))}/d${some(word)}?${parameters}${rest}`;
      try {
        expect(resolveSettings(checkOptions({ url }, runtimeNames), {}).address.host).not.toBe("");
        outcomes.taken++;
      } catch (error) {
        expect(error, url).toMatchObject({ name: "ConfigError", fate: "not-sent", setting: expect.any(String) });
        expect(inspect(error, { depth: 9, showHidden: true }), url).not.toContain(secret);
        outcomes.refused++;
      }
    }
    expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(300);
  });
});

describe("an option in another client's spelling", () => {
  test.each(Object.entries(otherSpellings))("%s is answered with ours", (name, ours) => {
    const making = () => createDatabase({ url: "postgres://u@h/d", [name]: "cAnArY" } as object);
    expect(making).toThrow(
      expect.objectContaining({ code: "UNKNOWN_SETTING", setting: name, message: `The setting ${name} must be ${ours}.` }),
    );
  });

  test("names settings there are", () => {
    for (const ours of Object.values(otherSpellings)) {
      const first = /^written as ([a-z]\w+)/i.exec(ours)?.[1];
      if (first && !["rowMode", "signal", "isolation", "db"].includes(first)) expect(settingNames).toContain(first);
    }
  });

  test("is no setting of ours", () => {
    expect(Object.keys(otherSpellings).filter((name) => settingNames.includes(name))).toEqual([]);
  });

  test.each(["POSTGRES_URL", "NETLIFY_DATABASE_URL"])("%s is named where DATABASE_URL is missing", (variable) => {
    expect(() => resolveSettings({}, { [variable]: "postgres://u:cAnArY@h/d" })).toThrow(
      `The setting DATABASE_URL must be set; or give the option url or host, such as url: process.env.${variable}, which is set.`,
    );
  });
});
