import { EventEmitter } from "node:events";
import type pg from "pg";
import { throwOn } from "../../wire/driver-parser.ts";
import { leftBusy, looksDead } from "../pool/client-state.ts";
import { type Asker, HeldLease } from "../pool/lease.ts";
import type { PgAnswer } from "../pool/pg-call.ts";
import { never, PgQueries, type PgTraits } from "../pool/pg-queries.ts";
import type { DelegatePool } from "../pool/shared-pool.ts";
import { keepToRequest } from "./keep-to-request.ts";
import type { RequestTransport } from "./request.ts";

/** In pg's words: a connection ends with its request, and by nothing else. */
const NO_LIMITS = { min: 0, idleTimeoutMillis: 0, maxLifetimeSeconds: 0, maxUses: Number.POSITIVE_INFINITY, allowExitOnIdle: false };

/** What a pool of requests' connections is made of. */
export interface RequestPoolOptions extends PgTraits {
  /** Most connections of one request. */
  readonly max: number;
}

/** The connections that requests have, as a pool: whoever asks is given those of the request it asks in. It holds none itself. */
export class RequestPool extends EventEmitter implements DelegatePool {
  readonly options: DelegatePool["options"];
  readonly expiredCount = 0;
  readonly #transport: RequestTransport;
  readonly #queries: PgQueries;

  constructor(transport: RequestTransport, { max, ...traits }: RequestPoolOptions) {
    super();
    const { password, ...login } = transport.config;
    // as pg hides it, and shows it to code that opens a connection of its own to cancel
    this.options = Object.defineProperty({ ...login, ...NO_LIMITS, max } as DelegatePool["options"], "password", { value: password });
    this.#transport = transport;
    this.#queries = new PgQueries(transport, traits);
    transport.watch = {
      opened: ({ client }) => {
        client.queries = this.#queries;
        keepToRequest(client);
        client.once("end", () => this.#tell("remove", client));
        this.#tell("connect", client);
      },
      taken: ({ client }) => this.#tell("acquire", client),
      givenBack: ({ client }) => this.#tell("release", undefined, client),
      lost: ({ client, failure }) => this.#tell("error", failure, client),
    };
  }

  get totalCount(): number {
    return this.#transport.stats().total ?? 0;
  }

  get idleCount(): number {
    return this.#transport.stats().idle ?? 0;
  }

  get waitingCount(): number {
    return this.#transport.stats().waiting ?? 0;
  }

  lease({ granted, held = false, cancellation = never }: Asker): void {
    this.#transport.borrow({ cancellation, held }).then(
      ({ client: lent, giveBack }) => {
        const client = lent.client as unknown as pg.PoolClient;
        const lease = new HeldLease({ client, toPool: () => {} }, (_, destroy) => {
          if (destroy || looksDead(client)) lent.session.destroy();
          else if (leftBusy(client)) lent.leaves = "work";
          giveBack();
        });
        granted(undefined, lease);
      },
      (error) => granted(error, undefined),
    );
  }

  answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    return this.#queries.answer(config, values);
  }

  noteUse(client: pg.PoolClient): void {
    this.#transport.noteUse(client);
  }

  endIdle(): Promise<void> {
    return this.#transport.release();
  }

  /** What a listener throws is as uncaught as it is from pg, and nobody hears of an error who does not listen. */
  #tell(event: string, ...told: readonly unknown[]): void {
    if (this.listenerCount(event) === 0) return;
    try {
      this.emit(event, ...told);
    } catch (thrown) {
      throwOn(thrown);
    }
  }
}
