import { createRequire } from "node:module";
import { join } from "node:path";

/** What a tracer made of something pg did. */
export interface Span {
  /** Whether it stands for a statement, and not for connecting or waiting. */
  readonly statement: boolean;
  /** Of the statement, where the tracer keeps it. */
  readonly text: string | undefined;
  /** The request it belongs to, or undefined for none. */
  readonly request: string | undefined;
  readonly ended: boolean;
  /** Undefined where the tracer tells no failures. */
  readonly failed: boolean | undefined;
  /** All that is kept of it. */
  readonly kept: string;
}

/** A tracer at work in this process. It was loaded before pg. */
export interface Tracer {
  /** Runs `work` as one request, with a trace of its own. */
  request<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Every span of pg's since the start, open or ended. */
  spans(): readonly Span[];
  /** Whether spans have the statements' texts. */
  readonly keepsText: boolean;
  stop(): Promise<void>;
}

/** What a request sends: each statement gets a span. */
export interface Sent {
  /** In any order. */
  readonly texts: readonly string[];
  /** Those of them that fail. */
  readonly failing: readonly string[];
}

/** What each request sends, by its name. */
export type Expected = ReadonlyMap<string, Sent>;

/** A value no tracer may keep. */
export const SECRET = "hunter2-hunter2";

/** The modules of `test/tracers/tools`. Nothing of them is typed here but what is used. */
export const fromTools = createRequire(join(process.env.TRACERS ?? "", "of-the-check.cjs")) as <T>(name: string) => T;

/** All of an object that JSON can hold, for looking into it. */
export function shown(...parts: readonly unknown[]): string {
  const seen = new Set();
  return JSON.stringify(parts, (_key, value) => {
    if (typeof value === "bigint") return String(value);
    if (typeof value !== "object" || value === null) return value;
    if (seen.has(value)) return undefined;
    seen.add(value);
    return value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
  });
}
