import { Hono } from "hono/tiny";
import type { LivePicture } from "../../functions/page/live.ts";
import { makeEventStreams } from "../../src/dashboard/event-stream.ts";
import { livePage } from "../../src/dashboard/page/page.ts";
import type { Stage, StrikeName } from "./stage.ts";
import { sideNames } from "./told.ts";

const labels: Readonly<Record<StrikeName, string>> = {
  fire: "Fire 100 calls",
  kill: "Kill the backends",
  freeze: "Freeze the environment",
  away: "Take the server away",
  back: "Give it back",
};

/** The live picture of a stage, for the demo's page, with its buttons; `stop` ends what streams. */
export function livePicture(stage: Stage): LivePicture & { stop(): void } {
  const streams = makeEventStreams();
  const routes = new Hono();
  for (const name of sideNames) routes.get(`/${name}`, (c) => streams.answer(stage.feeds[name], c.req.header("Last-Event-ID")));
  for (const [name, strike] of Object.entries(stage.strikes)) routes.post(`/strikes/${name}`, async (c) => c.text(await strike()));
  return {
    routes,
    page: (parts) =>
      livePage({
        ...parts,
        lead: "Two clients make the same calls at the same times, over up to 4 connections each. Strike both, and see which heals. The calls are reads, and warmline is told so; a read may be repeated.",
        title: "warmline demo",
        heading: "Warm connections beside bare pg, struck alike",
        sides: [
          { name: "warmline", path: "live/warmline", lanes: 5 },
          { name: "bare pg.Pool", path: "live/bare", lanes: 5 },
        ],
        strikes: Object.entries(labels).map(([name, label]) => ({ label, path: `live/strikes/${name}` })),
        proof: "",
      }),
    stop: () => streams.close(),
  };
}
