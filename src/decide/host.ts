/** What a host may look like. */
export const hostForms: readonly RegExp[] = [
  // the folder of a Unix socket
  /^\/[^\0\r\n]{0,99}$/,
  // IPv6, with its zone
  /^(?=.*:.*:)[\da-f:.]{2,45}(%[\w.-]+)?$/i,
  // IPv4: four numbers up to 255
  /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.(?!$)|$)){4}$/,
  // a name in ASCII, which is not all digits and dots
  /^(?![\d.]+$|.*\.\.)\w([\w.-]{0,251}[\w.])?$/,
];

/** Whether a host is this machine by TCP: `localhost` and names below it, 127.0.0.0/8, `::1`. */
export function isLoopback(host: string): boolean {
  return /^((.+\.)?localhost|127(\.\d+){3}|[0:]+1)$/i.test(host);
}

/** Whether a host is a name below `localhost`, which leads to this machine only where a resolver says so. */
export function isBelowLocalhost(host: string): boolean {
  return /\.localhost$/i.test(host);
}

/** Whether a host is the folder of a Unix socket. */
export function isSocketFolder(host: string): boolean {
  return host.startsWith("/");
}

/** Hyperdrive's own host, inside a worker; a port may follow. Elsewhere it is a name of the local network, which anybody there may answer to. */
export const HYPERDRIVE_HOST = /\.hyperdrive\.local(:|$)/i;
