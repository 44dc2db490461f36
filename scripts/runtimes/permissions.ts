import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Ground, type Problem, printed } from "./ground.ts";

const program = `
import { createDatabase } from "warmline";
const db = createDatabase(JSON.parse(process.argv[2]));
const tell = async (work) => {
  try {
    return (await work())[0].one;
  } catch (error) {
    return [error.name, error.code, error.message].join(" ");
  }
};
console.log(JSON.stringify([await tell(() => db.sql\`select 1 as one\`), await tell(() => db.session((session) => session.sql\`select 1 as one\`))]));
await db.close();
`;

interface Case {
  readonly flags: readonly string[];
  readonly options?: object;
  /** What a query and a session give, or begin their errors with. */
  readonly gives: string;
  /** The session, where that is another. */
  readonly inSession?: string;
}

/** What Deno is allowed, and what becomes of a call: each permission is named by an error of this package, until nothing is missing. */
function cases({ url, endpoint }: Ground): readonly Case[] {
  const [server, http] = [new URL(url).host, new URL(endpoint).host];
  const refused = (names: string, flag: string) =>
    `ConfigError NOT_PERMITTED Deno has no permission to read ${names}. Run it with --allow-env=${flag}.`;
  const unreached = (host: string) =>
    `ConnectionError NOT_PERMITTED Deno has no permission to connect to ${host}. Run it with --allow-net=${host}.`;
  const own = "--allow-env=DATABASE_URL,PG*";
  const neon = "DATABASE_URL,PG*,USER,USERNAME,NODE_PG_FORCE_NATIVE";
  const overHttp = { transport: "http", endpoint };
  return [
    { flags: [], gives: refused("DATABASE_URL and PG*", "DATABASE_URL,PG*") },
    { flags: ["--allow-env=DATABASE_URL"], gives: refused("PG*", "DATABASE_URL,PG*") },
    { flags: [own], gives: unreached(server) },
    { flags: [own, `--allow-net=${server}`], gives: "1" },
    { flags: ["--allow-env=PG*", `--allow-net=${server}`], options: { url }, gives: "1" },
    {
      flags: [own, `--allow-net=${server}`],
      options: { ca: "/etc/ssl/ca.pem" },
      gives: "ConfigError INVALID_SETTING The setting ca must be a file that Deno has permission to read (--allow-read=its path)",
    },
    {
      flags: [own, `--allow-net=${http}`],
      options: overHttp,
      gives: "1",
      inSession: refused("USER and USERNAME and NODE_PG_FORCE_NATIVE", neon),
    },
    { flags: [`--allow-env=${neon}`, `--allow-net=${http}`], options: overHttp, gives: "1" },
  ];
}

/** Runs a program under Deno with the permissions it has, from none to all it needs. */
export async function checkPermissions(ground: Ground): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const file = join(ground.project, "permissions.mjs");
  await writeFile(file, program);
  const deno = join(ground.tools, "@deno/linux-x64-glibc/deno");
  for (const { flags, options = {}, gives, inSession = gives } of cases(ground)) {
    const args = ["run", "--no-remote", "--node-modules-dir=manual", "--no-prompt", ...flags, file, JSON.stringify(options)];
    const said = await printed(ground, deno, args, file);
    const answers = said.startsWith("[") ? (JSON.parse(said) as unknown[]).map(String) : [said];
    for (const [index, answer] of answers.entries()) {
      const right = index === 0 ? gives : inSession;
      if (!answer.startsWith(right))
        problems.push(`deno ${flags.join(" ")} ${Object.keys(options).join(", ")}: ${answer}\n    and not: ${right}`);
    }
  }
  return problems;
}
