import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/** An agent on loopback that takes everything and keeps nothing; Datadog's tracer, loaded after it, sends there and nowhere else. */
export async function startDatadogAgent(): Promise<Server> {
  const agent = createServer((request, response) => request.resume().on("end", () => response.end("{}"))).listen(0, "127.0.0.1");
  await new Promise((resolve) => agent.once("listening", resolve));
  agent.unref();
  Object.assign(process.env, {
    DD_TRACE_AGENT_URL: `http://127.0.0.1:${(agent.address() as AddressInfo).port}`,
    DD_INSTRUMENTATION_TELEMETRY_ENABLED: "false",
    DD_REMOTE_CONFIGURATION_ENABLED: "false",
    DD_CRASHTRACKING_ENABLED: "false",
    DD_TRACE_STARTUP_LOGS: "false",
  });
  return agent;
}
