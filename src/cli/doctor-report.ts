import type { Budget } from "../doctor/budget.ts";
import type { Examination } from "../doctor/examine.ts";
import type { Finding, NotSeen } from "../doctor/rule.ts";
import { visible } from "../doctor/visible.ts";
import { placeOf } from "../endpoint/server-address.ts";
import type { Terminal } from "./terminal.ts";

/** More of one rule are counted. */
const MOST_OF_A_RULE = 10;
const MOST_HOLDERS = 8;

const inMs = (ms: number) => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** Tells what was seen, what is wrong, and what was not seen. */
export function tellExamination(out: Terminal, examination: Examination, { fixHints }: { readonly fixHints: boolean }): void {
  tellPlan(out, examination);
  tellMeasures(out, examination);
  tellSlots(out, examination);
  tellScan(out, examination);
  out.line("");
  const { findings, onceDeployed, notSeen } = examination;
  tellFindings(out, findings);
  tellOnceDeployed(out, onceDeployed);
  tellNotSeen(out, notSeen);
  if (fixHints) tellHints(out, findings);
  const verdict =
    findings.length === 0 ? out.in("green", "No fault in what was seen.") : out.in("red", `${counted(findings.length, "fault")}.`);
  out.line(notSeen.length === 0 ? verdict : `${verdict} Not everything was seen.`);
}

function row(out: Terminal, name: string, text: string): void {
  out.line(`${out.in("bold", name.padEnd(9))} ${text}`);
}

function tellPlan(out: Terminal, { plan }: Examination): void {
  if (plan === null) {
    row(out, "Plan", "none: the settings are refused");
    return;
  }
  row(out, "Plan", `${plan.transport} on ${plan.runtime}, to ${plan.target} at ${visible(placeOf(plan.server))}`);
  for (const [choice, reason] of Object.entries(plan.reasons)) out.line(out.in("dim", `            ${choice}: ${reason}`));
  for (const warning of plan.warnings) out.line(out.in("yellow", `            ${warning}`));
}

function tellMeasures(out: Terminal, { reach, session, http }: Examination): void {
  const measured = [
    reach && [`DNS ${inMs(reach.dnsMs)}`, `TCP ${inMs(reach.tcpMs)}`, reach.tlsMs === null ? "no TLS" : `TLS ${inMs(reach.tlsMs)}`],
    session && [
      `login ${inMs(session.loginMs)}`,
      `round trip ${inMs(session.roundTripMs)}`,
      `first query ${inMs(session.firstQueryMs)}`,
      `second ${inMs(session.secondQueryMs)}`,
    ],
  ].flatMap((some) => some ?? []);
  row(out, "Way", measured.length === 0 ? "not seen" : measured.join(", "));
  if (http !== null) {
    const text =
      "unseen" in http ? `not seen: ${http.unseen}` : `first query ${inMs(http.firstQueryMs)}, second ${inMs(http.secondQueryMs)}`;
    row(out, "HTTP", text);
  }
}

function tellSlots(out: Terminal, { session, slots }: Examination): void {
  if (session === null) {
    row(out, "Server", "not seen");
    return;
  }
  const taken = slots === null ? "" : `, ${slots.taken}${slots.most === null ? "" : ` of ${slots.most}`} slots taken`;
  row(out, "Server", `${session.version === null ? "says no version" : `Postgres ${session.version}`}${taken}`);
  for (const { application, user, sessions, idle } of slots?.holders.slice(0, MOST_HOLDERS) ?? []) {
    const name = application === "" ? "no application name" : application;
    out.line(out.in("dim", `            ${sessions} of ${name}, user ${user}${idle === null ? "" : `, ${idle} idle`}`));
  }
  const more = (slots?.holders.length ?? 0) - MOST_HOLDERS;
  if (more > 0) out.line(out.in("dim", `            and ${more} others`));
}

function tellScan(out: Terminal, { scan }: Examination): void {
  const { seen, notSeen, tests, tookMs, missing } = scan;
  row(out, "Sources", `${counted(seen, "file")} read, ${notSeen} not seen, ${counted(tests, "test")} left out, ${inMs(tookMs)}`);
  if (missing !== undefined) out.line(out.in("yellow", `            ${missing}`));
}

function tellFindings(out: Terminal, findings: readonly Finding[]): void {
  for (const [name, ofRule] of Map.groupBy(findings, ({ rule }) => rule)) {
    const [first] = ofRule as [Finding];
    out.line(`${out.in("red", name)} ${out.in("dim", `(${first.group}, ${first.page})`)}`);
    for (const { found, at } of ofRule.slice(0, MOST_OF_A_RULE))
      out.line(`  found   ${found}${at === undefined ? "" : ` ${out.in("cyan", at)}`}`);
    if (ofRule.length > MOST_OF_A_RULE) out.line(`          and ${ofRule.length - MOST_OF_A_RULE} more`);
    out.line(`  costs   ${first.costs}`);
    for (const change of new Set(ofRule.slice(0, MOST_OF_A_RULE).map((one) => one.change))) out.line(`  change  ${change}`);
    out.line("");
  }
}

function tellOnceDeployed(out: Terminal, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  out.line(out.in("yellow", "No fault here, and one where it is deployed (docs/doctor.md#a-database-on-this-machine):"));
  const width = Math.max(...findings.map(({ rule }) => rule.length));
  for (const { rule, found } of findings) out.line(`  ${rule.padEnd(width)}  ${found}`);
  out.line("");
}

function tellNotSeen(out: Terminal, notSeen: readonly NotSeen[]): void {
  if (notSeen.length === 0) return;
  out.line(out.in("yellow", "Not seen, so nothing is said of it:"));
  for (const [reason, some] of Map.groupBy(notSeen, (one) => one.reason)) {
    const rules = [...new Set(some.flatMap((one) => one.rules))];
    out.line(`  ${reason}`);
    out.line(out.in("dim", `    ${rules.length > 6 ? counted(rules.length, "rule") : rules.join(", ")}`));
  }
  out.line("");
}

function tellHints(out: Terminal, findings: readonly Finding[]): void {
  if (findings.length === 0) return;
  out.line(out.in("bold", "To change:"));
  for (const change of new Set(findings.map((one) => `${one.change}${one.at === undefined ? "" : `  (${one.at})`}`)))
    out.line(`  ${change}`);
  out.line("");
}

/** Tells sizes, with the reason of each. */
export function tellBudget(out: Terminal, { sizes, fitsDirectly, verdict }: Budget): void {
  const width = Math.max(...sizes.map(({ name }) => name.length));
  for (const { name, value, reason } of sizes)
    out.line(`${name.padEnd(width)}  ${out.in("bold", String(value).padStart(6))}  ${out.in("dim", reason)}`);
  out.line("");
  out.line(out.in(fitsDirectly ? "green" : "yellow", verdict));
}
