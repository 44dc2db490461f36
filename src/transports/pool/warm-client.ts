import pg from "pg";
import { DatabaseError } from "../../errors/database-error.ts";
import { ConnectionError } from "../../errors/errors.ts";
import { TOO_MANY_CONNECTIONS } from "../../errors/sqlstate.ts";
import { type LinkedConnection, linkTo } from "../../wire/link.ts";
import { connectTimeout } from "../failure.ts";
import { passwordTimeout } from "../password-failure.ts";
import { connectFailure } from "./connect-failure.ts";
import { watchLastWord } from "./last-word.ts";
import { type Answering, answerAs, NO_ANSWER, type PgAnswer } from "./pg-call.ts";
import { madeOf } from "./pg-failure.ts";
import { sendByPg } from "./pg-itself.ts";
import { watchName } from "./pooler-sign.ts";
import type { ServerLogin } from "./server-login.ts";
import { OTHER_SERVER, type SessionAttrs, watchStanding } from "./session-attributes.ts";

/** What pg-pool hands to a client it makes: the pool's own options. */
export interface WarmClientConfig extends pg.ClientConfig {
  /** What a server has to be; any, if it is left out. */
  readonly targetSessionAttrs?: SessionAttrs | undefined;
  /** Where this client connects to, if that is not in the other options. */
  readonly server?: ServerLogin | undefined;
  /** Bounds TCP, TLS and login together, milliseconds; 0 for no bound. */
  readonly connectTimeoutMillis?: number;
  /** Told what the password function gave, when the server refused it (28000, 28P01). */
  readonly onPasswordRefused?: (password: string) => void;
  /** Whether a statement may leave with the last message of a login by SCRAM. Only where TLS is verified: whoever is at the other end reads it. */
  readonly earlyStatement?: boolean;
}

/** How long a goodbye may take, milliseconds. */
const GOODBYE_LIMIT_MS = 1_000;

const nothing = (): void => {};

/** Sends what is asked on a client. */
interface ClientQueries {
  answerOn(client: WarmClient, config: unknown, values: unknown): Promise<PgAnswer> | undefined;
}

type ConnectCallback = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/** pg's client with a bound on connecting of its own, and errors of connecting that carry a code and the fate `not-sent`. */
export class WarmClient extends pg.Client implements Answering {
  /** How long opening it took, milliseconds. */
  openedInMs = 0;
  /** Called when the login has written its last message, and a statement may leave with that. Nobody knows yet whether the server lets it in. */
  onLastWord: (() => void) | undefined;
  /** Set by whoever uses it from then on. */
  isEarly = false;
  /** Sends what is no more than a text and values; set by the pool it belongs to. */
  queries: ClientQueries | undefined;
  readonly #config: WarmClientConfig;
  /** Whether the password function was asked, and has not answered. */
  #asking = false;

  constructor(given: WarmClientConfig) {
    // the pool's password is not enumerable
    const config = given.server ? { ...given, password: given.password as string, ...given.server } : given;
    super({ ...config, password: config.password as string, connectionTimeoutMillis: 0 });
    this.#config = config;
    const { password } = config;
    if (typeof password === "function") this.#watchPassword(password);
    linkTo(this.connection);
    watchName(this);
    if (config.earlyStatement) watchLastWord(this, () => this.onLastWord?.());
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<pg.Client> | undefined {
    if (callback === undefined) {
      return new Promise((resolve, reject) => {
        this.#open((error) => (error ? reject(error) : resolve(this)));
      });
    }
    const call = callback as (error: Error | null, client?: pg.Client) => void;
    this.#open((error) => (error ? call(error) : call(null, this)));
  }

  static {
    const inherited: pg.Client = Object.getPrototypeOf(WarmClient.prototype);
    WarmClient.prototype.query = function query(this: WarmClient, ...args: readonly unknown[]) {
      const isSubmittable = typeof (args[0] as { submit?: unknown } | undefined)?.submit === "function";
      const returned = isSubmittable ? NO_ANSWER : answerAs(this, args);
      // asked each time: tracers put their own in its place
      return returned === NO_ANSWER ? sendByPg(this, inherited.query as never, args) : returned;
    } as pg.Client["query"];
  }

  answer(config: unknown, values: unknown): Promise<PgAnswer> | undefined {
    return this.queries?.answerOn(this, config, values);
  }

  #watchPassword(ask: (...given: never[]) => unknown): void {
    const watched = async (...given: never[]) => {
      this.#asking = true;
      try {
        return await ask(...given);
      } finally {
        this.#asking = false;
      }
    };
    // pg puts what it gave in its place
    Object.assign(this, { password: watched });
  }

  #open(done: (error: Error | undefined) => void): void {
    const { connectTimeoutMillis = 0, password } = this.#config;
    const where = `${this.host}:${this.port}`;
    const { stream } = this.connection;
    const startedAt = performance.now();
    let settled = false;
    let timedOut: ConnectionError | undefined;
    /** What the server said to the question for TLS, and how often it has said something. */
    let answered: number | undefined;
    let heard = 0;
    const { targetSessionAttrs: wanted } = this.#config;
    const otherThan = wanted && wanted !== "any" ? watchStanding(this as never, wanted) : undefined;
    const timer =
      connectTimeoutMillis > 0
        ? setTimeout(() => {
            timedOut = this.#asking ? passwordTimeout(connectTimeoutMillis) : connectTimeout(where, connectTimeoutMillis);
            stream.destroy();
          }, connectTimeoutMillis)
        : undefined;
    if (this.ssl) {
      stream.on("data", (answer: Buffer) => {
        if (++heard === 1 && answer.length === 1) answered = answer[0];
      });
    }
    const settle = (error: Error | null) => {
      // pg calls again where a login goes on behind its failure
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      // not `stream`: TLS has taken its place
      if (error !== null) this.connection.stream.destroy();
      this.openedInMs = performance.now() - startedAt;
      // pg keeps what the function gave
      if (isPasswordRefusal(error) && typeof this.password === "string") this.#config.onPasswordRefused?.(this.password);
      if (error === null) return done(undefined);
      const failure =
        timedOut ??
        (answered === TLS_REFUSED
          ? tlsRefused(where)
          : answered === TLS_TAKEN && heard === 1 && "startTls" in stream
            ? handshakeFailed(where)
            : connectFailure(isFull(error) ? explainFull(error) : error, {
                where,
                secrets: typeof password === "string" ? [password] : [],
                passwordIsFunction: typeof password === "function",
              }));
      // an error of ours was thrown by the password function, and knows what it was made of
      if (failure !== error && timedOut === undefined) madeOf(failure, error);
      if (this.isEarly) this.#loseEarly(failure);
      done(failure);
    };
    try {
      super.connect((error: Error | null) => {
        if (error !== null || otherThan === undefined) settle(error);
        else this.#judge(otherThan, where).then(() => settle(null), settle);
      });
    } catch (thrown) {
      // by a stream of the caller's own
      clearTimeout(timer);
      throw thrown;
    }
  }

  /** @throws ConnectionError where the server is none that was asked for; it is told goodbye */
  async #judge(otherThan: () => Promise<string | undefined>, where: string): Promise<void> {
    // nobody else listens yet
    this.on("error", nothing);
    const other = await otherThan();
    if (other === undefined) return;
    await this.#sayGoodbye();
    throw new ConnectionError(`${where} is ${other}, and targetSessionAttrs asks for ${this.#config.targetSessionAttrs}.`, {
      code: OTHER_SERVER,
      fate: "not-sent",
      retryable: true,
    });
  }

  /** Resolves when the server has closed the connection, or a second later. */
  #sayGoodbye(): Promise<void> {
    return new Promise((resolve) => {
      const limit = setTimeout(resolve, GOODBYE_LIMIT_MS);
      this.end(() => {
        clearTimeout(limit);
        resolve();
      });
    });
  }

  /** A server that turns a login away has begun nothing behind it; whatever else ends one proves nothing. An ERROR would not have ended it. */
  #loseEarly(failure: Error): void {
    const turnedAway = failure instanceof DatabaseError && failure.severity !== "ERROR";
    (this.connection as unknown as LinkedConnection).link.lose(turnedAway ? failure : new Error("The login failed."));
  }
}

/** 53300 comes after login began, so waiting does not help: whoever holds the slots keeps them. */
function explainFull(error: Error): Error {
  const remedy =
    "Lower max, or put a pooler or RDS Proxy between. Frozen environments keep their slots: reserve less concurrency, set release to after-invocation, or idleSessionTimeoutMs.";
  return Object.assign(new Error(`${error.message}. ${remedy}`), { ...error });
}

function isFull(error: Error): boolean {
  return "code" in error && error.code === TOO_MANY_CONNECTIONS;
}

function isPasswordRefusal(error: Error | null): boolean {
  return error !== null && "code" in error && (error.code === "28P01" || error.code === "28000");
}

function tlsRefused(where: string): ConnectionError {
  return new ConnectionError(
    `${where} does not speak TLS. Switch it on at the server, or say sslmode=disable if the network between is yours.`,
    {
      code: "TLS_FAILED",
      fate: "not-sent",
    },
  );
}

/** In Workers a handshake fails without a code, and maybe because the way broke: it is tried again. */
function handshakeFailed(where: string): ConnectionError {
  return new ConnectionError(
    `The TLS handshake with ${where} failed. Sockets of Workers trust public authorities alone: give the server a certificate of one, or go by Hyperdrive, which takes yours.`,
    { code: "TLS_FAILED", fate: "not-sent", retryable: true },
  );
}

/** `S`, the server's answer to SSLRequest when it speaks TLS. */
const TLS_TAKEN = 0x53;

/** `N`, the server's answer to SSLRequest when it speaks no TLS. Source: PostgreSQL documentation, "SSL Session Encryption". */
const TLS_REFUSED = 0x4e;
