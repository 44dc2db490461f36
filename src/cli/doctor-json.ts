import type { Budget } from "../doctor/budget.ts";
import type { Examination } from "../doctor/examine.ts";
import { packageVersion } from "./package-version.ts";

/** Of the shape in docs/doctor.md: raised when something in it is renamed or goes away. */
const VERSION = 1;

/** What `--json` prints. */
export function examinationObject({
  plan,
  reach,
  session,
  backend,
  http,
  slots,
  scan,
  findings,
  onceDeployed,
  notSeen,
}: Examination): object {
  return {
    version: VERSION,
    warmline: packageVersion(),
    healthy: findings.length === 0,
    plan: plan && {
      runtime: plan.runtime,
      target: plan.target,
      transport: plan.transport,
      server: plan.server,
      max: plan.max,
      reasons: plan.reasons,
      warnings: plan.warnings,
    },
    measures: {
      dnsMs: reach?.dnsMs ?? null,
      tcpMs: reach?.tcpMs ?? null,
      tlsMs: reach?.tlsMs ?? null,
      loginMs: session?.loginMs ?? null,
      roundTripMs: session?.roundTripMs ?? null,
      firstQueryMs: session?.firstQueryMs ?? null,
      secondQueryMs: session?.secondQueryMs ?? null,
      http,
    },
    server: session && {
      version: session.version,
      behindPooler: backend?.behindPooler ?? null,
      inRecovery: backend?.inRecovery ?? null,
      slots,
    },
    scan,
    findings,
    onceDeployed,
    notSeen,
  };
}

/** What `budget --json` prints. */
export function budgetObject(budget: Budget): object {
  return { version: VERSION, warmline: packageVersion(), ...budget };
}
