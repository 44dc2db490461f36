import type { MiddlewareHandler } from "hono";
import { Problem } from "./problem.ts";
import { sha256 } from "./sha256.ts";

/** Who may write and read statistics. */
export interface AccessRules {
  /** The bearer token to ask for; undefined when none was configured. */
  readonly token: string | undefined;
  /** Whether requests pass without a configured token: only where nobody but this machine can send them. */
  readonly openWithoutToken: boolean;
}

/**
 * Lets a request through that carries `Authorization: Bearer <token>`; 401 for any other, and 403 with the reason when there is no token to
 * compare with. The comparison takes as long for a near miss as for a far one.
 */
export function authorize(rules: AccessRules): MiddlewareHandler {
  return async (c, next) => {
    if (rules.token !== undefined) {
      const given = /^Bearer +(\S+) *$/i.exec(c.req.header("Authorization") ?? "")?.[1];
      if (given === undefined || !(await equalInConstantTime(given, rules.token))) {
        throw new Problem(401, "UNAUTHORIZED", "Send the API token as Authorization: Bearer <token>.", {
          headers: { "WWW-Authenticate": "Bearer" },
        });
      }
    } else if (!rules.openWithoutToken) {
      throw new Problem(
        403,
        "NO_TOKEN_CONFIGURED",
        "Writes and statistics are closed, because this deployment has no API_TOKEN. Set one to open them.",
      );
    }
    await next();
  };
}

/** Compares digests of one length, so that neither a common prefix nor the token's length shows in the time. */
async function equalInConstantTime(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all([sha256(a), sha256(b)]);
  let difference = 0;
  for (const [index, byte] of left.entries()) difference |= byte ^ (right[index] ?? 0);
  return difference === 0;
}
