import { Hono } from "hono/tiny";
import type { AppEnv } from "../context.ts";
import type { Modules } from "../modules.ts";
import type { OverviewGround } from "../page/answer.ts";

/** `GET /`: what this is, where it runs and what the server counts. A page for who asks for HTML, the same as JSON or as text for the rest. */
export function overviewRoutes({ page }: Modules, ground: OverviewGround) {
  const routes = new Hono<AppEnv>().get("/", async (c) => (await page()).answerOverview(c, ground));
  return ground.live === undefined ? routes : routes.route("/live", ground.live.routes);
}
