import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { isSocketFolder } from "../../decide/host.ts";
import { ReachError, readReachFailure, wordsOfReachFailure } from "../../endpoint/reach-failure.ts";
import { placeOf } from "../../endpoint/server-address.ts";
import { sslRequest } from "../../wire/startup-messages.ts";
import type { Configured, Reach } from "../evidence.ts";
import { failed, type Looked } from "./unseen.ts";

/** How to look. */
export interface ReachOptions {
  /** Certificates to trust, in PEM; undefined for Node's own store. */
  readonly ca: string | undefined;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** The steps on the way, in words for whoever is told which of them did not end. */
const steps = { dns: "finding the host's address", tcp: "connecting to it", ask: "asking it for TLS", tls: "the TLS handshake" } as const;

/** Walks to the server's door: address, connection, TLS with whatever certificate it shows. Nothing secret is sent. Never rejects. */
export async function reach({ settings, tls, urlName }: Configured, { ca, signal, now }: ReachOptions): Promise<Looked<Reach>> {
  const { host, port } = settings.address;
  const where = placeOf(settings.address);
  let step: keyof typeof steps = "dns";
  const sockets: Socket[] = [];
  try {
    const folder = isSocketFolder(host);
    const begun = performance.now();
    const addresses = folder ? [] : await unlessAborted(lookup(host, { all: true }), signal);
    const found = performance.now();
    step = "tcp";
    const socket = folder
      ? connect(`${host}/.s.PGSQL.${port}`)
      : connect({ host, port, lookup: (_host, _options, done) => done(null, addresses) });
    sockets.push(socket.on("error", () => undefined));
    await once(socket, "connect", { signal });
    const connected = performance.now();
    const times = { dnsMs: found - begun, tcpMs: connected - found };
    if (tls.mode === "disable") return { value: { ...times, tlsMs: null, certificateEndsAt: null, now: now() } };
    step = "ask";
    if (tls.negotiation === "postgres") await askForTls(socket, signal);
    step = "tls";
    const shown = connectTls({
      socket,
      rejectUnauthorized: tls.mode === "verify",
      ...(isIP(host) ? { host } : { servername: host }),
      ...(ca === undefined ? {} : { ca }),
      ...(tls.negotiation === "direct" ? { ALPNProtocols: ["postgresql"] } : {}),
    });
    sockets.push(shown.on("error", () => undefined));
    await Promise.race([once(shown, "secureConnect", { signal }), closeOf(shown)]);
    const secured = performance.now();
    const { valid_to: end } = shown.getPeerCertificate();
    return { value: { ...times, tlsMs: secured - connected, certificateEndsAt: Date.parse(end) || null, now: now() } };
  } catch (error) {
    if (signal.aborted) {
      return failed("unreachable", `${where} did not answer in time: ${steps[step]} did not end.`, reachHint(urlName), where);
    }
    const failure = readReachFailure(error);
    const rule = failure.code === "TLS_FAILED" || step === "tls" ? "tls-failed" : "unreachable";
    return failed(rule, `${where}: ${wordsOfReachFailure(failure)}, while ${steps[step]}.`, reachHint(urlName, rule), where);
  } finally {
    for (const socket of sockets.reverse()) socket.destroy();
  }
}

/** What to change where the way to the server does not end, or its TLS fails. */
export function reachHint(urlName: string, rule: "unreachable" | "tls-failed" = "unreachable"): string {
  return rule === "tls-failed"
    ? `${urlName}: switch TLS on at the server, or, within one machine, sslmode=disable`
    : `${urlName}: host and port; and the network's rules between here and there`;
}

async function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.write(sslRequest());
  const [answer] = (await Promise.race([once(socket, "data", { signal }), closeOf(socket)])) as [Buffer];
  const said = answer.toString("latin1");
  if (said === "N") throw new ReachError("TLS_FAILED", "it speaks no TLS");
  if (said !== "S") throw new ReachError("CONNECT_FAILED", "what answers there is not Postgres");
}

async function closeOf(socket: Socket): Promise<never> {
  await once(socket, "close");
  throw new ReachError("CONNECT_FAILED", "it closed the connection");
}

/** What cannot be stopped is left behind. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => undefined);
  signal.throwIfAborted();
  const over = new AbortController();
  try {
    return await Promise.race([work, once(signal, "abort", { signal: over.signal }).then(() => Promise.reject(signal.reason))]);
  } finally {
    over.abort();
  }
}
