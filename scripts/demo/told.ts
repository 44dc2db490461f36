import type { DatabaseEvent, Watched } from "../../src/dashboard/watched.ts";

/** The sides of the picture. */
export const sideNames = ["warmline", "bare"] as const;
export type SideName = (typeof sideNames)[number];

/** What the process of the two clients tells: once at its start, then while something happens. */
export interface Told {
  readonly side: SideName;
  readonly plan?: Watched["plan"] | undefined;
  readonly stats: ReturnType<Watched["stats"]>;
  readonly events: readonly DatabaseEvent[];
}

/** What it is told. */
export interface Order {
  /** So many calls at once. */
  readonly fire: number;
  /** How long each of them takes at the server; without it, as those of the trickle. Milliseconds. */
  readonly lastingMs?: number;
}
