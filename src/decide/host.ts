/** Whether a host is this machine by TCP: `localhost`, 127.0.0.0/8, `::1`. */
export function isLoopback(host: string): boolean {
  return /^(localhost|.+\.localhost|127(\.\d{1,3}){3}|(0{0,4}:){2,7}0{0,3}1)$/i.test(host);
}

/** Whether a host is the folder of a Unix socket. */
export function isSocketFolder(host: string): boolean {
  return host.startsWith("/");
}

/** Whether a host is Hyperdrive's own, inside a worker. */
export function isHyperdrive(host: string): boolean {
  return /\.hyperdrive\.local$/i.test(host);
}

/** What is wrong with a host, or null. */
export function hostProblem(value: unknown): string | null {
  if (typeof value === "string") {
    if (isSocketFolder(value) && !/[\0\r\n]/.test(value) && value.length <= 100) return null;
    if (/^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_.])?$/i.test(value) && !value.includes("..") && !/^[\d.]+$/.test(value)) return null;
    if (/^(25[0-5]|2[0-4]\d|1?\d?\d)(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}$/.test(value)) return null;
    if (/^(?=.*:.*:)[0-9a-f:.]{2,45}(%[\w.-]+)?$/i.test(value)) return null;
  }
  return "must be one host name (international ones as xn--…), IP address or /folder of a Unix socket, without scheme or port";
}
