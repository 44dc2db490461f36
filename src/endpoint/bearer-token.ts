import { createHash, timingSafeEqual } from "node:crypto";

/** A check of the header `Authorization` for `Bearer <token>`, in a time that tells nothing about the token. Without a token all may pass. */
export function createTokenCheck(token: string | undefined): (authorization: string | undefined) => boolean {
  if (token === undefined) return () => true;
  const expected = digest(`Bearer ${token}`);
  return (authorization) => timingSafeEqual(digest(authorization ?? ""), expected);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
