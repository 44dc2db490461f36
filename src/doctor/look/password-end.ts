/** A SigV4 presigned token of AWS says when it was made, and for how many seconds it holds. Source: AWS documentation, "Signature Version 4". */
function awsTokenEnd(password: string): number | null {
  const parameters = new URLSearchParams(password.split("?")[1] ?? "");
  const made = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(parameters.get("X-Amz-Date") ?? "");
  const seconds = Number(parameters.get("X-Amz-Expires"));
  if (made === null || !(seconds > 0)) return null;
  const [, year, month, day, hour, minute, second] = made.map(Number) as [number, number, number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute, second) + seconds * 1_000;
}

/** A JSON Web Token, which Azure and Google give for passwords, has its end in `exp`. Source: RFC 7519. */
function jsonWebTokenEnd(password: string): number | null {
  const [, payload, signature, ...more] = password.split(".");
  if (payload === undefined || signature === undefined || more.length > 0 || !password.startsWith("ey")) return null;
  try {
    const { exp } = JSON.parse(Buffer.from(payload, "base64url").toString()) as { readonly exp?: unknown };
    return typeof exp === "number" ? exp * 1_000 : null;
  } catch {
    return null;
  }
}

/** When a password ends by what it says itself, milliseconds since 1970; null for one that says nothing. */
export function passwordEndOf(password: string): number | null {
  return awsTokenEnd(password) ?? jsonWebTokenEnd(password);
}
