import { isOwnAuthority } from "../endpoint/this-machine.ts";

/** What is read of a request. */
export interface Asked {
  readonly raw: Request;
  header(name: string): string | undefined;
}

/** What a proxy adds. They are not believed: one of them is enough for a request not to be from here. */
const forwarding = ["Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "CF-Connecting-IP"];

const LOOPBACK = /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/i;

/**
 * Whether a request was sent from this machine, to a name of its own, by nobody else's page. That the platform says of the socket; no header
 * can. But a proxy on this machine and a page whose name leads here (DNS rebinding) send from here, too: so `Host` and `Origin` have to be of
 * this machine, a header of a proxy refuses, and in production nothing is from here.
 *
 * @param env what the platform hands to `fetch` beside the request
 */
export function isFromLoopback(request: Asked, env: unknown): boolean {
  const address = remoteAddress(request.raw, env);
  const origin = request.header("Origin");
  return (
    address !== undefined &&
    LOOPBACK.test(address) &&
    isOwnAuthority(request.header("Host") ?? "") &&
    (origin === undefined || isOwnAuthority(/^https?:\/\/(.*)$/i.exec(origin)?.[1] ?? "")) &&
    request.header("Sec-Fetch-Site") !== "cross-site" &&
    forwarding.every((name) => request.header(name) === undefined) &&
    isDevelopment()
  );
}

/** What `@hono/node-server`, Deno and Bun pass on. Workers, Lambda and the like pass none of it, and there nothing is from here. */
interface PlatformEnv {
  readonly server?: PlatformEnv;
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  readonly remoteAddr?: { readonly hostname?: string };
  requestIP?(request: Request): { readonly address?: string } | null;
}

function remoteAddress(request: Request, env: unknown): string | undefined {
  if (typeof env !== "object" || env === null) return undefined;
  const platform = (env as PlatformEnv).server ?? (env as PlatformEnv);
  try {
    return platform.incoming?.socket?.remoteAddress ?? platform.remoteAddr?.hostname ?? platform.requestIP?.(request)?.address;
  } catch {
    // a binding of the application that has one of these names
    return undefined;
  }
}

/** Where the variable may not be read it is taken for production. */
function isDevelopment(): boolean {
  try {
    return typeof process === "object" && process.env.NODE_ENV !== "production";
  } catch {
    return false;
  }
}
