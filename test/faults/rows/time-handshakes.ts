import { until } from "../admin.ts";
import { otherwise } from "../expected.ts";
import { type Fault, type Ground, isOverHttp, type Round, ways } from "../fault.ts";
import { startTlsServer, type TlsServer } from "../middles/tls-server.ts";
import { trustedAuthorities } from "../trust.ts";

const DEADLINE_MS = 400;
const codes = { deadline: "DEADLINE_EXCEEDED", abort: "ABORTED" } as const;

/** Calls given up while a server that has taken their connection leaves the TLS handshake unanswered. */
export const timeHandshakes: readonly Fault[] = (["deadline", "abort"] as const).map(
  (ender): Fault<TlsServer> => ({
    group: "time",
    name: `${ender} during a TLS handshake`,
    // one invocation cannot abort another
    ways: ways.filter((way) => ender === "deadline" || way !== "lambda"),
    rounds: 5,
    bareRounds: 1,
    options: { sslMode: "verify-full", ca: trustedAuthorities },
    middle: (next, _, way) => startTlsServer(next, { https: isOverHttp(way) }),
    round: (ground) => giveUp(ground, ender),
  }),
);

async function giveUp({ way, front, middle, pause, send, id }: Ground<TlsServer>, ender: keyof typeof codes): Promise<Round> {
  // what is kept open over HTTP is shared by all clients of a process
  if (way === "http" || way === "lambda") front.lay({ kind: "fin" });
  if (way === "http") await until(() => front.openConnections() === 0);
  await pause();
  const before = middle.asked;
  middle.speak("nothing");
  // what a client of its own leaves behind in a frozen environment stays: there the client itself has to connect
  const fresh = way !== "lambda";
  const giving = send("bounded", { id: id(), fresh, ...(ender === "deadline" && { deadlineMs: DEADLINE_MS }) });
  await Promise.race([until(() => middle.asked > before), giving]);
  if (ender === "abort") await send("abort", {});
  const outcome = await giving;
  middle.speak("good");
  return { struck: middle.asked > before, wrong: otherwise(outcome, { code: codes[ender], fate: "not-sent" }) };
}
