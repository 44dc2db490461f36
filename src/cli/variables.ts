import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { WrongUse } from "./wrong-use.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** The variables of the process, and those of a file that it has not. @throws {WrongUse} where the file cannot be read */
export function withFile(file: string | true | undefined, env: Variables): Variables {
  if (typeof file !== "string") return env;
  try {
    return { ...parseEnv(readFileSync(file, "utf8").replace(/^\ufeff/, "")), ...env };
  } catch {
    throw new WrongUse("--env-file names a file that cannot be read.");
  }
}
