import type { Feed } from "./feed.ts";

/** How often a viewer asks for what is new, milliseconds. */
const PACE_MS = 100;
/** An answer ends after so long, and the page asks anew where it was: a server of which is not known that it is to stop waits no longer. */
export const LONGEST_MS = 30_000;
/** Who looks at once, over all feeds of one dashboard. */
const MOST_VIEWERS = 500;

/** Answers with what feeds tell. */
export interface EventStreams {
  /** How many look now. */
  readonly viewers: number;
  /** Server-sent events of a feed from here on, until `isStopping` says so, or 503 when too many look already. */
  answer(feed: Feed, lastEventId: string | undefined, isStopping?: () => boolean): Response;
  /** Ends all of them. */
  close(): void;
}

/** Each viewer has a place in the feed and one frame on its way, whatever its network does: it pulls, and who is slow pulls less. */
export function makeEventStreams(): EventStreams {
  let viewers = 0;
  let closed = false;
  return {
    get viewers() {
      return viewers;
    },
    answer(feed, lastEventId, isStopping = () => false) {
      if (viewers >= MOST_VIEWERS) return new Response("Too many look at once.", { status: 503, headers: { "Retry-After": "30" } });
      let gone = false;
      let place: ReturnType<typeof setTimeout> | undefined;
      let last = feed.begin(lastEventId);
      const leave = () => {
        if (place !== undefined && !gone) viewers--;
        gone = true;
        clearTimeout(place);
      };
      const end = (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
        if (!gone) controller.close();
        leave();
      };
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>) => {
        if (place === undefined) {
          // here, for of an answer whose body nobody reads nobody hears; who stops reading pulls no more, and is heard by the timer alone
          viewers++;
          place = setTimeout(end, LONGEST_MS, controller);
          return controller.enqueue(feed.hello());
        }
        while (!gone && !closed && !isStopping()) {
          const [frame] = feed.after(last);
          if (frame !== undefined) {
            last = frame.seq;
            return controller.enqueue(frame.bytes);
          }
          // a timer of this request's own: in Workers none else may wake it
          await new Promise((resolve) => setTimeout(resolve, PACE_MS));
        }
        end(controller);
      };
      const body = new ReadableStream({ pull, cancel: leave }, { highWaterMark: 0 });
      return new Response(body, {
        headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
      });
    },
    close() {
      closed = true;
    },
  };
}
