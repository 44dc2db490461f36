import { standsAlone } from "../../syntax/stands-alone.ts";
import type { Pace } from "../pace.ts";

/** An answer that took longer is slow, milliseconds; or longer than so many of the fastest there were. */
const SLOW_MS = 10;
const SLOW_ROUND_TRIPS = 4;

/** A login has at least so many: TCP, startup, and the end of its authentication. */
const LOGIN_ROUND_TRIPS = 3;

/** How slowly the known round trip follows a network that became slower, in answers. */
const DRIFT = 10_000;

/** So often a text has to be fast in a row, after it was slow, before others wait behind it. */
const TRUSTED_AFTER = 128;

/** Texts that are known, and characters of the longest: texts built anew for every call must not fill the memory. */
const MOST_TEXTS = 1_000;
const LONGEST_TEXT = 8_192;

/**
 * How fast the answers to a text come, learned from every one of them. Others may stand behind what was never slow in its last runs: age tells
 * nothing, for what is slow looks young when others are written behind it.
 */
export class Paces {
  /** By text, how often it was fast since it was slow; Infinity for never slow, NaN where nothing may stand behind it whatever it takes. */
  readonly #fast = new Map<string, number>();
  /** The shortest there was, milliseconds. */
  #roundTrip = Number.POSITIVE_INFINITY;

  /** Whether a text is known to be answered fast. */
  isFast(text: string): boolean {
    return (this.#fast.get(text) ?? 0) >= TRUSTED_AFTER;
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
    const before = this.#fast.get(text);
    if (Number.isNaN(before)) return;
    const isSlow = durationMs > Math.max(SLOW_MS, SLOW_ROUND_TRIPS * this.#roundTrip);
    // what is known was read before
    if (before === undefined && !standsAlone(text)) this.#keep(text, Number.NaN);
    else if (isSlow) this.#keep(text, 0);
    else if (before === undefined) this.#keep(text, Number.POSITIVE_INFINITY);
    else if (before < TRUSTED_AFTER) this.#fast.set(text, before + 1);
  }

  #keep(text: string, fast: number): void {
    if (text.length > LONGEST_TEXT) return;
    if (this.#fast.size >= MOST_TEXTS && !this.#fast.has(text)) this.#fast.clear();
    this.#fast.set(text, fast);
  }
}
