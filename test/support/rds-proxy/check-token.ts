import { createHash, createHmac } from "node:crypto";

/** Credentials as the authority knows them. */
export interface KnownCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What a token has to be good for. */
export interface TokenExpectation {
  /** By the name it has in tokens. Default `rds-db`. */
  readonly service?: "rds-db" | "dsql";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly region: string;
  readonly now: number;
  readonly credentials: ReadonlyMap<string, KnownCredentials>;
}

/** How far a token's date may lie in the future. Source: AWS documentation, "Signature Version 4", five minutes of clock skew. */
const SKEW_MS = 300_000;

/**
 * What is wrong with an IAM token, in words; undefined where it is good. Reads the token as a server does, from its text alone, and signs the
 * request it stands for again.
 */
export function findTokenFault(token: string, expected: TokenExpectation): string | undefined {
  const [place, queryText] = token.split("/?");
  if (queryText === undefined) return "no token";
  const isDsql = expected.service === "dsql";
  if (place !== (isDsql ? expected.host : `${expected.host}:${expected.port}`)) return "another host";
  const query = new Map([...new URLSearchParams(queryText.replaceAll("+", "%2B"))]);
  const get = (name: string) => query.get(name) ?? "";
  const action = isDsql ? (expected.user === "admin" ? "DbConnectAdmin" : "DbConnect") : "connect";
  if (get("Action") !== action) return "another action";
  if (!isDsql && get("DBUser") !== expected.user) return "another user";
  if (get("X-Amz-Algorithm") !== "AWS4-HMAC-SHA256" || get("X-Amz-SignedHeaders") !== "host") return "another algorithm";
  const [accessKeyId = "", date, region, service, end] = get("X-Amz-Credential").split("/");
  if (region !== expected.region) return "another region";
  if (service !== (expected.service ?? "rds-db") || end !== "aws4_request") return "another service";
  const known = expected.credentials.get(accessKeyId);
  if (known === undefined) return "unknown credentials";
  if (query.get("X-Amz-Security-Token") !== known.sessionToken) return "another session token";

  const time = get("X-Amz-Date");
  const signedAt = Date.parse(time.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5"));
  if (Number.isNaN(signedAt) || date !== time.slice(0, 8)) return "no date";
  if (get("X-Amz-Expires") !== "900") return "another lifetime";
  if (signedAt > expected.now + SKEW_MS) return "not valid yet";
  if (expected.now >= signedAt + 900_000) return "expired";

  const signature = get("X-Amz-Signature");
  query.delete("X-Amz-Signature");
  const canonicalQuery = [...query]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
  const request = `GET\n/\n${canonicalQuery}\nhost:${place}\n\nhost\n${sha256("")}`;
  let key: Buffer = Buffer.from(`AWS4${known.secretAccessKey}`);
  for (const part of [date, region, service, end]) key = createHmac("sha256", key).update(part).digest();
  const right = createHmac("sha256", key).update(`AWS4-HMAC-SHA256\n${time}\n${date}/${region}/${service}/${end}\n${sha256(request)}`);
  return right.digest("hex") === signature ? undefined : "another signature";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${Buffer.from(sign).toString("hex").toUpperCase()}`);
}
