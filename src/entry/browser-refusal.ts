import { ConfigError } from "../errors/errors.ts";

/** What is said in a browser, where there is no database: whoever is sent the page would be sent its password, too. */
export function inBrowser(): ConfigError {
  return new ConfigError(
    "A browser must not hold the address of a database. Query in code that stays on the server, such as a route handler, a server component or a server action; where this is no browser, bundle with the condition node, workerd, edge-light or worker.",
    { code: "BROWSER", setting: "runtime" },
  );
}
