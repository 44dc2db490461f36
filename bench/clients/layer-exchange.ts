import { WarmClient } from "../../src/transports/pool/warm-client.ts";
import type { WireClient } from "../../src/transports/wire-client.ts";
import { WireSession } from "../../src/transports/wire-session.ts";
import { NamedStatements } from "../../src/wire/named-statements.ts";
import type { OpenClient } from "../client.ts";
import { statements } from "../statements.ts";
import { layerCall } from "./layer-call.ts";

/** One exchange on a connection that is held: no pool, no delivery, no deadline. */
export const open: OpenClient = async ({ url }) => {
  const client = new WarmClient({ connectionString: url });
  await client.connect();
  const session = new WireSession(client as unknown as WireClient, {
    transport: "pool",
    connectionId: "held",
    pooled: false,
    named: new NamedStatements(),
  });
  return {
    ask: (name, [id]) => session.exchange([{ text: statements[name].text, values: [String(id)] }], { ...layerCall, ends: "autocommit" }),
    close: () => client.end(),
  };
};
