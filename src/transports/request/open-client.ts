import { NamedStatements } from "../../wire/named-statements.ts";
import type { Pace } from "../pace.ts";
import { requestCancel } from "../pool/cancel-request.ts";
import { clean } from "../pool/cleaning.ts";
import { WarmClient, type WarmClientConfig } from "../pool/warm-client.ts";
import { statementEnd } from "../statement-end.ts";
import type { Cancellation, Clock } from "../transport.ts";
import { type WireClient, WireSession } from "../wire-session.ts";

/** A connection of one request, from its beginning to its end. */
export interface RequestClient {
  readonly connectionId: string;
  /** pg's own, for code that is written for it. */
  readonly client: WarmClient;
  readonly session: WireSession;
  /** What pg said when it broke. */
  readonly failure: unknown;
  /** What its holder may leave behind: `work` that is on its way, or `state` of its session as well; set by its holder. */
  leaves: "nothing" | "work" | "state";
  /** Whether its login is over, and was one. */
  readonly isOpen: boolean;
  /**
   * Resolves when it is logged in, or where the call is `early` and the login takes a statement along, when that can be sent; rejects with the
   * failure, or when the call ends first. Then the session is broken.
   */
  ready(call: { readonly cancellation: Cancellation; readonly early: boolean }): Promise<void>;
  /** Undoes what was left for nobody else to find; without success it is broken. */
  clean(): Promise<void>;
  /** Ends it; resolves when its socket is closed, or given up. */
  close(): Promise<void>;
}

/** What a connection is made of. */
export interface ClientParts {
  readonly config: WarmClientConfig;
  readonly connectionId: string;
  /** Whether a pooler stands between. */
  readonly pooled: boolean;
  /** Whether statements are kept by name, as far as is known. */
  readonly named: () => boolean;
  /** Runs a CancelRequest on a socket of its own; absent where the target knows none. */
  readonly cancel: ((request: () => Promise<void>) => Promise<void>) | undefined;
  /** Bounds each exchange where the server was not told to; null for no bound of its own. */
  readonly statementTimeoutMs: number | null;
  readonly clock: Clock;
  /** Told of how long a statement took that stood alone. */
  readonly onPace: (pace: Pace) => void;
  /** Called when it is logged in, with how long that took, milliseconds; never for one that was given up meanwhile. */
  readonly onOpen: (durationMs: number) => void;
  /** Called when it breaks after that, in use or not, and maybe again after it has ended. */
  readonly onBreak: () => void;
}

/** How long a goodbye may take before the socket is destroyed, and as long again before it is given up, milliseconds. */
const GOODBYE_LIMIT_MS = 1_000;

/** Begins to open a connection over the runtime's own sockets; pg finds them by itself. */
export function openClient({
  config,
  connectionId,
  pooled,
  named,
  cancel,
  statementTimeoutMs,
  clock,
  onPace,
  onOpen,
  onBreak,
}: ClientParts): RequestClient {
  const client = new WarmClient(config);
  let failure: unknown;
  // for good: pg reports the end of a socket as an error, also after it has ended it
  client.on("error", (told) => {
    failure ??= told;
    onBreak();
  });
  const names = new NamedStatements();
  const session = new WireSession(client as unknown as WireClient, {
    transport: "request",
    connectionId,
    pooled,
    get named() {
      return named() ? names : undefined;
    },
    onPace,
    end: statementEnd({
      requestCancel: cancel && (() => cancel(() => requestCancel(client as unknown as Parameters<typeof requestCancel>[0]))),
      statementTimeoutMs,
      clock,
    }),
  });
  const closed = new Promise<void>((resolve) => {
    client.once("end", resolve);
  });
  let isOpen = false;
  const opened = client.connect().then(
    () => {
      isOpen = true;
      // given up meanwhile: a socket that did not exist yet could not be destroyed
      if (session.broken) session.destroy();
      else onOpen(client.openedInMs);
    },
    (failure: unknown) => {
      session.broken = true;
      throw failure;
    },
  );
  opened.catch(() => {});
  return {
    connectionId,
    client,
    session,
    get failure() {
      return failure;
    },
    leaves: "nothing",
    get isOpen() {
      return isOpen;
    },
    ready: ({ cancellation, early }) =>
      new Promise<void>((resolve, reject) => {
        const stopListening = cancellation.onCancel(() => {
          session.destroy();
          reject(cancellation.reason?.("not-sent"));
        });
        const settle = (end: () => void) => {
          stopListening();
          end();
        };
        if (early) {
          client.onLastWord = () => {
            client.isEarly = true;
            settle(resolve);
          };
        }
        opened.then(
          () => settle(resolve),
          (failure) => settle(() => reject(failure)),
        );
      }),
    async clean() {
      const resets = this.leaves === "state";
      this.leaves = "nothing";
      if (await clean(client as unknown as Parameters<typeof clean>[0], { resets })) session.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        const destroy = () => {
          limit = clock.setTimeout(resolve, GOODBYE_LIMIT_MS);
          session.destroy();
        };
        let limit: unknown;
        if (session.broken) destroy();
        else {
          limit = clock.setTimeout(destroy, GOODBYE_LIMIT_MS);
          client.end().catch(() => {});
        }
        closed.then(() => {
          clock.clearTimeout(limit);
          resolve();
        });
      }),
  };
}
