import { registerHooks } from "node:module";

// For `node --import`: a process of a test resolves the package's names to its source, as the tests themselves do, so that no build is needed.
const entries: Readonly<Record<string, string>> = {
  warmline: new URL("../../src/entry/node.ts", import.meta.url).href,
  "warmline/endpoint": new URL("../../src/endpoint/endpoint.ts", import.meta.url).href,
};
registerHooks({ resolve: (specifier, context, next) => next(entries[specifier] ?? specifier, context) });
