import { Secret } from "../errors/redact.ts";
import type { SignedToken } from "./aws-signer.ts";
import { credentialsExpired, type Environment, environmentCredentials } from "./credentials.ts";
import { signWithDsqlSigner } from "./dsql-signer.ts";
import { signWithRdsSigner } from "./rds-signer.ts";
import { signToken, TOKEN_LIFETIME_S, type TokenService, type TokenTarget } from "./sigv4-token.ts";

/** What tokens are made from. */
export interface IamPasswordOptions {
  readonly service: TokenService;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The region the host is in. */
  readonly region: string;
  /** Read again for every token: credentials are rotated in place. */
  readonly env: () => Environment;
  /** The wall clock, in milliseconds since 1970: the monotonic one may stand still in a frozen environment. */
  readonly now: () => number;
  /** Signs in place of the environment's credentials and AWS' own signers. */
  readonly sign?: (target: TokenTarget) => Promise<SignedToken>;
}

/** Where a pool's passwords come from when IAM says who may log in. */
export interface IamPassword {
  /** A token that is good for a login now: the one kept, or a new one. Those who ask at once share one signing. */
  readonly token: () => Promise<string>;
  /**
   * Tells that the server refused `token` at login (28000, 28P01): the next call of `token` signs anew. A token that has been replaced
   * meanwhile changes nothing, so logins that fail together cost one signing.
   */
  readonly refused: (token: string) => void;
}

/**
 * How long before its end a token is no longer handed out, in milliseconds. From here it has to reach the server within the time a connect may
 * take (5 s by default, and retries), and the server judges by a clock of its own: a minute covers both.
 */
export const TOKEN_MARGIN_MS = 60_000;

interface Kept {
  readonly token: Secret<string>;
  readonly signedAt: number;
  readonly usableUntil: number;
}

/**
 * A source of IAM tokens for one login. A token is kept until 15 minutes have passed or its credentials end, whichever comes first, less
 * {@link TOKEN_MARGIN_MS}. Credentials are the environment's own (Lambda's), else whatever AWS' own signer of the service finds.
 * `token` rejects with `NO_CREDENTIALS`, `CREDENTIALS_EXPIRED` or `SIGNER_MISSING`.
 */
export function iamPassword({ env, now, sign, ...target }: IamPasswordOptions): IamPassword {
  let kept: Kept | undefined;
  let signing: Promise<Kept> | undefined;

  async function signAnew(): Promise<Kept> {
    const signedAt = now();
    const { token, credentialsExpireAt } = await (sign?.(target) ?? signWithFoundCredentials(target, env(), signedAt));
    if (credentialsExpireAt !== null && credentialsExpireAt <= signedAt) throw credentialsExpired(credentialsExpireAt);
    const end = Math.min(signedAt + TOKEN_LIFETIME_S * 1_000, credentialsExpireAt ?? Number.POSITIVE_INFINITY);
    kept = { token: new Secret(token), signedAt, usableUntil: end - TOKEN_MARGIN_MS };
    return kept;
  }

  return {
    async token() {
      const time = now();
      // a clock that was set back would call a token of the future fresh for longer than it is
      if (kept !== undefined && kept.signedAt <= time && time < kept.usableUntil) return kept.token.reveal();
      signing ??= signAnew().finally(() => {
        signing = undefined;
      });
      return (await signing).token.reveal();
    },
    refused(token) {
      if (kept?.token.reveal() === token) kept = undefined;
    },
  };
}

function signWithFoundCredentials(target: TokenTarget, env: Environment, at: number): Promise<SignedToken> | SignedToken {
  const credentials = environmentCredentials(env);
  if (credentials === undefined) return target.service === "dsql" ? signWithDsqlSigner(target) : signWithRdsSigner(target);
  return { token: signToken(target, credentials, at), credentialsExpireAt: credentials.expiresAt };
}
