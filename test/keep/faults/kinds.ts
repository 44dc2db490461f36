import type { Fault } from "../../lambda/network.ts";
import type { Ground } from "./grounds.ts";

/** What befalls the connections of a client. */
export interface FaultKind {
  readonly name: string;
  /** Does it; gives how many connections it was done to. */
  strike(ground: Ground): Promise<number>;
  /** Whether a client without time-outs waits for that of the function. */
  readonly hangs: boolean;
  /** Whether it strikes a call on its way, and not while the environment is frozen: then the call is a write, which may fail and must not be doubled. */
  readonly strikesCall?: boolean;
}

/** The same six as those of Postgres (test/lambda/faults/kinds.ts), in the same order; and what shows who sends a write once more. */
export const faultKinds: readonly FaultKind[] = [
  { name: "backend killed", hangs: false, strike: (ground) => ground.killUsers() },
  {
    name: "backend killed, told after the next write",
    hangs: false,
    async strike(ground) {
      const laid = lay(ground, { kind: "withhold" });
      return Math.min(laid, await ground.killUsers());
    },
  },
  { name: "FIN", hangs: false, strike: async (ground) => lay(ground, { kind: "fin" }) },
  { name: "RST on first write", hangs: false, strike: async (ground) => lay(ground, { kind: "rst-on-write" }) },
  { name: "swallowed packets", hangs: true, strike: async (ground) => lay(ground, { kind: "swallow" }) },
  {
    name: "server restarted",
    hangs: false,
    async strike(ground) {
      const open = ground.networks.reduce((sum, network) => sum + network.openConnections(), 0);
      await ground.restart();
      return open;
    },
  },
  {
    name: "answer cut off, no freeze",
    hangs: false,
    strikesCall: true,
    strike: async (ground) => lay(ground, { kind: "cut-after", bytes: 1, from: "server" }),
  },
];

function lay({ networks }: Ground, fault: Fault): number {
  return networks.reduce((sum, network) => sum + network.lay(fault), 0);
}
