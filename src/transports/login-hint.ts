/**
 * What poolers say of a login that no second one changes, and what to do. They say it without a SQLSTATE of its own (XX000), or with one for many
 * things (08P01), so these are known by their words.
 * Sources: what Supavisor, of late with a word of its own before the message, and Neon's proxy answer (XX000); PgBouncer's documentation,
 * `ignore_startup_parameters`.
 */
const hints: readonly (readonly [code: string, words: RegExp, hint: string])[] = [
  [
    "XX000",
    /^(Tenant or user not found|\((ENOTFOUND|ETENANTNOTFOUND|ENOIDENTIFIER)\))/,
    "Write the user as postgres.PROJECT, and the host of the project's own region",
  ],
  ["XX000", /^\(EADDRNOTALLOWED\)/, "Let this address in by the project's network restrictions"],
  ["XX000", /^\(ESSLREQUIRED\)/, "Write sslmode=require"],
  [
    "XX000",
    /^\(ECIRCUITBREAKER\)/,
    "The pooler lets nobody in for some minutes. Where it tells of authentication, correct user and password first",
  ],
  ["XX000", /exceeded the .+ quota/, "Asking again changes nothing until the plan or the month does"],
  ["XX000", /endpoint could not be found/, "Check the endpoint in the host's name: it is another project's, or was deleted"],
  [
    "XX000",
    /^Endpoint ID is not specified/,
    "Neon tells the endpoint by the host's own name, over TLS: connect to that name, and not to an address",
  ],
  [
    "08P01",
    /^unsupported startup parameter/,
    "A pooler stands there: write pgbouncer=true in the URL, or name its target, and leave what is sent at login out; or add the parameter to PgBouncer's ignore_startup_parameters",
  ],
];

/** What to do about a login that a pooler refuses, and would refuse again; undefined for all others. */
export function loginHint({ code, message }: { readonly code: string; readonly message: string }): string | undefined {
  return hints.find(([ofCode, words]) => ofCode === code && words.test(message))?.[2];
}
