/** For `node --import`, in every thread of an environment before AWS's runtime client: `?clock=` names the file of the shifted clock. */
import { registerHooks } from "node:module";
import { shiftClock } from "./shifted-clock.ts";

const clock = new URL(import.meta.url).searchParams.get("clock");
if (clock === null) throw new Error("The file of the clock is missing: preload.ts?clock=<path>");
shiftClock(clock);

const standIn = new URL("./rapid-client.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "./rapid-client.node" ? { url: standIn, shortCircuit: true } : next(specifier, context),
});
