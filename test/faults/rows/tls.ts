import { until } from "../admin.ts";
import { type Fault, type Ground, isOverHttp, type Round, type Way, ways } from "../fault.ts";
import { startTlsServer, type TlsManner, type TlsServer } from "../middles/tls-server.ts";
import type { Outcome } from "../outcome.ts";
import { trustedAuthorities } from "../trust.ts";

const meetings: readonly (readonly [name: string, manner: TlsManner])[] = [
  ["unknown CA", "stranger"],
  ["expired certificate", "expired"],
  ["certificate of another host", "other-host"],
  ["server without TLS", "none"],
];

const verified = {
  group: "auth",
  ways,
  rounds: 5,
  options: { sslMode: "verify-full", ca: trustedAuthorities },
  middle: (next: Parameters<typeof startTlsServer>[0], _: unknown, way: Way) => startTlsServer(next, { https: isOverHttp(way) }),
} as const;

/** Servers that are not who they should be: nothing may be confided to them. Over HTTP they stand where the endpoint should. */
export const tls: readonly Fault[] = [
  ...meetings.map(
    ([name, manner]): Fault<TlsServer> => ({
      ...verified,
      name,
      round: (ground) => meet(ground, manner),
    }),
  ),
  {
    ...verified,
    name: "downgrade to plain text between two connections",
    options: { ...verified.options, deadlineMs: 1_000 },
    async round(ground: Ground<TlsServer>) {
      const { middle, front, pause, write } = ground;
      const { asked, confided } = middle;
      middle.speak("none");
      // whoever has a connection loses it, and has to open another
      front.lay({ kind: "fin" });
      await pause();
      let told = await write();
      // a driver that had not heard of the end yet
      if (middle.asked === asked) told = await write();
      middle.speak("good");
      // a process that dies with its connection does not come to ask
      return { struck: middle.asked > asked || told.state === "died", wrong: judge(ground.way, told, middle.confided - confided) };
    },
  } satisfies Fault<TlsServer>,
];

async function meet(ground: Ground<TlsServer>, manner: TlsManner): Promise<Round> {
  const { way, front, middle, send, id } = ground;
  if (way === "http") {
    // what is kept open is shared by all clients of a process
    front.lay({ kind: "fin" });
    await until(() => front.openConnections() === 0);
  }
  const { asked, confided } = middle;
  middle.speak(manner);
  const told = await send("another", { id: id() });
  middle.speak("good");
  return { struck: middle.asked > asked, wrong: judge(ground.way, told, middle.confided - confided) };
}

function judge(way: Way, { state, code, fate }: Outcome, confided: number): string | undefined {
  if (confided > 0) return `${confided} bytes were said to a server that was not verified`;
  // a platform's WebSocket does not say why it did not open
  const expected = way === "websocket" ? "CONNECT_FAILED" : "TLS_FAILED";
  return code === expected && fate === "not-sent" ? undefined : `${state}: ${code}, ${fate}`;
}
