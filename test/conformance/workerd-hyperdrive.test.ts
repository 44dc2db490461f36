import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hyperdrive } from "../../src/entry/hyperdrive.ts";
import { createDatabase } from "../../src/entry/workerd.ts";
import { testConformance } from "./suite.ts";

testConformance({
  name: "workerd_hyperdrive",
  createDatabase: ({ url: _, startupOptions: __, ...options }) => createDatabase(options),
  options: { tcp: hyperdrive({ binding: "HYPERDRIVE" }) },
  transport: "request",
  knowsNesting: true,
  cancels: false,
  async around(db, work) {
    const context = createExecutionContext();
    await db.scope(context, work);
    await waitOnExecutionContext(context);
  },
});
