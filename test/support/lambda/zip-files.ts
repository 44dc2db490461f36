import { type Zippable, zipSync } from "fflate";

/** The earliest time a zip can tell; the same in every archive, in whatever zone it is made. */
const NO_TIME = new Date(1980, 0, 1);

/** Unix, and a file that everybody may read: Lambda runs the function as a user of its own. */
const READABLE = { os: 3, attrs: 0o100644 << 16 } as const;

/** A zip of the files, in the order of their paths: the same files give the same bytes. */
export function zipFiles(files: readonly { readonly path: string; readonly contents: Uint8Array }[]): Uint8Array {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const entries: Zippable = Object.fromEntries(sorted.map(({ path, contents }) => [path, [contents, READABLE]]));
  return zipSync(entries, { level: 9, mtime: NO_TIME });
}
