import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { settingNames } from "../../src/decide/check.ts";
import { runtimeNames } from "../../src/decide/detect-runtime.ts";
import { sslModes } from "../../src/decide/options.ts";
import { budgets, poolDefaults } from "../../src/decide/pool-size.ts";
import { checkOptions, resolveSettings } from "../../src/decide/settings.ts";
import { table } from "../../src/decide/table.ts";
import { detectTarget, type TargetName, targets } from "../../src/decide/target.ts";
import { chooseTls } from "../../src/decide/tls.ts";

const document = readFileSync(new URL("../../docs/settings.md", import.meta.url), "utf8");

/** The rows of the table whose first column has this heading, as cells without backticks. */
function tableUnder(heading: string): string[][] {
  const lines = document.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} |`));
  expect(start, `a table headed ${heading}`).toBeGreaterThan(-1);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end === -1 ? undefined : end).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim().replaceAll("`", "")),
  );
}

const yesNo = (value: boolean): string => (value ? "yes" : "no");

describe("the settings document", () => {
  const rows = tableUnder("option");

  test("names every setting once, and no other", () => {
    expect(rows.map(([name]) => name).sort()).toEqual([...settingNames].sort());
  });

  test("gives the variable and the URL parameter of every setting", () => {
    for (const [name = "", variable, parameter = ""] of rows) {
      const [, , ownVariable = null, ownParameter = null] = table[name as keyof typeof table] ?? [];
      expect(variable, name).toBe(name === "url" ? "DATABASE_URL" : (ownVariable ?? "–"));
      if (ownParameter !== null) expect(parameter, name).toBe(ownParameter);
      else expect(["–", "the path", "before the @"], name).toContain(parameter);
    }
  });

  test("gives the default of every setting", () => {
    const settings = resolveSettings(checkOptions("postgres://u@h/d", runtimeNames), {});
    const values: Readonly<Record<string, unknown>> = {
      ...settings,
      ...settings.address,
      types: "{}",
    };
    const inWords = ["–", "none", "by plan", "by host", "found out", "told from the host", "the server's", "the runtime's store", "off"];
    const given = ["url", "host", "database", "user", "sslMode", "ca"];
    for (const [name = "", , , shown = ""] of rows) {
      const value = given.includes(name) ? null : (values[name] ?? null);
      if (value === null) expect(inWords, name).toContain(shown);
      else expect(shown, name).toBe(String(value));
    }
  });

  test("tells what every sslmode means", () => {
    const modes = tableUnder("sslmode").filter(([mode]) => mode !== "not given");
    const taken = modes.filter(([, , , , note]) => !note?.startsWith("Refused"));
    expect(taken.map(([mode]) => mode).sort()).toEqual([...sslModes].sort());
    for (const [mode = "", encrypted, chain, hostName, note = ""] of taken) {
      const { warnings, ...tls } = chooseTls(resolveSettings(checkOptions(`postgres://u@h/d?sslmode=${mode}`, runtimeNames), {}).address);
      expect(encrypted, mode).toBe(yesNo(tls.mode !== "disable"));
      for (const verified of [chain, hostName]) expect(verified, mode).toBe(tls.mode === "disable" ? "–" : yesNo(tls.mode === "verify"));
      expect(note.includes("warning"), mode).toBe(warnings.length > 0);
    }
    for (const [mode = ""] of modes.filter((row) => !taken.includes(row))) {
      expect(() => checkOptions({ sslMode: mode }, runtimeNames)).toThrow(/write require/);
    }
  });

  test("tells every runtime, in the order they are looked for", () => {
    const told = tableUnder("where it runs").flatMap(([names = ""]) => names.split(", "));
    // of the two kinds of Lambda the rarer sign comes first
    expect(told).toEqual(
      [...runtimeNames].flatMap((name) => (name === "lambda" ? [] : name === "lambda-managed" ? [name, "lambda"] : name)),
    );
  });

  test("gives the size of the pool in every runtime", () => {
    const shown = tableUnder("runtime").map(([runtime, max, idle]) => [runtime, Number(max), Number(idle)]);
    expect(shown).toEqual(Object.entries(poolDefaults).map(([runtime, { max, idleTimeoutMs }]) => [runtime, max, idleTimeoutMs]));
  });

  test("gives the capabilities and the budget of every target", () => {
    const shown = tableUnder("target").map(([name, , ...cells]) => [name, ...cells]);
    const expected = (Object.keys(targets) as TargetName[]).map((name) => {
      const can = detectTarget({ host: "h", port: 1 }, name, null).capabilities;
      return [
        name,
        String(budgets[name as keyof typeof budgets] ?? "plenty"),
        ...[can.httpSql, can.startupParameters, can.sessionState, can.cancel].map(yesNo),
      ];
    });
    expect(shown.sort()).toEqual(expected.sort());
  });
});
