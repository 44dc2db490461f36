import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Files } from "./bundle.ts";

/** Generates Prisma's clients, one for Node and one for workerd. Needs no network: no engine of schemas is asked for anything. */
export async function generateClients(tools: string, folder: string): Promise<Files> {
  const place = join(folder, "prisma");
  await mkdir(place, { recursive: true });
  await cp("test/orm/prisma/schema.prisma", join(place, "schema.prisma"));
  await promisify(execFile)(
    process.execPath,
    [join(tools, "prisma/build/index.js"), "generate", "--schema", join(place, "schema.prisma")],
    {
      cwd: place,
      env: {
        PATH: process.env.PATH,
        HOME: place,
        PRISMA_SCHEMA_ENGINE_BINARY: "/bin/true",
        CHECKPOINT_DISABLE: "1",
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
      },
    },
  );
  return { "prisma-client": { node: join(place, "node/client.ts"), workerd: join(place, "workerd/client.ts") } };
}
