import { runtimeNames } from "../../src/decide/detect-runtime.ts";
import { checkOptions, resolveSettings } from "../../src/decide/settings.ts";
import { chooseTls } from "../../src/decide/tls.ts";
import { createDatabase } from "../../src/entry/node.ts";
import { ConfigError } from "../../src/errors/errors.ts";

/** The heading of a table that says what is planned for a URL. */
export const planHeading = "| target | TLS | Node | Lambda | Workers | session state | startup options |";

const yesNo = (value: boolean): string => (value ? "yes" : "no");

/** What is planned for a URL, as a row of that table. */
export function planRow(url: string): string {
  const planned = (runtime: "node" | "lambda" | "workerd") => createDatabase({ url, runtime }).plan;
  const { target, capabilities, max } = planned("node");
  const { mode } = chooseTls(resolveSettings(checkOptions(url, runtimeNames), {}).address);
  const tls = { verify: "verified", "no-verify": "not verified", disable: "none" }[mode];
  const sized = (connections: number) => (connections === 1 ? "1" : `pool of ${connections}`);
  const row = [
    `\`${target}\``,
    tls,
    sized(max),
    sized(planned("lambda").max),
    overHttp(() => planned("workerd").transport),
    yesNo(capabilities.sessionState),
    yesNo(capabilities.startupParameters),
  ];
  return `| ${row.join(" | ")} |`;
}

/** How a Worker gets there. */
function overHttp(transport: () => string): string {
  try {
    return transport() === "http" ? "SQL over HTTP" : transport();
  } catch (error) {
    if (error instanceof ConfigError && error.code === "NO_TRANSPORT") return "`hyperdrive()`";
    throw error;
  }
}
