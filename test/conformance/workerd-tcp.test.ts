import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { hyperdrive } from "../../src/entry/hyperdrive.ts";
import { createDatabase } from "../../src/entry/workerd.ts";
import { testConformance } from "./suite.ts";

testConformance({
  name: "workerd_tcp",
  createDatabase,
  options: { tcp: hyperdrive() },
  transport: "request",
  knowsNesting: true,
  async around(db, work) {
    const context = createExecutionContext();
    await db.scope(context, work);
    await waitOnExecutionContext(context);
  },
});
