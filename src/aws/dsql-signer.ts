import { type SignedToken, signerMissing, tokenOf } from "./aws-signer.ts";
import { DSQL_ADMIN, type TokenTarget } from "./sigv4-token.ts";

/**
 * Signs a token for Aurora DSQL with `@aws-sdk/dsql-signer`, as `signWithRdsSigner` does for RDS.
 * @throws {ConfigError} `SIGNER_MISSING` where the package is not installed.
 * @throws {ConnectionError} `NO_CREDENTIALS` where the chain finds none.
 */
export async function signWithDsqlSigner({ host, user, region }: Pick<TokenTarget, "host" | "user" | "region">): Promise<SignedToken> {
  const Signer = await loadSigner();
  return tokenOf(new Signer({ hostname: host, region }), (signer) =>
    user === DSQL_ADMIN ? signer.getDbConnectAdminAuthToken() : signer.getDbConnectAuthToken(),
  );
}

/** The piece of the package that is used. */
type SignerClass = new (config: {
  readonly hostname: string;
  readonly region: string;
}) => { getDbConnectAuthToken(): Promise<string>; getDbConnectAdminAuthToken(): Promise<string> };

async function loadSigner(): Promise<SignerClass> {
  try {
    // inside `try`, so that a bundler that cannot find it warns and goes on
    const loaded = await import("@aws-sdk/dsql-signer");
    // the package is CommonJS, of which some bundlers give `default` alone
    return loaded.DsqlSigner ?? (loaded as unknown as { readonly default: typeof loaded }).default.DsqlSigner;
  } catch {
    throw signerMissing("@aws-sdk/dsql-signer");
  }
}
