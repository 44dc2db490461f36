import { createDatabase } from "warmline";
import { createApp } from "./app.ts";
import { modulesAtStart } from "./modules-at-start.ts";

/** What the application reads of the Worker's bindings; warmline finds its own. */
interface Bindings {
  readonly API_TOKEN?: string;
}

let app: ReturnType<typeof createApp> | undefined;

/** The demo API as a Cloudflare Worker. Bindings can be read within a request only, so the application is made at the first. */
export default {
  fetch(request: Request, env: Bindings): Response | Promise<Response> {
    app ??= createApp({ db: createDatabase(), token: env.API_TOKEN, platform: "hosted", modules: modulesAtStart });
    return app.fetch(request, env);
  },
};
