import { createHash, createHmac } from "node:crypto";
import type { AwsCredentials } from "./credentials.ts";

/** Who logs in where: all that a token is bound to. */
export interface TokenTarget {
  /** What takes the token: RDS and its proxy, or Aurora DSQL. */
  readonly service: TokenService;
  /** The endpoint's own name, as AWS gave it: an alias of it is refused. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
}

/** A service of AWS that takes tokens for passwords, by the name it has in them. */
export type TokenService = "rds-db" | "dsql";

/**
 * How long a token is accepted, in seconds: by RDS always, by Aurora DSQL where it was signed for so long. Source: AWS documentation, "IAM
 * database authentication", and `@aws-sdk/dsql-signer`, whose default it is.
 */
export const TOKEN_LIFETIME_S = 900;

const ALGORITHM = "AWS4-HMAC-SHA256";
/** A GET has no body. */
const EMPTY_HASH = createHash("sha256").digest("hex");

/** Whoever logs in to Aurora DSQL as this one needs the action DbConnectAdmin; everybody else, DbConnect. Source: its documentation. */
export const DSQL_ADMIN = "admin";

/** What the request asks for, and of which host; DSQL's token names no user, and its host no port. */
const requests: Readonly<Record<TokenService, (target: TokenTarget) => { readonly place: string; readonly asks: Record<string, string> }>> =
  {
    "rds-db": ({ host, port, user }) => ({ place: `${host}:${port}`, asks: { Action: "connect", DBUser: user } }),
    dsql: ({ host, user }) => ({ place: host, asks: { Action: user === DSQL_ADMIN ? "DbConnectAdmin" : "DbConnect" } }),
  };

/**
 * The token that stands for `user`'s password, signed here and now: a presigned request to connect, without its scheme. The same bytes as
 * `@aws-sdk/rds-signer` and `@aws-sdk/dsql-signer` give for the same second, without their 400 KB. Nothing goes over the network.
 * @param at the time of signing, in milliseconds since 1970; its second counts.
 * Source: AWS documentation, "Signature Version 4", authentication by query parameters.
 */
export function signToken(target: TokenTarget, credentials: AwsCredentials, at: number): string {
  const { service, region } = target;
  const { place, asks } = requests[service](target);
  const time = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const date = time.slice(0, 8);
  const scope = `${date}/${region}/${service}/aws4_request`;
  const query = joinQuery({
    ...asks,
    "X-Amz-Algorithm": ALGORITHM,
    "X-Amz-Credential": `${credentials.accessKeyId}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": String(TOKEN_LIFETIME_S),
    ...(credentials.sessionToken !== undefined && { "X-Amz-Security-Token": credentials.sessionToken }),
    "X-Amz-SignedHeaders": "host",
  });
  const request = ["GET", "/", query, `host:${place}`, "", "host", EMPTY_HASH].join("\n");
  const toSign = [ALGORITHM, time, scope, createHash("sha256").update(request).digest("hex")].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, toSign).toString("hex");
  // where it stands in the order of names
  return `${place}/?${query.replace("&X-Amz-SignedHeaders=", `&X-Amz-Signature=${signature}&X-Amz-SignedHeaders=`)}`;
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
