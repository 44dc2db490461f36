/**
 * The circles among files that import one another, each as the way around it: `a → b → a`. At least one of every knot, so that there is none
 * when it gives none.
 */
export function findCircles(imports: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const circles: string[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    if (done.has(file)) return;
    done.add(file);
    for (const target of imports.get(file) ?? []) walk(target, [...path, file]);
  };
  for (const file of imports.keys()) walk(file, []);
  return circles;
}
