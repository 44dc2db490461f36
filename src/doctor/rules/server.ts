import { type Found, type Rule, rule } from "../rule.ts";

const KEY_SHARE = 0.8;
/** Of 2^31: vacuum_failsafe_age, where Postgres itself gives up all else, is 1.6 thousand millions. */
const OLD_TRANSACTIONS = 1_000_000_000;

/** The day after which a major version gets no more fixes. Source: postgresql.org, "Versioning Policy". */
const endOfLife: Readonly<Record<number, string>> = {
  11: "2023-11-09",
  12: "2024-11-21",
  13: "2025-11-13",
  14: "2026-11-12",
  15: "2027-11-11",
  16: "2028-11-09",
  17: "2029-11-08",
  18: "2030-11-14",
};

/** Rules over what the server keeps: slots, ages, keys, indexes, tables, and its version. */
export const serverRules: readonly Rule[] = [
  rule({
    name: "unused-replication-slot",
    group: "server",
    needs: ["replicationSlots"],
    costs: "The server keeps all that was written since, until its disk is full, and then it stops.",
    find: ({ replicationSlots }) =>
      replicationSlots
        .filter(({ active, keptBytes }) => !active && keptBytes !== null)
        .map(({ name, keptBytes }) => ({
          found: `Nobody reads the slot ${name}, for which ${((keptBytes as number) / 1_048_576).toFixed(0)} MiB are kept.`,
          change: `select pg_drop_replication_slot('${name.replaceAll("'", "''")}')`,
          at: name,
        })),
  }),
  rule({
    name: "wraparound-near",
    group: "server",
    needs: ["databaseAges"],
    costs: "At two thousand millions the server takes no more writes until it was vacuumed, which may take a day.",
    find: ({ databaseAges }) =>
      databaseAges
        .filter(({ transactions, multixacts }) => Math.max(transactions, multixacts) > OLD_TRANSACTIONS)
        .map(({ name, transactions, multixacts }) => ({
          found: `${name} has not been frozen for ${Math.round(Math.max(transactions, multixacts) / 1_000_000)} million transactions.`,
          change: "vacuum (freeze, verbose) on its oldest tables; and look for what keeps autovacuum away: long transactions, slots",
          at: name,
        })),
  }),
  rule({
    name: "key-near-its-end",
    group: "server",
    needs: ["sequences"],
    costs: "Past the last number every INSERT fails with 22003, and changing the type rewrites the table under a lock.",
    find: ({ sequences }) =>
      sequences
        .filter(({ last, most }) => last > most * KEY_SHARE)
        .map(({ column, type, last, most }) => ({
          found: `${column} (${type}) is at ${Math.round((last / most) * 100)} % of what it can count.`,
          change: `a bigint column beside it, filled in steps, and then in its place (alter table … alter column … type bigint locks it)`,
          at: column,
        })),
  }),
  rule({
    name: "invalid-index",
    group: "server",
    needs: ["invalidIndexes"],
    costs: "No query uses it, and every write keeps it up; where it was to be unique, nothing is.",
    find: ({ invalidIndexes }) =>
      invalidIndexes.map(({ name, table }) => ({
        found: `The index ${name} on ${table} was not finished.`,
        change: `drop index concurrently ${name}, or reindex index concurrently ${name}`,
        at: name,
      })),
  }),
  rule({
    name: "foreign-key-without-index",
    group: "server",
    needs: ["bareForeignKeys"],
    costs: "Each delete or changed key of the other table reads this one from end to end, with locks held.",
    find: ({ bareForeignKeys }) =>
      bareForeignKeys.map(({ name, table, columns }) => ({
        found: `No index of ${table} begins with ${columns}, which ${name} refers by.`,
        change: `create index concurrently on ${table} (${columns})`,
        at: table,
      })),
  }),
  rule({
    name: "rls-off",
    group: "server",
    needs: ["exposedTables"],
    costs: "Whoever has the public key of the project reads, or writes, every row.",
    find: ({ exposedTables }) =>
      exposedTables.map(({ table, roles }) => ({
        found: `${roles.join(" and ")} may use ${table}, which has no row-level security.`,
        change: `alter table ${table} enable row level security`,
        at: table,
      })),
  }),
  rule({
    name: "end-of-life",
    group: "server",
    needs: ["session"],
    costs: "It gets no more fixes, those of security neither, and services charge more for it or update it by themselves.",
    find({ session: { version, now } }): readonly Found[] {
      const major = Number.parseInt(version ?? "", 10);
      const end = major < 11 ? "2022-11-10 or before" : endOfLife[major];
      if (Number.isNaN(major) || end === undefined || Date.parse(end.slice(0, 10)) > now) return [];
      return [
        { found: `The server says it is Postgres ${version}, whose last fix came on ${end}.`, change: "update to Postgres 17 or 18" },
      ];
    },
  }),
];
