import { createRandom } from "../../test/support/random.ts";
import { createAgenda } from "./agenda.ts";

/** A fleet, as the model sees it. */
export interface Fleet {
  readonly environments: number;
  /** Connections to the server that all share, first come first served; null where each environment opens what it needs and keeps it. */
  readonly shared: number | null;
  /** Connections the server has. */
  readonly slots: number;
  readonly statements: number;
  /** Whether an invocation's statements run side by side, each on a connection of its own. */
  readonly sideBySide: boolean;
  /** How long a statement holds a connection, milliseconds: each of these is as likely as the others. */
  readonly statementMs: readonly number[];
  /** Mean time of an environment between two invocations' statements, milliseconds. */
  readonly thinkMs: number;
  /** How long an invocation takes that is refused a connection, milliseconds. */
  readonly refusalMs: number;
}

/** How long is simulated, and with which random numbers. */
export interface Simulation {
  readonly seconds: number;
  /** What happens before is not counted: connections are opened, and queues come to their length. */
  readonly warmUpSeconds: number;
  readonly seed: number;
}

/** What a fleet sees. */
export interface Outcome {
  /** Invocations that ended. */
  readonly calls: number;
  /** The share of them that got what they asked for, from 0 to 1. */
  readonly success: number;
  /** Of those that did, the time for all of their statements, milliseconds. NaN where none did. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly meanMs: number;
  /** Most connections to the server at once. */
  readonly connections: number;
}

const usual: Simulation = { seconds: 60, warmUpSeconds: 10, seed: 1 };

/**
 * A discrete-event simulation of a closed system: so many environments that work, ask, and work again, before a server with so many connections. It
 * knows queues and slots and nothing else: a statement takes as long however many run, so it is right as long as the server has processors to spare.
 */
export function simulate(fleet: Fleet, { seconds, warmUpSeconds, seed }: Simulation = usual): Outcome {
  const random = createRandom(seed);
  const agenda = createAgenda();
  const think = () => -fleet.thinkMs * Math.log(1 - random.fraction());
  const statement = () => fleet.statementMs[Math.floor(random.fraction() * fleet.statementMs.length)] ?? Number.NaN;
  const outcomes = createOutcomes(warmUpSeconds * 1_000);
  const invoke = fleet.shared === null ? keepOwn(fleet, { at: agenda.at, statement }) : share(fleet, { at: agenda.at, statement });
  for (let environment = 0; environment < fleet.environments; environment++) {
    const begin = (nowMs: number) => {
      invoke.begin(environment, nowMs, (endMs, succeeded) => {
        outcomes.add(endMs, { latencyMs: endMs - nowMs, succeeded });
        agenda.at(endMs + think(), begin);
      });
    };
    agenda.at(think(), begin);
  }
  agenda.runUntil((warmUpSeconds + seconds) * 1_000);
  return { ...outcomes.sum(), connections: invoke.mostConnections() };
}

type Ended = (endMs: number, succeeded: boolean) => void;

interface World {
  at(ms: number, happen: (nowMs: number) => void): void;
  /** How long the next statement takes. */
  statement(): number;
}

interface Invoker {
  begin(environment: number, nowMs: number, ended: Ended): void;
  mostConnections(): number;
}

/** Each environment opens what it lacks when it asks, as long as there are slots, and never gives it back. */
function keepOwn({ environments, slots, statements, sideBySide, refusalMs }: Fleet, { at, statement }: World): Invoker {
  const held = new Array<number>(environments).fill(0);
  const needed = sideBySide ? statements : 1;
  const invocation = () => {
    const each = Array.from({ length: statements }, statement);
    return sideBySide ? Math.max(...each) : each.reduce((sum, one) => sum + one, 0);
  };
  let free = slots;
  return {
    begin(environment, nowMs, ended) {
      const opened = Math.min(needed - (held[environment] ?? 0), free);
      held[environment] = (held[environment] ?? 0) + opened;
      free -= opened;
      const succeeded = held[environment] === needed;
      at(nowMs + (succeeded ? invocation() : refusalMs), (endMs) => ended(endMs, succeeded));
    },
    mostConnections: () => slots - free,
  };
}

/** Statements wait for one of the shared connections in one line, and hold it as long as they run. */
function share({ shared, slots, statements, sideBySide }: Fleet, { at, statement }: World): Invoker {
  const links = Math.min(shared ?? slots, slots);
  const line: ((nowMs: number) => void)[] = [];
  let busy = 0;
  let most = 0;
  const run = (nowMs: number, done: (nowMs: number) => void) => {
    if (busy === links) {
      line.push((later) => run(later, done));
      return;
    }
    most = Math.max(most, ++busy);
    at(nowMs + statement(), (endMs) => {
      busy--;
      line.shift()?.(endMs);
      done(endMs);
    });
  };
  return {
    begin(_, nowMs, ended) {
      let left = statements;
      const done = (endMs: number) => {
        if (--left === 0) ended(endMs, true);
        else if (!sideBySide) run(endMs, done);
      };
      for (let begun = 0; begun < (sideBySide ? statements : 1); begun++) run(nowMs, done);
    },
    mostConnections: () => most,
  };
}

function createOutcomes(fromMs: number) {
  const latencies: number[] = [];
  let calls = 0;
  return {
    add(endMs: number, { latencyMs, succeeded }: { readonly latencyMs: number; readonly succeeded: boolean }) {
      if (endMs < fromMs) return;
      calls++;
      if (succeeded) latencies.push(latencyMs);
    },
    sum: () => summarize(calls, latencies),
  };
}

/** What was seen of so many calls, of which those succeeded that have a latency. */
export function summarize(calls: number, latencies: readonly number[]): Omit<Outcome, "connections"> {
  const sorted = latencies.toSorted((one, another) => one - another);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return {
    calls,
    success: calls === 0 ? Number.NaN : sorted.length / calls,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    meanMs: sorted.reduce((sum, one) => sum + one, 0) / sorted.length,
  };
}
