import type { DatabaseOptions } from "../../src/entry/node.ts";
import type { Network } from "../lambda/network.ts";
import type { PostgresServer } from "../support/postgres/server.ts";
import type { Wire } from "../support/wire.ts";
import type { Admin } from "./admin.ts";
import type { ErrandInput, ErrandName } from "./errands.ts";
import type { Outcome } from "./outcome.ts";

/** The ways to the database a fault is tried on; `websocket` is a session over the transport `http`. */
export const ways = ["pool", "http", "websocket", "request", "lambda"] as const;

/** One of {@link ways}. */
export type Way = (typeof ways)[number];

/** Whether a way's statements go to an endpoint, which speaks to Postgres. */
export function isOverHttp(way: Way): boolean {
  return way === "http" || way === "websocket";
}

/** One row of the suite: what befalls a client, and on which ways. */
export interface Fault<M extends Middle = Middle> {
  readonly group: "connection" | "http" | "time" | "auth" | "caller" | "truth" | "walls" | "streams" | "overload" | "dsql";
  /** In lower case, without the group: `backend killed idle`. */
  readonly name: string;
  readonly ways: readonly Way[];
  /** Rounds by default. */
  readonly rounds: number;
  /** Rounds of the bare driver by default, where it waits for a limit each time. Default: as many. */
  readonly bareRounds?: number;
  /** Whether it needs a program that is not there; then the row is skipped, and said to be. */
  readonly missing?: () => string | undefined;
  /** Whether it strikes the server as a whole, so that nothing else may run beside it. Otherwise its ways are tried side by side. */
  readonly alone?: boolean;
  /** Settings of warmline beside the address. `deadlineMs` bounds each call. Default: `max` 2 and a deadline of 2,000 ms. */
  readonly options?: DatabaseOptions & { readonly deadlineMs?: number };
  /** Who logs in. Default: the server's superuser. */
  readonly login?: { readonly user: string; readonly password: string };
  /** Whether a pooler keeps connections for whoever asks next: only those still at work are left over then. Over `http` the endpoint does. */
  readonly pooled?: boolean;
  /** Finds this machine as `localhost`, which has to be resolved, instead of by its address. */
  readonly byName?: boolean;
  /** What a Postgres of its own is started with; servers asked for in the same words are one. Default: the suite's own, in plain text. */
  readonly server?: { readonly settings?: Readonly<Record<string, string>>; readonly tls?: boolean };
  /** Puts something of its own behind the network, before what is usually there: a pooler, a server that answers as it is told. */
  middle?(next: Address, server: PostgresServer, way: Way): Promise<M>;
  /** One round: brings the contender into the state, strikes, and says whether the proxy's or the server's own log shows it. */
  round(ground: Ground<M>): Promise<Round>;
}

/** Where something listens. A getter may move it. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What a fault puts in the way. */
export interface Middle extends Address, AsyncDisposable {
  /** Whether an endpoint is spoken to over https here. Default: http. */
  readonly https?: boolean;
}

/** What became of a round. */
export interface Round {
  /** Whether the fault was felt. A round in which it was not is done again. */
  readonly struck: boolean;
  /** What was measured, in numbers; the report has those of the last round. */
  readonly figures?: Readonly<Record<string, number>> | undefined;
  /** What the contender did against its promises, in words, where no count of the table shows it. Counted for warmline alone. */
  readonly wrong?: string | undefined;
}

/** What a call is told besides its input. */
export interface SendOptions {
  /** How long the answer may take, milliseconds, before the call counts as hung. Default: the deadline and a slack. */
  readonly limitMs?: number;
}

/** What a round is run on: one contender on one way, and everything between it and the table. */
export interface Ground<M extends Middle = Middle> {
  readonly way: Way;
  readonly contender: string;
  readonly deadlineMs: number;
  /** Whether fewer rounds than usual were asked for: then what takes long is cut short. */
  readonly quick: boolean;
  /** What Postgres knows the contender by. */
  readonly applicationName: string;
  readonly server: PostgresServer;
  readonly admin: Admin;
  /** Right in front of the client; bytes. */
  readonly front: Network;
  /** Right in front of Postgres; its messages. Not between where a row's server speaks TLS. */
  readonly back: Wire;
  readonly middle: M;
  /** An id no other write has. Whatever carries one is judged by the table at the end. */
  id(): string;
  /** Runs an errand in the contender's process. Never rejects. */
  send<N extends ErrandName>(errand: N, input: ErrandInput<N>, options?: SendOptions): Promise<Outcome>;
  /** A write by itself; behind the lock, where one is given. */
  write(lock?: number): Promise<Outcome>;
  /** Two writes in one transaction, and the lock between them: a batch over `http`. */
  transaction(lock?: number): Promise<Outcome>;
  /** Writes until one write succeeds: what the fault finds is then a connection that has worked. */
  ready(): Promise<void>;
  /** Ends the contender's process, which counts as no death; the next call starts another. */
  restart(): Promise<void>;
  /** On lambda time goes by in the frozen environment, by default a minute; elsewhere nothing happens. */
  pause(wallClockMs?: number): Promise<void>;
  /**
   * To be called when the cause is gone; by itself it is when the round is over. Heals the network, and measures how long it takes to the first success.
   */
  recover(): Promise<void>;
}
