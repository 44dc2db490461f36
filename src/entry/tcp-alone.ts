import { refusal } from "../decide/refuse.ts";
import type { DatabaseOptions } from "../decide/settings.ts";

/** Refuses what only HTTP needs, where there is none. @throws ConfigError INVALID_SETTING */
export function refuseHttp({ endpoint, transport }: DatabaseOptions): void {
  const setting = endpoint !== undefined ? "endpoint" : transport === "http" ? "transport" : undefined;
  if (setting === undefined) return;
  throw refusal(setting, `left out: warmline/tcp speaks no HTTP. To use it, import createDatabase from "warmline"`);
}
