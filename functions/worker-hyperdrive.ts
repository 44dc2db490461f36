import { hyperdrive } from "warmline/hyperdrive";
import { createDatabase } from "warmline/tcp";
import { createApp } from "./app.ts";
import { modulesAtStart } from "./modules-at-start.ts";

/** What the application reads of the Worker's bindings; warmline finds its own. */
interface Bindings {
  readonly API_TOKEN?: string;
}

interface RequestContext {
  waitUntil(promise: Promise<unknown>): void;
}

/** Over the Hyperdrive binding, or where there is none, over TCP to `DATABASE_URL`. */
const db = createDatabase({ tcp: hyperdrive() });

let app: ReturnType<typeof createApp> | undefined;

/** The demo API as a Cloudflare Worker over TCP. Each request is a scope: its connection ends with it. */
export default {
  fetch(request: Request, env: Bindings, ctx: RequestContext): Response | Promise<Response> {
    app ??= createApp({ db, token: env.API_TOKEN, platform: "hosted", modules: modulesAtStart });
    const { fetch } = app;
    return db.scope(ctx, () => fetch(request, env));
  },
};
