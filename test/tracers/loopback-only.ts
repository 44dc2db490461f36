import { Socket as UdpSocket } from "node:dgram";
import dns from "node:dns";
import { Socket } from "node:net";

const own = new Set(["127.0.0.1", "::1", "localhost"]);

/** Refuses every connection, datagram and look-up that leaves this machine from now on; returns the hosts that were asked for. */
export function stayOnLoopback(): readonly string[] {
  const asked: string[] = [];
  const check = (host: unknown) => {
    if (typeof host !== "string" || own.has(host)) return;
    asked.push(host);
    throw new Error(`${host} is not this machine.`);
  };
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (this: Socket, ...args: never[]) {
    const [first, second] = args as readonly unknown[];
    const options = (Array.isArray(first) ? first[0] : first) as { readonly host?: string } | number;
    check(typeof options === "object" ? options.host : second);
    return Reflect.apply(connect, this, args);
  } as typeof connect;
  const { send } = UdpSocket.prototype;
  UdpSocket.prototype.send = function (this: UdpSocket, ...args: never[]) {
    for (const arg of args as readonly unknown[]) if (typeof arg === "string" && /^[\w.-]+\.\w+$/.test(arg)) check(arg);
    return Reflect.apply(send, this, args);
  } as typeof send;
  const { lookup } = dns;
  dns.lookup = ((host: string, ...rest: never[]) => {
    check(host);
    return Reflect.apply(lookup, dns, [host, ...rest]);
  }) as typeof lookup;
  return asked;
}
