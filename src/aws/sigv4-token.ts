import { createHash, createHmac } from "node:crypto";
import type { AwsCredentials } from "./credentials.ts";

/** Who logs in where: all that a token is bound to. */
export interface TokenTarget {
  /** The endpoint's own name, as RDS gave it: an alias of it is refused. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
}

/** How long RDS accepts a token, in seconds. Source: AWS documentation, "IAM database authentication". */
export const TOKEN_LIFETIME_S = 900;

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "rds-db";
/** A GET has no body. */
const EMPTY_HASH = createHash("sha256").digest("hex");

/**
 * The token that stands for `user`'s password, signed here and now: a presigned request to `connect`, without its scheme. The same bytes as
 * `@aws-sdk/rds-signer` gives for the same second, without its 408 KB. Nothing goes over the network.
 * @param at the time of signing, in milliseconds since 1970; its second counts.
 * Source: AWS documentation, "Signature Version 4", authentication by query parameters.
 */
export function signToken({ host, port, user, region }: TokenTarget, credentials: AwsCredentials, at: number): string {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${SERVICE}/aws4_request`;
  const query = joinQuery({
    Action: "connect",
    DBUser: user,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(TOKEN_LIFETIME_S),
    ...(credentials.sessionToken !== undefined && { "X-Amz-Security-Token": credentials.sessionToken }),
    "X-Amz-SignedHeaders": "host",
  });
  const request = ["GET", "/", query, `host:${host}:${port}`, "", "host", EMPTY_HASH].join("\n");
  const toSign = [ALGORITHM, time, scope, createHash("sha256").update(request).digest("hex")].join("\n");
  const key = [date, region, SERVICE, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  // where it stands in the order of names
  return `${host}:${port}/?${query.replace("&X-Amz-SignedHeaders=", `&X-Amz-Signature=${signature}&X-Amz-SignedHeaders=`)}`;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** The pairs in the order given, which has to be that of their names. */
function joinQuery(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}=${percentEncode(value)}`)
    .join("&");
}

/** Percent-encodes all but the unreserved characters of RFC 3986; `encodeURIComponent` leaves five more. */
function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
