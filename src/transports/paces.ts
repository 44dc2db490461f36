import { standsAlone } from "../syntax/stands-alone.ts";
import type { Pace } from "./pace.ts";

/** An answer that took longer is slow, milliseconds; or longer than so many of the fastest there were. */
const SLOW_MS = 10;
const SLOW_ROUND_TRIPS = 4;

/** A login has at least so many: TCP, startup, and the end of its authentication. */
const LOGIN_ROUND_TRIPS = 3;

/** How slowly the known round trip follows a network that became slower, in answers. */
const DRIFT = 10_000;

/**
 * So often a text has to be fast in a row, after it was slow, before others wait behind it: twice as often each time it was slow again, up to the
 * most, and as at first when it was fast for long. A machine that stood still makes everything slow once.
 */
const FIRST_RUNS = 16;
const MOST_RUNS = 128;
const FORGIVEN_AFTER = 1_024;

/** Texts that are known, and characters of the longest: texts built anew for every call must not fill the memory. */
const MOST_TEXTS = 1_000;
const LONGEST_TEXT = 8_192;

/** The weight of one answer in what a text is known to cost. */
const COST_WEIGHT = 1 / 8;

/**
 * How fast the answers to a text come, learned from every one of them. Others may stand behind what was never slow in its last runs: age tells
 * nothing, for what is slow looks young when others are written behind it.
 */
export class Paces {
  readonly #trust = new Map<string, Trust>();
  /** The shortest there was, milliseconds. */
  #roundTrip = Number.POSITIVE_INFINITY;

  /** What a text costs the server that is known to be answered fast, milliseconds; undefined for one nobody may stand behind. */
  costOf(text: string): number | undefined {
    const trust = this.#trust.get(text);
    return trust !== undefined && trust.left <= 0 ? trust.costMs : undefined;
  }

  /** Whether a text is not known yet, and others may stand behind it once it was fast. */
  mayTurnOutFast(text: string): boolean {
    return !this.#trust.has(text) && standsAlone(text);
  }

  /** How long an answer may take that is fast, milliseconds. */
  get slowMs(): number {
    return Math.max(SLOW_MS, SLOW_ROUND_TRIPS * this.#roundTrip);
  }

  /** A connection was opened: that takes some round trips, and no statement. */
  noteConnect(durationMs: number): void {
    this.#roundTrip = Math.min(this.#roundTrip, durationMs / LOGIN_ROUND_TRIPS);
  }

  /** A text was answered, or given up. */
  note({ text, durationMs, isFirst }: Pace): void {
    if (isFirst && durationMs < Number.POSITIVE_INFINITY) {
      if (durationMs < this.#roundTrip) this.#roundTrip = durationMs;
      else this.#roundTrip += (durationMs - this.#roundTrip) / DRIFT;
    }
    const known = this.#trust.get(text);
    // what is known was read before
    const trust = known ?? this.#keep(text, standsAlone(text) ? { left: 0, runs: 0, costMs: 0 } : NEVER);
    if (trust === NEVER) return;
    if (durationMs > this.slowMs) {
      trust.runs = Math.min(MOST_RUNS, 2 * trust.runs || FIRST_RUNS);
      trust.left = trust.runs;
      return;
    }
    const costMs = isFirst ? Math.max(0, durationMs - this.#roundTrip) : durationMs;
    trust.costMs += (costMs - trust.costMs) * (known === undefined ? 1 : COST_WEIGHT);
    if (trust.left === -FORGIVEN_AFTER) trust.runs = 0;
    else trust.left--;
  }

  #keep(text: string, trust: Trust): Trust {
    if (text.length > LONGEST_TEXT) return trust;
    if (this.#trust.size >= MOST_TEXTS && !this.#trust.has(text)) this.#trust.clear();
    this.#trust.set(text, trust);
    return trust;
  }
}

/** Whether others may stand behind a text. */
interface Trust {
  /** How often it has to be fast before they may; from 0 on they may, and it counts how often it was since. */
  left: number;
  /** How often it had to be when it was slow last; 0 for never slow. */
  runs: number;
  /** How long the server is busy with it, milliseconds. */
  costMs: number;
}

/** Whatever it takes: it may change its connection. */
const NEVER: Trust = { left: Number.POSITIVE_INFINITY, runs: 0, costMs: 0 };
