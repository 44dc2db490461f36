// Names every module as it is imported, `warmline/pool`, not by the path of its file; and leaves out what errors have only because they are classes.
import { readFileSync } from "node:fs";
import { Converter, ReflectionKind } from "typedoc";

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
  app.converter.on(Converter.EVENT_RESOLVE_END, ({ project }) => {
    for (const error of project.getReflectionsByKind(ReflectionKind.Class).filter(({ name }) => name.endsWith("Error"))) {
      const useless = (error.children ?? []).filter(
        (one) => one.inheritedFrom || one.name === "name" || one.kind === ReflectionKind.Constructor,
      );
      for (const one of useless) project.removeReflection(one);
      error.groups = error.groups?.filter((group) => {
        group.children = group.children.filter((one) => !useless.includes(one));
        return group.children.length > 0;
      });
    }
  });
}
