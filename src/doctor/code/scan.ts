import { lstatSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import type { CodePlace, ProjectFacts, Seen, SourceFacts } from "../evidence.ts";
import { madeBy } from "./client-rules.ts";
import { argumentsOf } from "./code-rule.ts";
import { fileRules } from "./code-rules.ts";
import { type FileLinks, linksOf, projectOf } from "./links.ts";
import { listFiles } from "./list-files.ts";
import { isNestedTooDeeply } from "./nesting.ts";
import { exportedNumber } from "./places.ts";
import { lookAtProject, type Readers } from "./project-facts.ts";
import { projectRules } from "./project-rules.ts";
import { keyOf, type Parser, parseSource, type SourceFile } from "./source-file.ts";
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
  /** Loaded when there is something to read. */
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
  const project = lookAtProject(
    folder,
    files.filter((path) => !isTest(path)),
    readers,
  );
  const facts = emptyFacts();
  let seen = 0;
  let gone = 0;
  let turns = 0;
  if (readers.parser !== undefined) {
    for (const path of sources) {
      if (performance.now() > endsAt || signal.aborted) break;
      const file = readSource(folder, path, readers.parser);
      if (file === "gone") gone += 1;
      else if (file !== "unread" && (typeof file === "string" || takeAll(file, facts))) seen += 1;
      // so that the time is heard to be over, and the process can be told to end
      turns += 1;
      if (turns % 100 === 0) await turn();
    }
  }
  const notSeen = sources.length - seen - gone;
  const tookMs = performance.now() - begun;
  const gaps = [
    ...(readers.parser === undefined ? ["oxc-parser is not installed: npm install --save-dev oxc-parser"] : []),
    ...(readers.parser !== undefined && notSeen > 0
      ? [`${notSeen} of ${sources.length - gone} files: no time was left, too large, or not parsed`]
      : []),
    ...(missing === undefined ? [] : [missing]),
  ];
  const count = { seen, notSeen, tests, tookMs, ...(gaps.length === 0 ? {} : { missing: gaps.join("; ") }) };
  const partly = gaps.length === 0 ? {} : { missing: gaps.join("; ") };
  const gapsOfProject = [...project.missing, ...gaps];
  return {
    count,
    project: {
      value: { ...project.facts, functionTimeouts: [...project.facts.functionTimeouts, ...facts.timeouts] },
      ...(gapsOfProject.length === 0 ? {} : { missing: gapsOfProject.join("; ") }),
    },
    sources: readers.parser === undefined ? { unseen: gaps.join("; ") } : { value: conclude(facts, gaps.length === 0), ...partly },
  };
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

/** What is kept of the files that were parsed. */
interface FoundFacts {
  readonly places: CodePlace[];
  readonly bareDrivers: string[];
  readonly timeouts: { readonly seconds: number; readonly at: string }[];
  readonly links: FileLinks[];
  namesDirectUrl: boolean;
}

function emptyFacts(): FoundFacts {
  return { places: [], bareDrivers: [], timeouts: [], links: [], namesDirectUrl: false };
}

function takeFacts(file: SourceFile, facts: FoundFacts): void {
  for (const { name, find } of fileRules) {
    for (const { node, found } of find(file)) facts.places.push({ rule: name, at: file.at(node), found });
  }
  facts.bareDrivers.push(...bareDriver(file));
  facts.links.push(linksOf(file));
  facts.namesDirectUrl ||= namesDirectUrl(file);
  // what Next.js on Vercel reads
  const timeout = exportedNumber(file, "maxDuration");
  if (timeout !== undefined) facts.timeouts.push({ seconds: timeout.value, at: file.at(timeout.node) });
}

function conclude({ places, bareDrivers, links, namesDirectUrl }: FoundFacts, whole: boolean): SourceFacts {
  const project = projectOf(links);
  const across = links.flatMap((file) =>
    projectRules.flatMap(({ name, conclude }) => conclude(file, project).map((place) => ({ rule: name, ...place }))),
  );
  return { places: [...places, ...across], bareDrivers, namesDirectUrl: namesDirectUrl || (whole ? false : null) };
}

function namesDirectUrl(file: SourceFile): boolean {
  return (
    file.all("Property").some((node) => keyOf(node) === "directUrl") ||
    file
      .all("MemberExpression")
      .some(({ property }) => /^DIRECT_(\w+_)?URL$|_(UNPOOLED|NON_POOLING)$/.test(String((property as { name?: unknown }).name)))
  );
}

/** Where pg itself is given a URL, which it then reads for `sslmode`. */
function bareDriver(file: SourceFile): readonly string[] {
  return file.all("NewExpression").flatMap((node) => {
    const [options] = argumentsOf(node);
    if (madeBy(file, node) === undefined || file.origin(node.callee)?.module !== "pg" || options?.type !== "ObjectExpression") return [];
    const takesUrl = (options.properties as readonly (typeof node)[]).some((property) => keyOf(property) === "connectionString");
    return takesUrl ? [file.at(node)] : [];
  });
}
