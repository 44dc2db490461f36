// An instance as Vercel runs it: requests share it, each with its own context, and it says when nothing keeps it awake any more.
import { AsyncLocalStorage } from "node:async_hooks";
import { attachDatabasePool } from "@vercel/functions";
import { attachPool } from "../../src/adapters/vercel.ts";
import { createDatabase, type Database } from "../../src/entry/node.ts";
import { WarmPool } from "../../src/entry/pool.ts";
import type { Answer, InstanceOptions, Request } from "./start-instance.ts";

interface Context {
  waitUntil(promise: Promise<unknown>): void;
  readonly deadline?: string;
}

const { pools, attach } = JSON.parse(process.argv[2] ?? "") as InstanceOptions;
const onPool = { warmline: attachPool, vercel: attachDatabasePool, nobody: undefined }[attach];
const databases: readonly Database[] = pools.map((options) => createDatabase({ ...options, onPool }));
const bare = pools.map((options) => new WarmPool({ ...options, onPool }));

const requests = new AsyncLocalStorage<Context>();
Object.assign(globalThis, { [Symbol.for("@vercel/request-context")]: { get: () => requests.getStore() } });

const tell = (answer: Answer) => process.send?.(answer);
let awake = 0;

function keep(promise: Promise<unknown>): void {
  awake++;
  promise.finally(() => {
    if (--awake === 0) tell({ what: "quiet" });
  });
}

async function serve({ id, pool, over, deadlineMs }: Request): Promise<void> {
  let promises = 0;
  const context: Context = {
    waitUntil(promise) {
      promises++;
      keep(promise);
    },
    ...(deadlineMs !== undefined && { deadline: new Date(Date.now() + deadlineMs).toISOString() }),
  };
  try {
    await requests.run(context, async () => {
      for (const number of pool) {
        for (let calls = 0; calls < 3; calls++) {
          if (over === "database") await databases[number]?.query("select 1");
          else await bare[number]?.query("select 1");
        }
      }
    });
    tell({ what: "served", id, promises });
  } catch (error) {
    tell({ what: "failed", id, message: String(error) });
  }
}

process.on("message", (request: Request) => keep(serve(request)));
tell({ what: "ready" });
