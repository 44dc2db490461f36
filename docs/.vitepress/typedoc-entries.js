// Names every module as it is imported: `warmline/pool`, not the path of its file.
import { readFileSync } from "node:fs";
import { Converter } from "typedoc";

const { exports } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
const names = Object.entries(exports)
  .filter(([, target]) => typeof target === "object")
  .map(([entry, { types }]) => [types.default.replace("./dist/", "").replace(/\.d\.ts$/, ""), `warmline${entry.slice(1)}`]);

export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      module.name = names.find(([path]) => path === module.name || path.endsWith(`/${module.name}`))?.[1] ?? module.name;
    }
  });
}
