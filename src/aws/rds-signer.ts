import { type SignedToken, signerMissing, tokenOf } from "./aws-signer.ts";
import type { TokenTarget } from "./sigv4-token.ts";

/**
 * Signs a token with `@aws-sdk/rds-signer`, which finds credentials wherever AWS's default chain does: profiles, SSO, containers, instances.
 * The package is loaded by the first call; every call asks the chain anew, so rotated credentials are found.
 * @throws {ConfigError} `SIGNER_MISSING` where the package is not installed.
 * @throws {ConnectionError} `NO_CREDENTIALS` where the chain finds none.
 */
export async function signWithRdsSigner({ host, port, user, region }: Omit<TokenTarget, "service">): Promise<SignedToken> {
  const Signer = await loadSigner();
  return tokenOf(new Signer({ hostname: host, port, username: user, region }), (signer) => signer.getAuthToken());
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
    throw signerMissing("@aws-sdk/rds-signer");
  }
}
