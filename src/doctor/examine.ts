import type { Plan } from "../decide/plan.ts";
import type { PgWords } from "../entry/make-pool.ts";
import { poolConfig } from "../entry/make-pool.ts";
import { ConfigError } from "../errors/errors.ts";
import { loadReaders } from "./code/load-readers.ts";
import type { Readers } from "./code/read-configuration.ts";
import { type Scan, type ScanCount, scan } from "./code/scan.ts";
import type { Activity, BackendFacts, Configured, Evidence, Pieces, Reach, Seen, SessionFacts } from "./evidence.ts";
import { configure } from "./look/configure.ts";
import { type HttpMeasure, measureHttp } from "./look/over-http.ts";
import type { Question } from "./look/questions.ts";
import { reach } from "./look/reach.ts";
import { type Answered, askServer, unanswered } from "./look/session.ts";
import { type Failed, failed, failures, type Looked } from "./look/unseen.ts";
import { type Finding, judge, type NotSeen, pageOf, type Rule } from "./rule.ts";
import { sourceRules } from "./rules/code.ts";
import { serverRules } from "./rules/server.ts";
import { sessionRules } from "./rules/sessions.ts";
import { settingsRules } from "./rules/settings.ts";
import { wayRules } from "./rules/way.ts";
import { visible } from "./visible.ts";

/** Every rule. */
export const rules: readonly Rule[] = [...settingsRules, ...wayRules, ...sessionRules, ...serverRules, ...sourceRules];

/** All that asks the network is over by then, whatever the other end does, milliseconds. */
const CONNECTION_MS = 5_000;
/** The bound of the scan, milliseconds. */
const SCAN_MS = 10_000;

/** What to examine. */
export interface ExamineOptions {
  /** Instead of `DATABASE_URL`. */
  readonly url?: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Whose sources are read. */
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Default: the wall clock. */
  readonly now?: () => number;
  /** Default: oxc-parser, smol-toml and yaml, where they are installed. */
  readonly load?: () => Promise<Readers>;
}

/** What was seen, and what of it is wrong. Holds no secret, no value and no statement: fit for a log. */
export interface Examination {
  readonly plan: Plan | null;
  readonly reach: Reach | null;
  readonly session: SessionFacts | null;
  readonly backend: BackendFacts | null;
  readonly http: HttpMeasure | null;
  readonly slots: Slots | null;
  readonly scan: ScanCount;
  readonly findings: readonly Finding[];
  /** What is no fault of a database on this machine, and one where it is deployed. */
  readonly onceDeployed: readonly Finding[];
  readonly notSeen: readonly NotSeen[];
}

/** How many sessions there are and may be, and whose they are. */
interface Slots {
  readonly taken: number;
  readonly most: number | null;
  readonly holders: readonly {
    readonly application: string;
    readonly user: string;
    readonly sessions: number;
    readonly idle: number | null;
  }[];
}

/** All that was looked at: what rules judge. */
export interface Looks {
  readonly evidence: Evidence;
  readonly failed: Failed | undefined;
  readonly http: HttpMeasure | null;
  readonly scan: ScanCount;
}

/** Looks at settings, server and sources, and judges. Read-only. Never rejects for what it finds. */
export async function examine(options: ExamineOptions): Promise<Examination> {
  return judgeAll(await lookAtAll(options));
}

/** Looks at everything: at the server first, since reading sources would be in the way of what is measured. */
export async function lookAtAll(options: ExamineOptions): Promise<Looks> {
  const { variables, folder, signal, now = Date.now, load = loadReaders } = options;
  const configured = configure({ ...options, now: now() });
  const connection = "value" in configured ? await lookAtServer(configured.value, { ...options, now }) : notTried(configured.failed);
  const scanned = await scan({ folder, timeoutMs: SCAN_MS, signal, load });
  return { ...connection, evidence: evidenceOf({ configured, connection, scanned, variables }), scan: scanned.count };
}

interface Connection {
  readonly reach: Looked<Reach>;
  readonly answered: Answered;
  readonly http: HttpMeasure | null;
  readonly failed: Failed | undefined;
}

async function lookAtServer(configured: Configured, options: ExamineOptions & { readonly now: () => number }): Promise<Connection> {
  const endsAt = Date.now() + CONNECTION_MS;
  const { now, url, variables } = options;
  // a moment before, so that what was seen is told within the time
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(CONNECTION_MS - 250)]);
  const { settings, plan } = configured;
  if (settings.address.host.includes("hyperdrive.local")) {
    return notTried({ reason: "Hyperdrive's own host is there inside a Worker alone" });
  }
  const none: PgWords = { driver: {}, timeoutMs: undefined };
  const login = planLogin(() => poolConfig(settings, plan, none), configured.urlName);
  if ("failed" in login) return notTried(login.failed);
  const { ssl } = login.value as { readonly ssl?: { readonly ca?: string } | boolean };
  const ca = typeof ssl === "object" ? ssl.ca : undefined;
  const reached = await reach(configured, { ca, signal, now });
  if ("failed" in reached) return notTried(reached.failed);
  const answered = await askServer(configured, { login: login.value, endsAt, signal, now });
  const session = answered.session;
  const deadlineMs = Math.max(1, Math.floor((endsAt - Date.now()) / 2) - 100);
  const http = "failed" in session ? null : await measureHttp(configured, { url, variables, deadlineMs });
  return { reach: reached, answered, http, failed: "failed" in session ? session.failed : undefined };
}

function planLogin<T>(make: () => T, urlName: string): Looked<T> {
  try {
    return { value: make() };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return failed("settings-refused", error.message, `${urlName}: what the message names`, urlName);
  }
}

function notTried(failure: Failed): Connection {
  const answered: Answered = { session: { failed: failure }, ...unanswered(failure.reason) };
  return { reach: { failed: failure }, answered, http: null, failed: failure };
}

interface Parts {
  readonly configured: Looked<Configured>;
  readonly connection: Connection;
  readonly scanned: Scan;
  readonly variables: Pieces["variables"];
}

function evidenceOf({ configured, connection, scanned, variables }: Parts): Evidence {
  const { session, ...asked } = connection.answered;
  return {
    variables: { value: variables },
    configured: seenOf(configured),
    reach: seenOf(connection.reach),
    session: seenOf(session),
    ...(asked as { readonly [Name in Question | "backend"]: Seen<Pieces[Name]> }),
    project: scanned.project,
    sources: scanned.sources,
  };
}

function seenOf<T>(looked: Looked<T>): Seen<T> {
  return "value" in looked ? looked : { unseen: looked.failed.reason };
}

/** Judges what was seen. */
export function judgeAll({ evidence, failed: failure, http, scan: scanned }: Looks): Examination {
  const { findings, onceDeployed, notSeen } = judge(rules, evidence);
  const fault = failure?.fault;
  const first: readonly Finding[] =
    fault === undefined
      ? []
      : [{ group: "settings", ...fault, found: visible(fault.found), costs: failures[fault.rule], page: pageOf(fault.rule) }];
  return {
    plan: whatWasSeen(evidence.configured)?.plan ?? null,
    reach: whatWasSeen(evidence.reach),
    session: whatWasSeen(evidence.session),
    backend: whatWasSeen(evidence.backend),
    http,
    slots: slotsOf(whatWasSeen(evidence.activity), whatWasSeen(evidence.limits)),
    scan: scanned,
    findings: [...first, ...findings],
    onceDeployed,
    notSeen: [...notSeen, ...otherHosts(whatWasSeen(evidence.configured))],
  };
}

function otherHosts(configured: Configured | null): readonly NotSeen[] {
  const others = configured?.plan.server.others.length ?? 0;
  return others === 0 ? [] : [{ what: "hosts", reason: `behind the first, hosts were not looked at: ${others}`, rules: [] }];
}

function whatWasSeen<T>(seen: Seen<T>): T | null {
  return "value" in seen ? seen.value : null;
}

function slotsOf(activity: Activity | null, limits: Pieces["limits"] | null): Slots | null {
  if (activity === null) return null;
  const holders = new Map<string, { application: string; user: string; sessions: number; idle: number | null }>();
  for (const { application, user, state } of activity.sessions) {
    const known = holders.get(`${application} ${user}`) ?? { application, user, sessions: 0, idle: 0 };
    known.sessions += 1;
    // one that is hidden may be idle or not
    known.idle = state === null || known.idle === null ? null : known.idle + (state === "idle" ? 1 : 0);
    holders.set(`${application} ${user}`, known);
  }
  return {
    taken: activity.sessions.length,
    most: limits === null ? null : limits.maxConnections - limits.reserved,
    holders: [...holders.values()].sort((one, other) => other.sessions - one.sessions),
  };
}
