/** How one client is pointed at the endpoint. */
export interface Guide {
  readonly title: string;
  readonly note: string;
  /** Each a file, or lines of one, as it is written. */
  readonly code: readonly string[];
}

/** How to point at the endpoint whose base address is `url`: `test/endpoint/start-page.test.ts` runs these lines, docs/endpoint.md repeats them. */
export function guidesFor(url: string): readonly Guide[] {
  const authority = url.replace(/^http:\/\//, "");
  return [
    {
      title: "warmline",
      note: 'Two variables, for edge runtimes and Workers. Where there are sockets createDatabase({ transport: "http" }) goes this way too.',
      code: [`WARMLINE_ENDPOINT=${url}\nDATABASE_URL=postgres://user:password@localhost:5432/database`],
    },
    {
      title: "Neon's driver",
      note:
        "The three lines of neonConfig, before the first query and in development alone. All else stays as it is, pipelineConnect too. Before Node 22 " +
        'also neonConfig.webSocketConstructor = WebSocket, of "ws".',
      code: [
        `import { neon, neonConfig, Pool } from "@neondatabase/serverless";

neonConfig.fetchEndpoint = "${url}/sql";
neonConfig.wsProxy = "${authority}/v2";
neonConfig.useSecureWebSocket = false;

// over HTTP
const sql = neon(process.env.DATABASE_URL);
// over WebSocket, as Client is
const pool = new Pool({ connectionString: process.env.DATABASE_URL });`,
      ],
    },
    {
      title: "Drizzle",
      note: "Over Neon's driver with the lines above, by HTTP or WebSocket; or over warmline with its variables, transport named for where there are sockets.",
      code: [
        `import { drizzle } from "drizzle-orm/neon-http";

const db = drizzle({ client: sql });`,
        `import { drizzle } from "drizzle-orm/neon-serverless";

const db = drizzle({ client: pool });`,
        `import { createDatabase } from "warmline";
import { drizzle } from "warmline/drizzle";

const db = drizzle(createDatabase({ transport: "http" }));`,
      ],
    },
    {
      title: "Prisma",
      note: "Over Neon's driver with the lines above; or over warmline with its variables. Migrations go to the database itself.",
      code: [
        `import { PrismaNeon } from "@prisma/adapter-neon";
import { PrismaClient } from "./generated/client.ts";

const adapter = new PrismaNeon({ connectionString: process.env.DATABASE_URL });
const prisma = new PrismaClient({ adapter });`,
        `import { createDatabase } from "warmline";
import { PrismaWarmline } from "warmline/prisma";
import { PrismaClient } from "./generated/client.ts";

const adapter = new PrismaWarmline(createDatabase({ transport: "http" }));
const prisma = new PrismaClient({ adapter });`,
      ],
    },
    {
      title: "Without a client",
      note: "One query, by hand.",
      code: [
        `curl ${url}/sql \\
  -H "Neon-Connection-String: $DATABASE_URL" \\
  -d '{"query":"select $1::int as n","params":[1]}'`,
      ],
    },
  ];
}
