import { look } from "../errors/look.ts";

/** Warnings go to the console; one that throws, as test runners make it, harms no call. */
export function warn(message: string): void {
  look(() => console.warn(`warmline: ${message}`), undefined);
}
