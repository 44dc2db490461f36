import { ConfigError } from "../errors/errors.ts";

/** What can be guessed is no token. Characters. */
const SHORTEST = 16;

/** Checks the header `Authorization`: `Bearer <token>` of a program, or `Basic` with any name and the token as its password, which browsers ask for by themselves. */
export type TokenCheck = (authorization: string | undefined) => Promise<boolean>;

/** @throws ConfigError INVALID_OPTION for a token that can be guessed */
export function makeTokenCheck(token: string): TokenCheck {
  if (typeof token !== "string" || token.length < SHORTEST) {
    throw new ConfigError(`The dashboard's token is no text of at least ${SHORTEST} characters: take a longer one, at random.`, {
      code: "INVALID_OPTION",
      setting: "token",
    });
  }
  const expected = digest(token);
  return async (authorization) => {
    const given = await digest(tokenOf(authorization ?? ""));
    // of one length, so that neither a common prefix nor the token's length shows in the time
    let difference = 0;
    for (const [place, byte] of (await expected).entries()) difference |= byte ^ (given[place] ?? 0);
    return difference === 0;
  };
}

function tokenOf(authorization: string): string {
  const [, scheme = "", credentials = ""] = /^(Bearer|Basic) +(\S+) *$/i.exec(authorization) ?? [];
  return scheme.toLowerCase() === "basic" ? passwordOf(credentials) : credentials;
}

function passwordOf(credentials: string): string {
  try {
    const pair = new TextDecoder().decode(Uint8Array.from(atob(credentials), (character) => character.charCodeAt(0)));
    return pair.slice(pair.indexOf(":") + 1);
  } catch {
    return "";
  }
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
