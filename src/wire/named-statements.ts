import type { Field } from "../transports/transport.ts";
import { Columns, type ReadOptions } from "./columns.ts";

/** Names that the server keeps for one connection. It keeps their plans, too, some ten kilobytes each. */
const MOST_NAMED = 100;

/** Texts that came once. */
const MOST_SEEN = 256;

/** Longer texts are seldom the same, characters. */
const LONGEST_TEXT = 8_192;

/** A name is given up after so long, milliseconds: a statement means what it meant when it was parsed, whatever has changed since. */
const LONGEST_LIFE_MS = 60_000;

/** Literals that are read once, when a statement is parsed. Source: PostgreSQL documentation, "Date/Time Special Values". */
const READ_ONCE = /'\s*(now|today|tomorrow|yesterday)\b/i;

/** How often a text comes unnamed after its name was refused: a table that changed may change again. */
const UNNAMED_AFTER_REFUSAL = 64;

/** A statement that the server keeps under a name. */
export class NamedStatement {
  readonly name: string;
  /** When it was used last, in uses of names. */
  usedAt = 0;
  /** When it was named, by the monotonic clock, milliseconds. */
  readonly since: number = performance.now();
  /** The columns of its rows; null where it gives none, undefined while the server has not said. Set by `describe`. */
  fields: readonly Field[] | null | undefined;
  readonly #known: NamedForm = { statement: this, prepares: false, closes: [] };
  #columns: Columns | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** The server has said what its rows are. Every result shows the same columns. */
  describe(fields: readonly Field[] | null): void {
    this.fields = fields;
    this.#columns = undefined;
  }

  /** How it is sent now. */
  get form(): NamedForm {
    return this.fields === undefined ? { statement: this, prepares: true, closes: [this.name] } : this.#known;
  }

  /** How its rows are read; made anew where the last reader wanted something else. */
  columns(options: ReadOptions): Columns {
    const last = this.#columns?.options;
    if (this.#columns === undefined || last?.rowMode !== options.rowMode || last.parsers !== options.parsers) {
      this.#columns = new Columns(this.fields ?? [], { rowMode: options.rowMode, parsers: options.parsers }, this.#columns);
    }
    return this.#columns;
  }
}

/** How a statement is sent by its name. */
export interface NamedForm {
  readonly statement: NamedStatement;
  /** Whether the server is told what the name stands for, and asked for its columns. */
  readonly prepares: boolean;
  /** Names that are closed first: its own, should the server know it, and the one that makes room for it. */
  readonly closes: readonly string[];
}

/**
 * The statements one connection keeps by name: a text gets one when it comes a second time, and the one that was used least recently makes
 * room. A name is a hash of its text, for a pooler may mix the statements of its clients.
 */
export class NamedStatements {
  readonly #named = new Map<string, NamedStatement>();
  /** By text, how often it may come before it is named. */
  readonly #seen = new Map<string, number>();
  #uses = 0;

  /** How `text` is to be sent; undefined where it has no name, and gets none. */
  use(text: string): NamedForm | undefined {
    let statement = this.#named.get(text);
    const isOld = statement !== undefined && performance.now() - statement.since > LONGEST_LIFE_MS;
    if (statement === undefined || isOld) {
      if (!isOld && (text.length > LONGEST_TEXT || this.#isNew(text) || READ_ONCE.test(text))) return undefined;
      this.#named.delete(text);
      statement = new NamedStatement(nameOf(text));
      const closes = [statement.name, ...this.#makeRoom()];
      this.#named.set(text, statement);
      statement.usedAt = ++this.#uses;
      return { statement, prepares: true, closes };
    }
    statement.usedAt = ++this.#uses;
    return statement.form;
  }

  /** The server did not take the name: it may be gone, or what it stands for has changed. */
  forget(text: string): void {
    this.#named.delete(text);
    this.#see(text, UNNAMED_AFTER_REFUSAL);
  }

  #isNew(text: string): boolean {
    const left = this.#seen.get(text);
    if (left === 0) return !this.#seen.delete(text);
    this.#see(text, left === undefined ? 0 : left - 1);
    return true;
  }

  #see(text: string, left: number): void {
    if (this.#seen.size >= MOST_SEEN) this.#seen.clear();
    this.#seen.set(text, left);
  }

  #makeRoom(): readonly string[] {
    if (this.#named.size < MOST_NAMED) return [];
    let [oldest] = this.#named;
    for (const entry of this.#named) if (oldest === undefined || entry[1].usedAt < oldest[1].usedAt) oldest = entry;
    if (oldest === undefined) return [];
    this.#named.delete(oldest[0]);
    return [oldest[1].name];
  }
}

/** Primes by which four hashes of 32 bits each go different ways. */
const PRIMES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;

/** A hash of 128 bits. Nothing rests on its being hard to meet: who can choose texts can run them. */
function nameOf(text: string): string {
  const hashes = PRIMES.map((prime, lane) => {
    let hash = Math.imul(text.length ^ (lane + 1), prime);
    for (let at = 0; at < text.length; at++) {
      hash = Math.imul(hash ^ text.charCodeAt(at), prime);
      hash ^= hash >>> (13 + lane);
    }
    return hash >>> 0;
  });
  return `warmline_${hashes.map((hash) => hash.toString(36)).join("_")}`;
}
