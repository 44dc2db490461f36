// Stands in for vitest where it does not run: the few functions the conformance suite is written in, over vitest's own expectations.
import { chai, JestAsymmetricMatchers, JestChaiExpect, JestExtend } from "@vitest/expect";

type Work = () => unknown;

interface Group {
  readonly title: string;
  readonly outer: Group | undefined;
  readonly beforeAll: Work[];
  readonly afterEach: Work[];
  readonly afterAll: Work[];
  readonly tests: { readonly title: string; readonly work: Work }[];
  readonly groups: Group[];
}

/** A case that failed, by all its titles. */
export interface Failure {
  readonly title: string;
  readonly message: string;
}

/** What became of the cases. */
export interface Verdict {
  readonly cases: number;
  readonly failures: readonly Failure[];
}

/** As long as vitest gives a case here, milliseconds. */
const CASE_LIMIT_MS = 120_000;

const open = (title: string, outer?: Group): Group => ({ title, outer, beforeAll: [], afterEach: [], afterAll: [], tests: [], groups: [] });
let current = open("");

for (const plugin of [JestExtend, JestChaiExpect, JestAsymmetricMatchers]) chai.use(plugin);

/** vitest's own, over the same chai. */
export const expect = chai.expect;

/** Gathers the cases of a subject. */
export function describe(title: string, gather: () => void): void {
  const group = open(title, current);
  current.groups.push(group);
  current = group;
  gather();
  current = group.outer as Group;
}

/** Adds a case. */
export function test(title: string, work: Work): void {
  current.tests.push({ title, work });
}

export const beforeAll = (work: Work): void => void current.beforeAll.push(work);
export const afterEach = (work: Work): void => void current.afterEach.push(work);
export const afterAll = (work: Work): void => void current.afterAll.push(work);

/** What the run provides: the first argument of the process. */
export function inject(key: string): unknown {
  return (JSON.parse(process.argv[2] ?? "{}") as Record<string, unknown>)[key];
}

/** The cases that were gathered. */
export function countCases(group: Group = current): number {
  return group.groups.reduce((sum, inner) => sum + countCases(inner), group.tests.length);
}

/** Runs what was gathered, one case after the other. A group whose preparation fails has one failure for each of its cases. */
export async function runCases(group: Group = current): Promise<Verdict> {
  const failures: Failure[] = [];
  const attempt = async (title: string, work: Work) => {
    const message = await failureOf(work);
    if (message !== undefined) failures.push({ title: titleOf(group, title), message });
    return message === undefined;
  };
  for (const work of group.beforeAll) {
    const message = await failureOf(work);
    if (message !== undefined) return { cases: countCases(group), failures: everyCase(group, message) };
  }
  for (const { title, work } of group.tests) {
    if (await attempt(title, work)) for (const after of hooksAfter(group)) await attempt(title, after);
  }
  for (const inner of group.groups) failures.push(...(await runCases(inner)).failures);
  for (const work of group.afterAll) await attempt("the end", work);
  return { cases: countCases(group), failures };
}

async function failureOf(work: Work): Promise<string | undefined> {
  const late = Promise.withResolvers<never>();
  const limit = setTimeout(() => late.reject(new Error(`It took longer than ${CASE_LIMIT_MS} ms.`)), CASE_LIMIT_MS);
  try {
    await Promise.race([work(), late.promise]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.stack ?? error.message) : String(error);
  } finally {
    clearTimeout(limit);
  }
}

function hooksAfter(group: Group | undefined): readonly Work[] {
  return group === undefined ? [] : [...group.afterEach, ...hooksAfter(group.outer)];
}

function everyCase(group: Group, message: string): readonly Failure[] {
  return [
    ...group.tests.map(({ title }) => ({ title: titleOf(group, title), message })),
    ...group.groups.flatMap((inner) => everyCase(inner, message)),
  ];
}

function titleOf(group: Group | undefined, title: string): string {
  return group === undefined || group.title === "" ? title : titleOf(group.outer, `${group.title} > ${title}`);
}
