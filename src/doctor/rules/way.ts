import type { Configured } from "../evidence.ts";
import { type Rule, rule } from "../rule.ts";
import { inMinutes, one, roleOf, urlOf } from "./words.ts";

const DAY_MS = 86_400_000;
/** Certificates are renewed thirty days before their end by those who do it by themselves. Source: Let's Encrypt's documentation. */
const CERTIFICATE_MARGIN_MS = 21 * DAY_MS;
const FAR_MS = 10;
/** Enough to tell a clock from a slow answer; AWS takes tokens that are 5 minutes off, and certificates are not lenient at all. */
const SKEW_MS = 5_000;

/** Rules over the way to the server, and who logs in. */
export const wayRules: readonly Rule[] = [
  rule({
    name: "unverified-tls",
    group: "settings",
    needs: ["configured"],
    costs: "Whoever is on the way can answer as the server, and read the password and all that follows.",
    find: ({ configured: { plan, tls, ...configured } }) =>
      one(plan.transport !== "http" && tls.warnings.length > 0, () => ({
        found:
          tls.mode === "no-verify"
            ? "TLS is used, and nobody checks whose certificate it is."
            : "Nothing is encrypted on the way to another machine.",
        change: urlOf(configured, "sslmode=verify-full"),
      })),
  }),
  rule({
    name: "certificate-near-its-end",
    group: "settings",
    needs: ["reach"],
    costs: "After that every new connection fails with TLS_FAILED, while those that are open go on: it shows with the next deployment.",
    find({ reach: { certificateEndsAt, now } }) {
      if (certificateEndsAt === null || certificateEndsAt - now > CERTIFICATE_MARGIN_MS) return [];
      const days = Math.floor((certificateEndsAt - now) / DAY_MS);
      return [
        {
          found: days < 0 ? `The server's certificate ended ${-days} days ago.` : `The server's certificate ends in ${days} days.`,
          change: "renew the server's certificate, and look at what should have",
        },
      ];
    },
  }),
  rule({
    name: "sslmode-misread",
    group: "settings",
    needs: ["configured", "sources"],
    costs: "pg 8 verifies with it, libpq and pg 9 do not: an update of a driver ends the check without a word.",
    find: ({ configured, sources }) =>
      sources.bareDrivers.slice(0, configured.sslmode === "require" || configured.sslmode === "verify-ca" ? 1 : 0).map((at) => ({
        found: `sslmode=${configured.sslmode} is handed to a driver that reads it by itself, each in its own way.`,
        change: urlOf(configured, "sslmode=verify-full"),
        at,
      })),
  }),
  rule({
    name: "password-near-its-end",
    group: "settings",
    needs: ["configured", "variables"],
    costs: "What is open goes on, and every new connection is refused (28P01 or 28000): it shows when the load grows.",
    find({ configured, variables }) {
      const { passwordEndsAt: end, now, urlName } = configured;
      const credentials = Date.parse(variables.AWS_CREDENTIAL_EXPIRATION ?? "");
      const uses = configured.plan.capabilities.iam && configured.settings.address.password === null;
      return [
        ...one(end !== null, () => ({
          found: `The password is a token that ${(end as number) < now ? "is over" : `ends in ${inMinutes((end as number) - now)}`}, kept as text.`,
          change: `${urlName}: without the password on AWS, where tokens are signed for each login; elsewhere the option password: () => freshToken()`,
        })),
        ...one(uses && credentials - now < 15 * 60_000, () => ({
          found: `The credentials that sign tokens ${credentials < now ? "are over" : `end in ${inMinutes(credentials - now)}`}, and tokens end with them.`,
          change: "renew the credentials of AWS_CREDENTIAL_EXPIRATION",
          at: "AWS_CREDENTIAL_EXPIRATION",
        })),
      ];
    },
  }),
  rule({
    name: "clock-skew",
    group: "settings",
    needs: ["backend"],
    costs: "Tokens are refused before their time, certificates are judged by another day, and ages in logs are wrong.",
    find: ({ backend: { clockAheadMs } }) =>
      one(Math.abs(clockAheadMs) > SKEW_MS, () => ({
        found: `This machine's clock is ${(Math.abs(clockAheadMs) / 1_000).toFixed(1)} s ${clockAheadMs > 0 ? "behind" : "ahead of"} the server's.`,
        change: "set the clock by NTP (timedatectl set-ntp true)",
      })),
  }),
  rule({
    name: "superuser-login",
    group: "settings",
    needs: ["configured", "role"],
    sparesLocal: true,
    costs: "Row-level security and every grant are without effect: one injected statement may read and drop everything.",
    find: ({ configured, role }) =>
      one(role.superuser || role.bypassesRls, () => ({
        found: `The login is a role with ${role.superuser ? "SUPERUSER" : "BYPASSRLS"}.`,
        change: `create role app login password '…'; grant what it needs; ${configured.urlName}: user app`,
      })),
  }),
  rule({
    name: "replica-for-writes",
    group: "settings",
    needs: ["configured", "backend", "limits"],
    costs: "Reads succeed and may be stale; every write fails with 25006.",
    find: ({ configured, backend, limits }) =>
      one((backend.inRecovery || limits.readOnlyByDefault) && !asksForReads(configured), () => ({
        found: backend.inRecovery
          ? "The server is a standby, and the settings ask for none."
          : "Transactions of this login are read only by default.",
        change: backend.inRecovery
          ? urlOf(configured, "target_session_attrs=read-write, with the primary among the hosts")
          : `alter role ${roleOf(configured)} reset default_transaction_read_only`,
      })),
  }),
  rule({
    name: "far-region",
    group: "settings",
    needs: ["session"],
    costs: "Every statement waits for it: ten in a row cost ten times as much, whatever the server does.",
    find: ({ session: { roundTripMs } }) =>
      one(roundTripMs > FAR_MS, () => ({
        found: `A round trip takes ${roundTripMs.toFixed(1)} ms from here; within a region it is 1 to 3.`,
        change: "run the function in the region of the database; until then send statements together: db.batch([…])",
      })),
  }),
];

function asksForReads({ settings }: Configured): boolean {
  return ["read-only", "standby", "prefer-standby"].includes(settings.address.targetSessionAttrs);
}
