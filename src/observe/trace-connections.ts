import { type Begun, begin, isHeard, messageOf, note, publish, releaseChannel, tracingChannel } from "./channels.ts";
import type { ReleaseMessage } from "./messages.ts";

/** Where connections lead to, and over what. */
export type Place = Begun;

/** Of what a driver is told at login. */
export function placeOf(
  {
    host = "localhost",
    port = 5_432,
    database = "",
  }: { readonly host?: string | undefined; readonly port?: number | undefined; readonly database?: string | undefined },
  transport: Place["transport"],
): Place {
  return { serverAddress: host, serverPort: port, database, transport };
}

/** To be called once, at the end: with the connection that was had, null for one that others share, or with what failed. */
type Ended = (error: unknown, connectionId: string | null) => void;

/** What is traced of connections. */
type Traced = "connect" | "acquire";

/** Whether anybody hears of one that begins now. */
export function isTraced(what: Traced): boolean {
  return isHeard(channelOf(what));
}

/** Begins what is traced, in the stores its subscribers have bound. Without them it is only begun, and there is nobody to tell of its end. */
export function traceBeginning<T>(what: Traced, place: Place, work: (ended: Ended | undefined) => T): T {
  const channel = channelOf(what);
  if (!isHeard(channel)) return work(undefined);
  const message = messageOf(place, {});
  return begin(channel, message, (settle) =>
    work((error, connectionId) => {
      note(message, { connectionId });
      if (error === undefined) settle();
      else settle(error);
    }),
  );
}

/** Traces what gives a promise, of something that has a connection's name. */
export function traceConnection<T>(
  what: Traced,
  place: Place,
  { work, idOf }: { readonly work: () => Promise<T>; readonly idOf: (value: T) => string | undefined },
): Promise<T> {
  if (!isTraced(what)) return work();
  return traceBeginning(what, place, (ended) =>
    work().then(
      (value) => {
        ended?.(undefined, idOf(value) ?? null);
        return value;
      },
      (error) => {
        ended?.(error, null);
        throw error;
      },
    ),
  );
}

/** Tells that a connection was given back. */
export function tellRelease(place: Place, told: Pick<ReleaseMessage, "connectionId" | "usedMs">): void {
  const release = releaseChannel();
  if (release?.hasSubscribers) publish(release, { ...place, ...told });
}

const channelOf = (what: Traced) => tracingChannel(what === "connect" ? "warmline:connect" : "warmline:acquire");
