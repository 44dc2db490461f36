// The reference in Markdown, a page for each entry of the package, from the doc comments of src.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { OptionDefaults } from "typedoc";

const root = fileURLToPath(new URL("../../", import.meta.url));
const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const entries = Object.values(exports)
  .filter((target) => typeof target === "object")
  .map(({ types }) => types.default.replace("./dist/", `${root}src/`).replace(/\.d\.ts$/, ".ts"));

export default {
  entryPoints: entries,
  tsconfig: fileURLToPath(new URL("tsconfig.reference.json", import.meta.url)),
  plugin: ["typedoc-plugin-markdown", fileURLToPath(new URL("typedoc-entries.js", import.meta.url))],
  out: fileURLToPath(new URL("pages/api", import.meta.url)),
  readme: "none",
  name: "API reference",
  router: "module",
  // a comment for the compiler, of the two majors of drizzle-orm
  blockTags: [...OptionDefaults.blockTags, "@ts-ignore"],
  excludeNotDocumented: false,
  entryFileName: "index",
  hidePageHeader: true,
  hideBreadcrumbs: true,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  excludeReferences: false,
  classPropertiesFormat: "table",
  parametersFormat: "table",
  interfacePropertiesFormat: "table",
  typeAliasPropertiesFormat: "table",
  requiredToBeDocumented: ["Class", "Function", "Interface", "TypeAlias", "Variable"],
  validation: { notExported: false, invalidLink: false, notDocumented: true, rewrittenLink: true },
  treatValidationWarningsAsErrors: true,
  logLevel: "Warn",
};
