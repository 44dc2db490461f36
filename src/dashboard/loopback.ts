import { isOwnAuthority } from "../endpoint/this-machine.ts";

/** What is read of a request. */
export interface Asked {
  readonly raw: Request;
  header(name: string): string | undefined;
}

/** What proxies add, by the names in use. They are not believed: one of them is enough for a request not to be from here. */
const FORWARDING = /forwarded|(client|connecting|real)-ip$|^(via|cdn-loop|cf-.*|x-(original|envoy|real|scheme|amzn-trace-id).*)$/i;

const LOOPBACK = /^(::ffff:)?127(\.\d{1,3}){3}$|^::1$/i;

/**
 * Whether a request was sent from this machine, to a name of its own, by nobody else's page. That the platform says of the socket; no header
 * can. But a proxy on this machine and a page whose name leads here (DNS rebinding) send from here, too: so `Host`, an absolute target and `Origin`
 * have to be of this machine, a header of a proxy refuses, and HTTP/1.0, which nginx speaks where it is told nothing and no browser does; and in
 * production nothing is from here.
 *
 * @param env what the platform hands to `fetch` beside the request
 */
export function isFromLoopback(request: Asked, env: unknown): boolean {
  const { address, version } = connectionOf(request.raw, env);
  const origin = request.header("Origin");
  return (
    address !== undefined &&
    LOOPBACK.test(address) &&
    version !== "1.0" &&
    isOwnAuthority(request.header("Host") ?? "") &&
    isOwnAuthority(URL.parse(request.raw.url)?.host ?? "") &&
    (origin === undefined || isOwnAuthority(/^https?:\/\/(.*)$/i.exec(origin)?.[1] ?? "")) &&
    request.header("Sec-Fetch-Site") !== "cross-site" &&
    [...request.raw.headers.keys()].every((name) => !FORWARDING.test(name)) &&
    isDevelopment()
  );
}

/** What `@hono/node-server`, Deno and Bun pass on. Workers, Lambda and the like pass none of it, and there nothing is from here. */
interface PlatformEnv {
  readonly server?: PlatformEnv;
  readonly incoming?: {
    readonly httpVersion?: string;
    readonly socket?: {
      readonly remoteAddress?: string;
      readonly server?: { readonly listening?: boolean };
      setTimeout?(ms: number): unknown;
    };
  };
  readonly remoteAddr?: { readonly hostname?: string };
  requestIP?(request: Request): { readonly address?: string } | null;
}

/** What the platform tells in what it hands on, which may be anything. */
export function platformOf(env: unknown): PlatformEnv {
  return typeof env === "object" && env !== null ? ((env as PlatformEnv).server ?? (env as PlatformEnv)) : {};
}

function connectionOf(request: Request, env: unknown): { readonly address?: string | undefined; readonly version?: string | undefined } {
  try {
    const { incoming, remoteAddr, requestIP } = platformOf(env);
    const address = incoming?.socket?.remoteAddress ?? remoteAddr?.hostname ?? requestIP?.call(platformOf(env), request)?.address;
    return { address, version: incoming?.httpVersion };
  } catch {
    // a binding of the application that has one of these names
    return {};
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
