import { makeBreaker } from "../delivery/breaker.ts";
import { makeRetryBudget } from "../delivery/budget.ts";
import type { Calls } from "./calls.ts";
import { guardScript, traitsOf } from "./guard.ts";
import { requireSession } from "./hold.ts";
import { type CallLimits, checkCall, optionsOf } from "./options.ts";
import { invalidStatement } from "./refuse-value.ts";
import { toStatement } from "./statement.ts";

/** Runs texts of several statements: over the address for migrations, where there is one. */
export function makeScript(calls: Calls): (text: string, given?: CallLimits) => Promise<void> {
  const directBudget = makeRetryBudget();
  return async (text, given) => {
    const options = checkCall(given, optionsOf.session);
    toStatement(text);
    if (typeof text !== "string") throw invalidStatement("A script is a string.");
    const ground = calls.parts.ground();
    const { directTransport } = ground;
    // what stands at another address has its own traits
    const leavesState = directTransport !== null || guardScript(text, traitsOf(ground));
    await calls.run(options, {
      operation: "script",
      // what cannot be reached there tells nothing of the database's own address, and costs nothing of its budget
      elsewhere: () => (directTransport ? { breaker: makeBreaker(() => {}), budget: directBudget } : calls.holding),
      async work(chosen, callOptions) {
        const direct = await directTransport?.();
        const over = direct ?? chosen;
        requireSession(over);
        try {
          await over.session((held) => held.script(text, { ...callOptions, leavesState }), { ...callOptions, begins: false });
        } finally {
          await direct?.[Symbol.asyncDispose]();
        }
      },
    });
  };
}
