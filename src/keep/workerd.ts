import { AsyncLocalStorage } from "node:async_hooks";
import { type Entry, openEntry } from "./entry.ts";
import { failure } from "./failure.ts";
import type { KeepOptions, Kept, KeptScope } from "./options.ts";

export type { KeepOptions, Kept, KeptAge, KeptScope } from "./options.ts";

type Entries = Map<string, Entry<unknown>> & { isOver?: boolean };

/** What is kept for each request; taken out when it is over. */
const requests = new AsyncLocalStorage<Entries>();
const ofProcess: Entries = new Map();

/** As in Node; but what is kept here belongs to a request, for no other may touch its sockets, unless it is said to be the `process`'. */
export function keep<T>(key: string, create: () => T | Promise<T>, options: KeepOptions<T> = {}): Kept<T> {
  const find = () => {
    const entries = options.scope === "process" ? ofProcess : requests.getStore();
    if (!entries || entries.isOver) throw failure(key, "NO_SCOPE", { name: "UsageError", retryable: false });
    if (!entries.has(key)) entries.set(key, openEntry({ ...options, key, create }) as Entry<unknown>);
    return entries.get(key) as Entry<T>;
  };
  const use: Kept<T>["use"] = async (work) => find().use(work);
  return Object.assign(() => use((thing) => thing) as Promise<T>, { use, scope, close: async () => find().close() });
}

function scope<R>(context: KeptScope, work: () => R): R {
  const entries: Entries = new Map();
  const close = () => {
    // what goes on behind the end would create what nobody closes
    entries.isOver = true;
    return Promise.all([...entries.values()].map((entry) => entry.close().catch(() => {})));
  };
  let result: R | undefined;
  try {
    // biome-ignore lint/suspicious/noAssignInExpressions: what is returned is what is waited for
    return (result = requests.run(entries, work));
  } finally {
    context.waitUntil(Promise.resolve(result).then(close, close));
  }
}
