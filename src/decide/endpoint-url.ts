import { hostProblem, isLoopback } from "./host.ts";

/** What is wrong with the base address of SQL over HTTP, or null. Plain http, which would show the password, only reaches this machine. */
export function endpointProblem(value: unknown): string | null {
  const parts =
    typeof value === "string" ? /^(https?):\/\/(?:\[([^\]]*)\]|([^\s/?#@:[\]]+))(?::(\d{1,5}))?(?:\/[^\s?#]*)?$/.exec(value) : null;
  const host = parts?.[2] ?? parts?.[3];
  const port = Number(parts?.[4] ?? 443);
  if (parts === null || host === undefined || hostProblem(host) !== null || port < 1 || port > 65_535) {
    return "must be like https://sql.example.com, without user, password, query or fragment";
  }
  if (parts[1] === "http" && !isLoopback(host)) return "must be https; http is only for this machine";
  return null;
}

/** The addresses for statements and sessions under a base address. */
export function endpointUnder(base: string): { readonly sqlUrl: string; readonly sessionUrl: string } {
  const trimmed = base.replace(/\/+$/, "");
  return Object.freeze({ sqlUrl: `${trimmed}/sql`, sessionUrl: `${trimmed.replace(/^http/, "ws")}/v2` });
}
