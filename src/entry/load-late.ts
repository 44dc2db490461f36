import type { HeldWork } from "../database/held-work.ts";
import { ConnectionError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import type { StatusReader } from "../transports/http-failure.ts";

/** What is loaded when it is first asked for: on the edge most functions never do, and what is read at their start is waited for. */
type Late = typeof import("./late.ts");

let loaded: Late | undefined;
let loading: Promise<Late> | undefined;

/** At once, where it was loaded before. What failed is tried again by the next. */
function load(): Late | Promise<Late> {
  if (loaded !== undefined) return loaded;
  loading ??= import("./late.ts").then(
    (late) => {
      loaded = late;
      return late;
    },
    (error) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}

/** Transactions, sessions and streams. @throws ConnectionError DRIVER_MISSING */
export function heldWorkLate(): HeldWork | Promise<HeldWork> {
  const late = load();
  return late instanceof Promise ? late.then(({ heldWork }) => heldWork, rejectNotLoaded) : late.heldWork;
}

/** What reads an endpoint's failures. Rejects as `import()` does: by then the statement was sent. */
export const statusReaderLate: StatusReader = () => {
  const late = load();
  return late instanceof Promise ? late.then(({ statusFailure }) => statusFailure) : late.statusFailure;
};

/** What opens sessions, with its driver, which nothing else needs. @throws ConnectionError DRIVER_MISSING */
export async function sessionsLate() {
  try {
    const [{ webSocketSessions }, { Client }] = await Promise.all([load(), import("@neondatabase/serverless")]);
    return { webSocketSessions, Client };
  } catch (error) {
    return rejectNotLoaded(error);
  }
}

function rejectNotLoaded(error: unknown): never {
  throw new ConnectionError(
    "What holds a connection, @neondatabase/serverless among it, could not be loaded. Deploy every file that the bundler wrote, and the package where it is left outside.",
    { code: "DRIVER_MISSING", fate: "not-sent", cause: redactedCause(error) },
  );
}
