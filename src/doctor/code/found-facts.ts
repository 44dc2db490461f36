import type { CodePlace, FunctionTimeout, SourceFacts } from "../evidence.ts";
import { argumentsOf, keyOf, type Node } from "./ast.ts";
import { madeBy } from "./clients.ts";
import { fileRules } from "./code-rules.ts";
import { type FileLinks, linksOf } from "./links.ts";
import { exportedNumber } from "./places.ts";
import { projectOf } from "./project.ts";
import { projectRules } from "./project-rules.ts";
import type { SourceFile } from "./source-file.ts";

/** What is kept of the files that were parsed: their trees are let go, one after the other. */
export interface FoundFacts {
  readonly places: CodePlace[];
  readonly bareDrivers: string[];
  readonly timeouts: FunctionTimeout[];
  readonly links: FileLinks[];
  namesDirectUrl: boolean;
  /** Whether a handler is wrapped by `lambdaHandler`, which ends calls before their invocation. */
  wrapsLambda: boolean;
}

/** Nothing yet. */
export function emptyFacts(): FoundFacts {
  return { places: [], bareDrivers: [], timeouts: [], links: [], namesDirectUrl: false, wrapsLambda: false };
}

/** Adds what a file shows. @throws RangeError for one on which the rules run out of stack */
export function takeFacts(file: SourceFile, facts: FoundFacts): void {
  for (const { name, find } of fileRules) {
    for (const { node, found } of find(file)) facts.places.push({ rule: name, at: file.at(node), found });
  }
  facts.bareDrivers.push(...bareDriver(file));
  facts.links.push(linksOf(file));
  facts.namesDirectUrl ||= namesDirectUrl(file);
  facts.wrapsLambda ||= file.modules.includes("warmline/lambda") && file.named("lambdaHandler").length > 0;
  // what Next.js on Vercel reads
  const timeout = exportedNumber(file, "maxDuration");
  if (timeout !== undefined) facts.timeouts.push({ seconds: timeout.value, platform: "vercel", at: file.at(timeout.node) });
}

/** What all of them come to. @param whole whether every file was read: what was not found may stand in one that was not */
export function conclude({ places, bareDrivers, links, namesDirectUrl }: FoundFacts, whole: boolean): SourceFacts {
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
    const takesUrl = (options.properties as readonly Node[]).some((property) => keyOf(property) === "connectionString");
    return takesUrl ? [file.at(node)] : [];
  });
}
