import type { Context, Handler, MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";
import { LONGEST_MS, makeEventStreams } from "../dashboard/event-stream.ts";
import { makeFeed } from "../dashboard/feed.ts";
import { isFromLoopback } from "../dashboard/loopback.ts";
import { endConnectionWith, isStopping } from "../dashboard/node-server.ts";
import { livePage, type Page } from "../dashboard/page/page.ts";
import { makeTokenCheck } from "../dashboard/token.ts";
import type { Database } from "../entry/node.ts";

/** What a dashboard may be told. */
export interface DashboardOptions {
  /**
   * What is asked for: as a password by a browser, with any name, or as `Authorization: Bearer <token>`. At least 16 characters; an empty text
   * counts as none. Without one the dashboard answers 404 to all but requests from this machine, outside of production.
   */
  readonly token?: string | undefined;
}

/**
 * A page that shows one database as it works: its plan and the reasons, statistics, each connection with its calls, the last errors. Routes of
 * Hono's, for an application of one's own. No value of a parameter, no text of a statement beside the line an error points at, and nothing to
 * press is on it. It shows the process, or the isolate of Workers, that answers.
 *
 * @example app.route("/_warmline", dashboard(db, { token: process.env.DASHBOARD_TOKEN }));
 * @throws ConfigError INVALID_OPTION for a token shorter than 16 characters
 */
export function dashboard(db: Pick<Database, "plan" | "stats" | "subscribe">, { token }: DashboardOptions = {}): Hono {
  const check = token ? makeTokenCheck(token) : undefined;
  const streams = makeEventStreams();
  let page: Page | undefined;
  const feed = makeFeed(db);

  const guard: MiddlewareHandler = async (c, next) => {
    if (check === undefined ? !isFromLoopback(c.req, c.env) : !(await check(c.req.header("Authorization")))) {
      return check === undefined
        ? c.notFound()
        : c.text("The token, as the password.", 401, {
            "WWW-Authenticate": 'Basic realm="warmline", charset="UTF-8"',
            "Cache-Control": "no-store",
          });
    }
    await next();
    for (const [name, value] of Object.entries(careful)) c.header(name, value);
  };

  const showPage: Handler = async (c) => {
    // kept when it is there: in Workers a promise ends with the request that began it
    page ??= await livePage({
      title: "warmline",
      heading: "Connections, as they are",
      sides: [{ name: "This process", path: "events" }],
    });
    return c.html(page.html, 200, { "Content-Security-Policy": page.contentSecurityPolicy });
  };

  // before its own two paths alone: below `/` the others are the application's
  return (
    new Hono()
      .get("/", guard, showPage)
      .get("/events", guard, (c) => {
        const answer = streams.answer(feed, c.req.header("Last-Event-ID"), () => isStopping(c.env));
        endConnectionWith(answer, c.env, LONGEST_MS);
        return answer;
      })
      // what is mounted as `/` is there without a slash at its end, and for most of Hono's routers not with one
      .get("/*", (c, next) => {
        if (!endsWithSlash(c)) return next();
        return guard(c, async () => {
          c.res = await showPage(c, next);
        });
      })
  );
}

/** Whether the path is the one the dashboard is mounted at, and a slash. */
function endsWithSlash({ req: { path, routePath } }: Context): boolean {
  return path.endsWith("/") && path.split("/").length === routePath.split("/").length;
}

const careful = {
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Robots-Tag": "noindex",
};
