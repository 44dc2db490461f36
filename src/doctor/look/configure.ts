import { checkOptions } from "../../decide/check.ts";
import { detectRuntime, runtimeNames } from "../../decide/detect-runtime.ts";
import { isLoopback, isSocketFolder } from "../../decide/host.ts";
import { makePlan, type Plan } from "../../decide/plan.ts";
import { overPool } from "../../decide/pool-size.ts";
import { resolveSettings } from "../../decide/settings.ts";
import { detectTarget } from "../../decide/target.ts";
import { chooseTls } from "../../decide/tls.ts";
import { overHttp } from "../../decide/transport-choice.ts";
import { ConfigError } from "../../errors/errors.ts";
import type { Configured } from "../evidence.ts";
import { passwordEndOf } from "./password-end.ts";
import { failed, type Looked } from "./unseen.ts";

/** What the settings are read from. */
export interface Given {
  /** Instead of `DATABASE_URL`. */
  readonly url?: string;
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly now: number;
}

/** Reads the settings as `createDatabase` would, with these variables, and plans with them. Connects to nothing. */
export function configure({ url, variables, now }: Given): Looked<Configured> {
  const urlName = url === undefined ? "DATABASE_URL" : "--url";
  try {
    const settings = resolveSettings(checkOptions(url === undefined ? {} : { url }, runtimeNames), variables);
    const surroundings = { global: globalThis, env: variables };
    const runtime = detectRuntime(surroundings, null);
    const target = detectTarget(settings.address, settings.target, settings.endpoint);
    const plan = makePlan({ runtime, target, settings, available: { choices: [overPool, overHttp], webSocket: true } });
    const written = settings.address.password?.reveal();
    const passwordEndsAt = typeof written === "string" ? passwordEndOf(written) : null;
    const sslmode = parameterOf(url ?? variables.DATABASE_URL ?? "", "sslmode");
    const tls = chooseTls(settings.address);
    const deadlineOnLambdaMs = settings.deadlineMs ?? detectRuntime(surroundings, "lambda").deadline?.ms ?? plan.deadlineMs;
    const isLocal = isOnThisMachine(plan) && variables.NODE_ENV !== "production";
    return { value: { settings, plan, tls, isLocal, urlName, sslmode, deadlineOnLambdaMs, passwordEndsAt, now } };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    // a setting's name, never its value
    const message = error.message.replaceAll("The setting url ", `The setting ${urlName} `).replaceAll(" in url ", ` in ${urlName} `);
    return failed("settings-refused", message, `${urlName}=postgres://user:password@host:5432/database?sslmode=verify-full`, urlName);
  }
}

/** Serverless instances are elsewhere, whatever a tunnel of theirs is called. */
function isOnThisMachine({ runtime, server: { host, others } }: Plan): boolean {
  const isHere = (one: string) => isLoopback(one) || isSocketFolder(one);
  return ["node", "bun", "deno"].includes(runtime) && [host, ...others.map((other) => other.host)].every(isHere);
}

/** A parameter of a URL that was found to be one. */
function parameterOf(url: string, name: string): string | null {
  return new URLSearchParams(url.split("?")[1] ?? "").get(name);
}
