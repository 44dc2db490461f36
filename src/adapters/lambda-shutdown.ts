import type { Database } from "../entry/node.ts";

/** What is closed at the end, whichever module asked for it: who is done first must not end the process for the others. */
const closedAtEnd = new Set<Pick<Database, "close">>();

let registering: Promise<void> | undefined;

/**
 * Closes databases, and what is kept, when Lambda ends the environment: the server gets its slots back at once instead of when it notices. To be called while
 * modules are loaded, by as many as like, for Lambda sends SIGTERM only where an extension is registered, and takes registrations only until the function
 * asks for its first event. The request leaves at once, ahead of that; an ES module that awaits it is sure of it, CommonJS has nothing to await
 * with. Costs a call to the Extensions API. Never rejects; elsewhere than on Lambda it does nothing.
 *
 * @example closeOnShutdown(db);
 */
export async function closeOnShutdown(...databases: readonly Pick<Database, "close">[]): Promise<void> {
  const { AWS_LAMBDA_RUNTIME_API: api } = process.env;
  if (api === undefined) return;
  for (const database of databases) closedAtEnd.add(database);
  registering ??= closeAtEnd(api);
  await registering;
}

function closeAtEnd(api: string): Promise<void> {
  process.once("SIGTERM", () => {
    Promise.allSettled([...closedAtEnd].map(async (database) => database.close())).finally(() => process.exit(0));
  });
  // without the extension the environment ends as it does for everybody: unannounced
  return register(`http://${api}/2020-01-01/extension`).catch(() => {});
}

/**
 * Registers for no event at all: that alone makes Lambda send SIGTERM, and leaves the function 300 ms and more to end.
 * Source: AWS Lambda documentation, "Extensions API" and "Lambda execution environment".
 */
async function register(extension: string): Promise<void> {
  const registered = ask(`${extension}/register`, {
    method: "POST",
    headers: { "Lambda-Extension-Name": "warmline" },
    body: '{"events":[]}',
  });
  const id = (await registered)["lambda-extension-identifier"];
  // says that it is ready; with no event registered it is never answered
  if (typeof id === "string") ask(`${extension}/event/next`, { headers: { "Lambda-Extension-Identifier": id } }).catch(() => {});
}

interface Asked {
  readonly method?: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Resolves with the headers of the answer. Without `fetch`, which would first load undici: what has to be there first leaves too late then. */
function ask(url: string, { body, ...options }: Asked): Promise<Readonly<Record<string, unknown>>> {
  return new Promise((resolve, reject) => {
    // not imported: a handler that is bundled for the edge has no such module
    const { request } = process.getBuiltinModule("node:http");
    const asking = request(url, { ...options, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.headers);
    });
    asking.on("error", reject).end(body);
  });
}
