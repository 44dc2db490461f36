import { placeOf, traceConnection } from "../../observe/trace-connections.ts";
import { NamedStatements } from "../../wire/named-statements.ts";
import type { Pace } from "../pace.ts";
import { requestCancel } from "../pool/cancel-request.ts";
import { clean } from "../pool/cleaning.ts";
import type { PoolTraits } from "../pool/pool-traits.ts";
import type { ServerLogin } from "../pool/server-login.ts";
import { openFirst } from "../pool/servers-in-order.ts";
import { WarmClient, type WarmClientConfig } from "../pool/warm-client.ts";
import { statementEnd } from "../statement-end.ts";
import type { Cancellation, Clock } from "../transport.ts";
import type { WireClient } from "../wire-client.ts";
import { WireSession } from "../wire-session.ts";

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
export interface ClientParts extends Pick<PoolTraits, "pooled" | "statementTimeoutMs"> {
  readonly config: WarmClientConfig;
  /** The servers that are tried in order, with what differs between them; undefined where `config` names the one. */
  readonly servers: readonly ServerLogin[] | undefined;
  readonly connectionId: string;
  /** Whether statements are kept by name, as far as is known. */
  readonly named: () => boolean;
  /** Runs a CancelRequest on a socket of its own; absent where the target knows none. */
  readonly cancel: ((request: () => Promise<void>) => Promise<void>) | undefined;
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
export function openClient(parts: ClientParts): RequestClient {
  const { config, servers, connectionId, clock, onOpen, onBreak } = parts;
  let failure: unknown;
  let isOpen = false;
  /** Whether no other server is tried any more. */
  let isGivenUp = false;
  let one!: Client;
  const connect = (login: WarmClientConfig): Promise<unknown> => {
    one = new Client(parts, login, (told) => {
      // else the next server is tried
      if (servers !== undefined && !isOpen) return;
      failure ??= told;
      onBreak();
    });
    return one.client.connect();
  };
  const begun = traceConnection("connect", placeOf(config, "request"), {
    work: () =>
      servers === undefined
        ? connect(config)
        : openFirst(servers, { connect: (server) => connect({ ...config, ...server }), isWanted: () => !isGivenUp }),
    idOf: () => connectionId,
  });
  const opened = begun.then(
    () => {
      isOpen = true;
      // given up meanwhile: a socket that did not exist yet could not be destroyed
      if (one.session.broken) one.session.destroy();
      else onOpen(one.client.openedInMs);
    },
    (failure: unknown) => {
      one.session.broken = true;
      throw failure;
    },
  );
  opened.catch(() => {});
  return {
    connectionId,
    get client() {
      return one.client;
    },
    get session() {
      return one.session;
    },
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
          isGivenUp = true;
          one.session.destroy();
          reject(cancellation.reason?.("not-sent"));
        });
        const settle = (end: () => void) => {
          stopListening();
          end();
        };
        if (early) {
          const { client } = one;
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
      if (await clean(one.client as unknown as Parameters<typeof clean>[0], { resets })) one.session.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        isGivenUp = true;
        const cutOff = () => {
          limit = clock.setTimeout(resolve, GOODBYE_LIMIT_MS);
          one.session.destroy();
        };
        let limit: unknown;
        if (one.session.broken) cutOff();
        else {
          limit = clock.setTimeout(cutOff, GOODBYE_LIMIT_MS);
          one.client.end().catch(() => {});
        }
        one.closed.then(() => {
          clock.clearTimeout(limit);
          resolve();
        });
      }),
  };
}

/** pg's client to one server, with its session. */
class Client {
  readonly client: WarmClient;
  readonly session: WireSession;
  readonly closed: Promise<void>;

  constructor(
    { connectionId, pooled, named, cancel, statementTimeoutMs, clock, onPace }: ClientParts,
    login: WarmClientConfig,
    broke: (told: unknown) => void,
  ) {
    const client = new WarmClient(login);
    // for good: pg reports the end of a socket as an error, also after it has ended it
    client.on("error", broke);
    const names = new NamedStatements();
    this.client = client;
    this.session = new WireSession(client as unknown as WireClient, {
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
    this.closed = new Promise((resolve) => {
      client.once("end", resolve);
    });
  }
}
