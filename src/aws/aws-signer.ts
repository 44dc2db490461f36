import { ConfigError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { noCredentials } from "./credentials.ts";

/** A token, and when the credentials it was signed with end: milliseconds since 1970, or null where nobody says. */
export interface SignedToken {
  readonly token: string;
  readonly credentialsExpireAt: number | null;
}

/**
 * What one of AWS' own signers gives, which asks AWS' default chain for credentials: profiles, SSO, containers, instances.
 * @throws {ConnectionError} `NO_CREDENTIALS` where the chain finds none.
 */
export async function tokenOf<Signer extends object>(signer: Signer, ask: (signer: Signer) => Promise<string>): Promise<SignedToken> {
  try {
    const token = await ask(signer);
    return { token, credentialsExpireAt: await expirationOf(signer) };
  } catch (error) {
    throw noCredentials(redactedCause(error));
  }
}

/** The package that would look for credentials is not installed. */
export function signerMissing(name: string): ConfigError {
  return new ConfigError(
    `The environment holds no AWS credentials, and the package that looks for them elsewhere is missing: npm install ${name}`,
    { code: "SIGNER_MISSING", setting: "auth" },
  );
}

/** The signer remembers the credentials it signed with, and tells nobody. Without them the token's own lifetime has to do. */
async function expirationOf(signer: object): Promise<number | null> {
  const { credentials } = signer as { readonly credentials?: unknown };
  const found: unknown = typeof credentials === "function" ? await credentials() : credentials;
  const { expiration } = (found ?? {}) as { readonly expiration?: unknown };
  return expiration instanceof Date ? expiration.getTime() : null;
}
