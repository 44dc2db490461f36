import type { Address } from "./address.ts";
import { refusal } from "./refuse.ts";
import type { DetectedTarget } from "./target.ts";
import { chooseTls } from "./tls.ts";

/**
 * Whether the login at `address` is made with IAM tokens: where `auth` says so, or the target takes them and no password was given.
 * @throws {ConfigError} where the target takes none, a password was given too, or TLS would not be verified.
 */
export function usesIam(address: Address, target: Pick<DetectedTarget, "name" | "capabilities">): boolean {
  const { auth, password } = address;
  const takesTokens = target.capabilities.iam;
  if (auth === "password" || (auth === null && (!takesTokens || password !== null))) return false;
  if (!takesTokens)
    throw refusal("auth", `left out: ${target.name} takes no IAM tokens; on a name of its own, give target rds-proxy, rds or dsql`);
  if (password !== null) throw refusal("password", "left out with auth iam, also in the URL and PGPASSWORD");
  if (chooseTls(address).mode !== "verify") throw refusal("sslMode", "require with IAM: the token is sent as it is");
  return true;
}
