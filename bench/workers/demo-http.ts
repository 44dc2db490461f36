import { createDatabase } from "warmline/http";
import { createApp } from "../../functions/app.ts";
import { modulesAtStart } from "../../functions/modules-at-start.ts";

let app: ReturnType<typeof createApp> | undefined;

/** The demo as `functions/worker.ts` deploys it, over the entry that opens no sessions. */
export default {
  fetch(request: Request, env: { readonly API_TOKEN?: string }): Response | Promise<Response> {
    app ??= createApp({ db: createDatabase(), token: env.API_TOKEN, platform: "hosted", modules: modulesAtStart });
    return app.fetch(request, env);
  },
};
