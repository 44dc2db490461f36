import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { ProjectFacts, Seen, SourceFacts } from "../evidence.ts";
import { conclude, emptyFacts, type FoundFacts, takeFacts } from "./found-facts.ts";
import { listFiles } from "./list-files.ts";
import { isNestedTooDeeply } from "./nesting.ts";
import { lookAtProject, type ProjectLook } from "./project-facts.ts";
import type { Readers } from "./read-configuration.ts";
import { type Parser, parseSource, type SourceFile } from "./source-file.ts";
import { isWorthParsing } from "./worth-parsing.ts";

/** How many files there were, and what became of them. */
export interface ScanCount {
  /** Sources that were read. Those without a word that any rule looks for are read, and not parsed. */
  readonly seen: number;
  /** Sources that were not: the time was over, they are too large, or do not parse. */
  readonly notSeen: number;
  /** Tests, which are left out: they do on purpose what a program must not. */
  readonly tests: number;
  readonly tookMs: number;
  /** What of the folder is not in these numbers, in words. */
  readonly missing?: string;
}

/** What the scan of a folder came to. */
export interface Scan {
  readonly count: ScanCount;
  readonly project: Seen<ProjectFacts>;
  readonly sources: Seen<SourceFacts>;
}

/** How to scan. */
export interface ScanOptions {
  readonly folder: string;
  /** A bound of its own: a large repository must not hold up what is asked of the server. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What reads them. */
  readonly load: () => Promise<Readers>;
}

const isSource = (path: string) => /\.[cm]?[jt]sx?$/.test(path) && !/\.d\.[cm]?ts$|\.min\.js$/.test(path);
const isTest = (path: string) => /(^|\/)(tests?|__tests__|__mocks__|e2e|cypress)\/|\.(test|spec|stories)\.[cm]?[jt]sx?$/.test(path);
/** What is longer was made by a tool. */
const LARGEST_BYTES = 1_048_576;

/** Reads the sources below a folder. Never rejects: what was not read is counted. */
export async function scan({ folder, timeoutMs, signal, load }: ScanOptions): Promise<Scan> {
  const begun = performance.now();
  const endsAt = begun + timeoutMs;
  const { files, missing } = await listFiles(folder, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
  const tests = files.filter((path) => isSource(path) && isTest(path)).length;
  const sources = files.filter((path) => isSource(path) && !isTest(path));
  const readers = await load();
  const own = files.filter((path) => !isTest(path));
  const project = lookAtProject(folder, own, readers);
  const facts = emptyFacts();
  const over = () => performance.now() > endsAt || signal.aborted;
  const { seen, gone } = "value" in readers.parser ? await readAll(sources, { folder, parser: readers.parser.value, facts, over }) : none;
  const notSeen = sources.length - seen - gone;
  const gap =
    "unseen" in readers.parser
      ? readers.parser.unseen
      : `${notSeen} of ${sources.length - gone} files: no time was left, too large, or not parsed`;
  const gaps = [...(notSeen > 0 ? [gap] : []), ...(missing === undefined ? [] : [missing])];
  const partly = partlySeen(gaps);
  return {
    count: { seen, notSeen, tests, tookMs: performance.now() - begun, ...partly },
    project: { value: projectFacts(project, facts, gaps.length === 0), ...partlySeen([...project.missing, ...gaps]) },
    sources:
      "unseen" in readers.parser && notSeen > 0 ? { unseen: gaps.join("; ") } : { value: conclude(facts, gaps.length === 0), ...partly },
  };
}

function partlySeen(gaps: readonly string[]): { readonly missing?: string } {
  return gaps.length === 0 ? {} : { missing: gaps.join("; ") };
}

/** What configurations say, and sources add. How long Lambda gives is of no matter where calls end with their invocation, and nobody knows that of a part. */
function projectFacts({ facts }: ProjectLook, found: FoundFacts, whole: boolean): ProjectFacts {
  const configured = facts.functionTimeouts.filter(({ platform }) => platform !== "lambda" || (whole && !found.wrapsLambda));
  return { ...facts, functionTimeouts: [...configured, ...found.timeouts] };
}

interface Reading {
  readonly folder: string;
  readonly parser: Parser;
  /** Where what they show is added. */
  readonly facts: FoundFacts;
  /** Whether the time is over. */
  readonly over: () => boolean;
}

/** How many files were read, and how many were not there. */
interface Counted {
  readonly seen: number;
  readonly gone: number;
}

const none: Counted = { seen: 0, gone: 0 };

async function readAll(sources: readonly string[], { folder, parser, facts, over }: Reading): Promise<Counted> {
  let seen = 0;
  let gone = 0;
  for (const [at, path] of sources.entries()) {
    if (over()) break;
    const file = readSource(folder, path, parser);
    if (file === "gone") gone += 1;
    else if (file !== "unread" && (typeof file === "string" || takeAll(file, facts))) seen += 1;
    // so that the time is heard to be over, and the process can be told to end
    if (at % 100 === 99) await turn();
  }
  return { seen, gone };
}

type Read = SourceFile | "nothing in it" | "unread" | "gone";

function readSource(folder: string, path: string, parser: Parser): Read {
  try {
    const whole = join(folder, path);
    const found = statSync(whole, { throwIfNoEntry: false });
    // what git knows and is not there: deleted, or outside of a sparse checkout
    if (found === undefined) return lstatSync(whole, { throwIfNoEntry: false }) === undefined ? "gone" : "unread";
    // a pipe would never end
    if (!found.isFile() || found.size > LARGEST_BYTES) return found.isDirectory() ? "gone" : "unread";
    const text = readFileSync(whole, "utf8");
    if (!isWorthParsing(text)) return "nothing in it";
    return isNestedTooDeeply(text) ? "unread" : (parseSource(path, text, parser) ?? "unread");
  } catch {
    return "unread";
  }
}

/** Whether a file was judged: one on which the rules run out of stack was not. */
function takeAll(file: SourceFile, facts: FoundFacts): boolean {
  try {
    takeFacts(file, facts);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
