import { ConnectionError } from "../errors/errors.ts";

/** Variables as the process has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What AWS knows a caller by. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** There with temporary credentials, as a Lambda function has. */
  readonly sessionToken: string | undefined;
  /** When they end, in milliseconds since 1970; null where nobody says. */
  readonly expiresAt: number | null;
}

/**
 * The credentials in the environment, which is where Lambda puts them; undefined where there are none, or where `AWS_PROFILE` asks for others.
 * Variables and order as in AWS's own default chain. Source: @aws-sdk/credential-provider-node 3.
 */
export function environmentCredentials(env: Environment): AwsCredentials | undefined {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_CREDENTIAL_EXPIRATION } = env;
  if (AWS_PROFILE || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY) return undefined;
  const expiresAt = Date.parse(AWS_CREDENTIAL_EXPIRATION ?? "");
  return {
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    sessionToken: AWS_SESSION_TOKEN || undefined,
    expiresAt: Number.isNaN(expiresAt) ? null : expiresAt,
  };
}

/** Nobody gave credentials to sign with. `cause` is what AWS's own package said. */
export function noCredentials(cause: Error | undefined): ConnectionError {
  return new ConnectionError(
    "No AWS credentials were found. Give the function or task a role; elsewhere set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`.",
    { code: "NO_CREDENTIALS", fate: "not-sent", ...(cause && { cause }) },
  );
}

/** The credentials that were found have ended. */
export function credentialsExpired(expiresAt: number): ConnectionError {
  return new ConnectionError(
    `The AWS credentials ended at ${new Date(expiresAt).toISOString()}. Renew them (\`aws sso login\`, or new AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN), and check this machine's clock.`,
    { code: "CREDENTIALS_EXPIRED", fate: "not-sent" },
  );
}
