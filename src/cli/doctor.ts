import { budgetOf } from "../doctor/budget.ts";
import { examine } from "../doctor/examine.ts";
import { DOCTOR_USAGE, readBudgetFlags, readBudgetInput, readDoctorFlags } from "./doctor-flags.ts";
import { budgetObject, examinationObject } from "./doctor-json.ts";
import { tellBudget, tellExamination } from "./doctor-report.ts";
import type { Surroundings } from "./surroundings.ts";
import { terminalOn } from "./terminal.ts";
import { withFile } from "./variables.ts";

/** Runs `warmline doctor`. Resolves with 1 where it found a fault. Rejects with a WrongUse alone. */
export async function doctorCommand(args: readonly string[], surroundings: Surroundings): Promise<number> {
  if (args[0] === "budget") return budgetCommand(args.slice(1), surroundings);
  const { env, stdout, stopping, folder = process.cwd() } = surroundings;
  const out = terminalOn(stdout, env);
  const given = readDoctorFlags(args);
  if (given.help === true) {
    out.line(DOCTOR_USAGE);
    return 0;
  }
  const { url } = given;
  const variables = withFile(given["env-file"], env);
  const examination = await examine({ ...(typeof url === "string" ? { url } : {}), variables, folder, signal: stopping });
  if (stopping.aborted) throw new Error("It was told to end before it had seen everything.");
  if (given.json === true) out.line(JSON.stringify(examinationObject(examination), roundedTimes, 2));
  else tellExamination(out, examination, { fixHints: given["fix-hints"] === true });
  return examination.findings.length === 0 ? 0 : 1;
}

/** Times to a hundredth of a millisecond: what is behind that was not measured. */
function roundedTimes(_name: string, value: unknown): unknown {
  return typeof value === "number" ? Math.round(value * 100) / 100 : value;
}

async function budgetCommand(args: readonly string[], { env, stdout }: Surroundings): Promise<number> {
  const out = terminalOn(stdout, env);
  const given = readBudgetFlags(args);
  if (given.help === true) {
    out.line(DOCTOR_USAGE);
    return 0;
  }
  const budget = budgetOf(readBudgetInput(given));
  if (given.json === true) out.line(JSON.stringify(budgetObject(budget), null, 2));
  else tellBudget(out, budget);
  return 0;
}
