const OF_THIS_MACHINE = /^https?:\/\/([^/]+\.)?(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * Whether a request comes from no browser page, or from a page of this machine. Any site a developer has open may send requests to loopback, and
 * a database on it often has a password that can be guessed. Browsers put `Origin` on every POST and WebSocket of another site, and a page
 * cannot leave it out.
 */
export function isFromThisMachine(origin: string | undefined): boolean {
  return origin === undefined || OF_THIS_MACHINE.test(origin);
}
