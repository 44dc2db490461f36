import type { Fault, Ground, Round } from "../fault.ts";
import { authorityFile, startTlsServer, type TlsManner, type TlsServer } from "../middles/tls-server.ts";

/** What a client trusts, and who it meets. */
interface Meeting {
  readonly name: string;
  readonly manner: TlsManner;
  readonly ca?: string;
}

const trusted = { sslMode: "verify-full", ca: authorityFile.good } as const;

const meetings: readonly Meeting[] = [
  { name: "unknown CA", manner: "good", ca: authorityFile.faulty },
  { name: "expired certificate", manner: "expired", ca: authorityFile.faulty },
  { name: "certificate of another host", manner: "other-host", ca: authorityFile.faulty },
  { name: "server without TLS", manner: "none" },
];

/** Servers that are not who they should be: nothing may be confided to them. */
export const tls: readonly Fault[] = [
  ...meetings.map(
    (meeting): Fault<TlsServer> => ({
      group: "auth",
      name: meeting.name,
      ways: ["pool"],
      rounds: 5,
      options: trusted,
      middle: startTlsServer,
      round: (ground) => meet(ground, meeting),
    }),
  ),
  {
    group: "auth",
    name: "downgrade to plain text between two connections",
    ways: ["pool"],
    rounds: 5,
    options: { ...trusted, deadlineMs: 1_000 },
    middle: startTlsServer,
    async round(ground: Ground<TlsServer>) {
      const { middle, front, write } = ground;
      const before = { asked: middle.asked, confided: middle.confided };
      middle.speak("none");
      // whoever has a connection loses it, and has to open another
      front.lay({ kind: "fin" });
      let told = await write();
      // a driver that had not heard of the end yet
      if (middle.asked === before.asked) told = await write();
      const { state, fate } = told;
      middle.speak("good");
      const silent = middle.confided === before.confided;
      const wrong = !silent ? "something was said in plain text" : state === "ok" || fate === "not-sent" ? undefined : `${state}, ${fate}`;
      // a process that dies with its connection does not come to ask
      return { struck: middle.asked > before.asked || state === "died", wrong };
    },
  } satisfies Fault<TlsServer>,
];

async function meet({ middle, send, id }: Ground<TlsServer>, { manner, ca }: Meeting): Promise<Round> {
  const before = { asked: middle.asked, confided: middle.confided };
  middle.speak(manner);
  const { state, code, fate } = await send("another", { id: id(), ...(ca !== undefined && { options: { ca } }) });
  middle.speak("good");
  const silent = middle.confided === before.confided;
  const right = state === "failed" && fate === "not-sent" && code === "TLS_FAILED";
  return {
    struck: middle.asked > before.asked,
    wrong: !silent ? "something was said to a server that was not verified" : right ? undefined : `${state}: ${code}, ${fate}`,
  };
}
