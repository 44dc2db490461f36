import type { IncomingMessage } from "node:http";

/** A host as `Host` writes it, an IPv6 address in brackets with its zone, and a port. Source: RFC 9110, 7.2; RFC 3986, 3.2; RFC 6874. */
const AUTHORITY = /^(\[[\da-f:.]+(?:%[\w.~-]+)?\]|[\w.-]+)(?::(\d*))?$/i;

/** The names that lead to this machine whatever a name server says, as the URL standard writes them. Source: RFC 6761, 6.3; RFC 4291, 2.5. */
const OWN_NAME = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\]|\[::ffff:7f[\da-f]{2}:[\da-f]{1,4}\])$/;

/**
 * Whether a request was sent to this machine by a name of its own, and by no page of another site. Any site a developer has open may send
 * requests to loopback, and let its own name lead there (DNS rebinding): then only `Host` tells, which no page can choose. `Origin` stands on
 * every POST and WebSocket of another site. A request with several of them, or none of `Host`, is not of this machine.
 */
export function isFromThisMachine(request: Pick<IncomingMessage, "headersDistinct" | "url">): boolean {
  const { host = [], origin = [] } = request.headersDistinct;
  const target = absoluteTarget(request.url);
  return (
    host.length === 1 &&
    [...host, ...(target === undefined ? [] : [target.authority])].every(isOwnAuthority) &&
    origin.every((page) => isOwnAuthority(/^https?:\/\/(.*)$/i.exec(page)?.[1] ?? ""))
  );
}

/** A request's path, without its query, whichever form its target has. */
export function pathOf({ url = "" }: Pick<IncomingMessage, "url">): string {
  return (absoluteTarget(url)?.path ?? url).split("?", 1)[0] ?? "";
}

/** The pieces of a target in absolute form, which stands above `Host`. Source: RFC 9112, 3.2.2. */
function absoluteTarget(url = ""): { readonly authority: string; readonly path: string } | undefined {
  const [, authority, path = ""] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? [];
  return authority === undefined ? undefined : { authority, path };
}

/** Whether a host, as `Host` writes it, is a name of this machine whatever a name server says. */
export function isOwnAuthority(authority: string): boolean {
  const [, host = "", port = ""] = AUTHORITY.exec(authority) ?? [];
  const url = URL.parse(`http://${host.replace(/%.*/, "]")}`);
  return url !== null && Number(port) <= 65_535 && OWN_NAME.test(url.hostname.replace(/\.$/, ""));
}
