import { type BudgetInput, RESERVED } from "../doctor/budget.ts";
import { type GivenFlags, readFlags } from "./flags.ts";
import { WrongUse } from "./wrong-use.ts";

/** What `warmline doctor --help` prints. */
export const DOCTOR_USAGE = `Usage: warmline doctor [options]
       warmline doctor budget --concurrency <n> --cores <n> [--max-connections <n>] [--spindles <n>]

Looks at the settings, at the server and at the sources of this folder, and says what is wrong, what it costs, and the line to change.
It changes nothing. What it asks of the server ends within 5 s, what it reads of the sources within 10 s; what it could not see it names.

Options:
  --url <url>        the database's URL; DATABASE_URL by default
  --env-file <path>  read variables from this file; those that are set already stay
  --json             one object: docs/doctor.md has its shape
  --fix-hints        the lines to change once more at the end, in one block
  -h, --help         this text

Options of budget:
  --max-connections <n>  of the server, 100 by default
  --concurrency <n>      calls that are on their way at once, at most
  --cores <n>            of the server
  --spindles <n>         disks that seek by themselves, 1 by default: an SSD, or a disk of a cloud
  --json                 one object

Sources are read by oxc-parser, wrangler.toml by smol-toml, serverless.yml by yaml, where they are installed:
npm install --save-dev oxc-parser smol-toml yaml

Exit codes: 0 no fault was found, 1 one was, 2 it was called as it cannot be`;

const flags = {
  url: { example: "postgres://user:password@localhost:5432/database" },
  "env-file": { example: ".env" },
  json: {},
  "fix-hints": {},
  help: { short: "h" },
};

const budgetFlags = {
  "max-connections": { example: "100" },
  concurrency: { example: "500" },
  cores: { example: "8" },
  spindles: { example: "1" },
  json: {},
  help: { short: "h" },
};

/** The flags of `doctor` that were given. */
export type DoctorFlags = GivenFlags<keyof typeof flags>;

/** Reads the arguments of `doctor`. @throws {WrongUse} */
export function readDoctorFlags(args: readonly string[]): DoctorFlags {
  return readFlags("warmline doctor", flags, args);
}

/** The flags of `doctor budget` that were given. */
export type BudgetFlags = GivenFlags<keyof typeof budgetFlags>;

/** Reads the arguments of `doctor budget`. @throws {WrongUse} */
export function readBudgetFlags(args: readonly string[]): BudgetFlags {
  return readFlags("warmline doctor budget", budgetFlags, args);
}

/** What a budget is made of. @throws {WrongUse} */
export function readBudgetInput(given: BudgetFlags): BudgetInput {
  const read = (name: Exclude<keyof typeof budgetFlags, "json" | "help">, usual?: number) => {
    const written = given[name];
    if (written === undefined && usual !== undefined) return usual;
    if (written === undefined) throw new WrongUse(`--${name} is missing, such as --${name} ${budgetFlags[name].example}`);
    if (typeof written !== "string" || !/^\d{1,6}$/.test(written) || Number(written) === 0) {
      throw new WrongUse(`--${name} must be a whole number from 1 to 999999.`);
    }
    return Number(written);
  };
  const maxConnections = read("max-connections", 100);
  if (maxConnections <= RESERVED) throw new WrongUse(`--max-connections must be over ${RESERVED}: so many are kept for superusers.`);
  return {
    maxConnections,
    concurrency: read("concurrency"),
    cores: read("cores"),
    spindles: read("spindles", 1),
  };
}
