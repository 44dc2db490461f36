import { registerHooks } from "node:module";

// For `node --import`: a process of a test resolves the package's name to its source, as the tests themselves do, so that no build is needed.
const entry = new URL("../../src/entry/node.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) => (specifier === "warmline" ? next(entry, context) : next(specifier, context)),
});
