import { ConfigError } from "../errors/errors.ts";
import { redactedCause } from "../errors/redact.ts";
import { noCredentials } from "./credentials.ts";
import type { TokenTarget } from "./sigv4-token.ts";

/** A token, and when the credentials it was signed with end: milliseconds since 1970, or null where nobody says. */
export interface SignedToken {
  readonly token: string;
  readonly credentialsExpireAt: number | null;
}

/**
 * Signs a token with `@aws-sdk/rds-signer`, which finds credentials wherever AWS's default chain does: profiles, SSO, containers, instances.
 * The package is loaded by the first call; every call asks the chain anew, so rotated credentials are found.
 * @throws {ConfigError} `SIGNER_MISSING` where the package is not installed.
 * @throws {ConnectionError} `NO_CREDENTIALS` where the chain finds none.
 */
export async function signWithRdsSigner({ host, port, user, region }: TokenTarget): Promise<SignedToken> {
  const Signer = await loadSigner();
  const signer = new Signer({ hostname: host, port, username: user, region });
  try {
    const token = await signer.getAuthToken();
    return { token, credentialsExpireAt: await expirationOf(signer) };
  } catch (error) {
    throw noCredentials(redactedCause(error));
  }
}

/** The piece of the package that is used. */
type SignerClass = new (config: {
  readonly hostname: string;
  readonly port: number;
  readonly username: string;
  readonly region: string;
}) => { getAuthToken(): Promise<string> };

async function loadSigner(): Promise<SignerClass> {
  try {
    // inside `try`, so that a bundler that cannot find it warns and goes on
    const loaded = await import("@aws-sdk/rds-signer");
    // the package is CommonJS, of which some bundlers give `default` alone
    return loaded.Signer ?? (loaded as unknown as { readonly default: typeof loaded }).default.Signer;
  } catch {
    throw new ConfigError(
      "The environment holds no AWS credentials, and the package that looks for them elsewhere is missing: npm install @aws-sdk/rds-signer",
      { code: "SIGNER_MISSING", setting: "auth" },
    );
  }
}

/** The signer remembers the credentials it signed with, and tells nobody. Without them the token's own lifetime has to do. */
async function expirationOf(signer: object): Promise<number | null> {
  const { credentials } = signer as { readonly credentials?: unknown };
  const found: unknown = typeof credentials === "function" ? await credentials() : credentials;
  const { expiration } = (found ?? {}) as { readonly expiration?: unknown };
  return expiration instanceof Date ? expiration.getTime() : null;
}
