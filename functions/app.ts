import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono/tiny";
import { type Database, WarmlineError } from "warmline";
import { problemOf } from "./answer-error.ts";
import { answerHeaders } from "./answer-headers.ts";
import { authorize } from "./authorize.ts";
import type { AppEnv } from "./context.ts";
import { createInstance, type Instance } from "./instance.ts";
import { limitBody } from "./limit-body.ts";
import type { Modules } from "./modules.ts";
import type { LivePicture } from "./page/live.ts";
import type { Proof } from "./page/overview.ts";
import { Problem } from "./problem.ts";
import { healthRoutes } from "./routes/health.ts";
import { openapiRoutes } from "./routes/openapi.ts";
import { orderRoutes } from "./routes/orders.ts";
import { overviewRoutes } from "./routes/overview.ts";
import { productRoutes } from "./routes/products.ts";
import { proofRoutes } from "./routes/proof.ts";
import { statsRoutes } from "./routes/stats.ts";
import { validateWith } from "./validate.ts";

/** The most a request's body may have. */
const MAX_BODY_BYTES = 64 * 1024;

/** What the application is given by the platform it runs on. */
export interface AppOptions {
  readonly db: Database;
  /** This running copy; one of its own by default. */
  readonly instance?: Instance | undefined;
  /** The bearer token that writes and statistics ask for. An empty text counts as none. */
  readonly token?: string | undefined;
  /** Without a token, writes and statistics are open on `node`, whose server then listens on loopback only, and closed on `hosted`. */
  readonly platform: "node" | "hosted";
  /**
   * Stands before every path, and throws a problem for who may not ask at all. Default: all may. On a platform that finds a deployment by its
   * host name there is nothing to ask.
   */
  readonly doorman?: MiddlewareHandler | undefined;
  /** Where schemas and the description of the API come from: `modulesOnDemand`, or in a Worker `modulesAtStart`. */
  readonly modules: Modules;
  /** Milliseconds within which the database has to answer `GET /ready`. Default 2000. */
  readonly readyDeadlineMs?: number | undefined;
  /** What a proof beside it has counted so far, for `GET /` to show. */
  readonly proof?: (() => Proof) | undefined;
  /** What `GET /` shows in motion, with routes of its own below `/live`. Default: nothing. */
  readonly live?: LivePicture | undefined;
  /** Told of every error that is answered with a 5xx, or keeps numbers from `GET /`. Default: one line of JSON on standard error. */
  readonly onFault?: ((fault: Fault) => void) | undefined;
}

/** An error, and the request it belongs to. */
export interface Fault {
  readonly error: unknown;
  readonly instanceId: string;
  readonly invocation: number;
  readonly method: string;
  readonly path: string;
}

/** The demo API, products and orders, over any database and on any platform. */
export function createApp(options: AppOptions): Hono<AppEnv> {
  const {
    db,
    modules,
    proof,
    live,
    doorman = letAllIn,
    readyDeadlineMs = 2_000,
    instance = createInstance(),
    onFault = logFault,
  } = options;
  const token = options.token || undefined;
  const openWithoutToken = options.platform === "node";
  const guard = authorize({ token, openWithoutToken });
  const validate = validateWith(modules);
  const isOpen = openWithoutToken && token === undefined;
  const report = (c: Context<AppEnv>, error: unknown) =>
    onFault({ error, instanceId: instance.id, invocation: c.get("invocation"), method: c.req.method, path: c.req.path });

  return new Hono<AppEnv>()
    .onError((error, c) => {
      const problem = problemOf(error);
      if (problem.status >= 500) report(c, problem.cause ?? error);
      return c.json(problem.body, problem.status, problem.headers);
    })
    .notFound((c) => c.json(new Problem(404, "NOT_FOUND", "There is nothing at this address. See / for what there is.").body, 404))
    .use(answerHeaders(instance))
    .use(doorman)
    .on(["POST", "PUT", "PATCH", "DELETE"], "*", guard)
    .use("/stats", guard)
    .use(limitBody(MAX_BODY_BYTES))
    .route("/", overviewRoutes(modules, { db, instance, isOpen, deadlineMs: readyDeadlineMs, proof, live, onTrouble: report }))
    .route("/", healthRoutes(db, readyDeadlineMs))
    .route("/", productRoutes(db, validate))
    .route("/", orderRoutes(db, validate))
    .route("/", proofRoutes(db, instance))
    .route("/", statsRoutes(db, instance))
    .route("/", openapiRoutes(modules));
}

const letAllIn: MiddlewareHandler = (_, next) => next();

function logFault({ error, ...where }: Fault): void {
  console.error(JSON.stringify({ level: "error", ...where, ...toldOf(error) }));
}

/** What an error says, and where it comes from warmline, its code, what became of the statement, and the statement without values. */
function toldOf(error: unknown): object {
  if (!(error instanceof Error)) return { message: "a value that is no error was thrown" };
  const { name, message, stack } = error;
  if (!(error instanceof WarmlineError)) return { name, message, stack };
  const statement = "statement" in error ? error.statement : undefined;
  return { name, code: error.code, fate: error.fate, retryable: error.retryable, message, statement, stack };
}
