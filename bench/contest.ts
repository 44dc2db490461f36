import type { Block } from "./block.ts";
import type { Comparison, Entrant } from "./comparisons.ts";
import { type Contestant, startContestant } from "./process.ts";
import type { ServerAddresses } from "./servers.ts";
import { type Seen, takeTurns } from "./turns.ts";

/** On a machine that is busy a comparison has fewer rounds, but never fewer than so many. */
const FEWEST_ROUNDS = 8;
const LONGEST_MS = 20_000;

export interface ContestOptions {
  readonly addresses: ServerAddresses;
  /** Paths of the runtimes. */
  readonly runtimes: { readonly node: string; readonly bun: string };
  /** How many rounds, how long a block is, and how many go before, as a part of what the comparison says. */
  readonly scale: { readonly rounds: number; readonly block: number; readonly warmUps: number };
  /** Asked after all rounds: whether they are to be run once more, for what was seen decides nothing yet. */
  again(seen: Seen): boolean;
}

/** Lets the entrants take turns at the comparison's block, each in a process of its own that stays warm. */
export async function contest(comparison: Comparison, options: ContestOptions): Promise<Seen> {
  const { entrants, block, rounds } = comparison;
  const { scale, again } = options;
  await using open = new AsyncDisposableStack();
  const contestants = entrants.map((entrant) => ({
    name: entrant.name,
    contestant: open.use(start(entrant, comparison, options)),
  }));
  const scaled = scaledBlock(block, scale.block);
  // what mostly waits has little for the compiler to see
  const warmUps = block.kind === "queries" ? scale.warmUps : 1;
  for (let warmUp = 0; warmUp < warmUps; warmUp++) for (const { contestant } of contestants) await contestant.run(scaled);
  const turns = contestants.map(({ name, contestant }) => ({ name, run: () => contestant.run(scaled) }));
  return await takeTurns(turns, {
    rounds: Math.max(2, Math.round(rounds * scale.rounds)),
    fewestRounds: FEWEST_ROUNDS,
    longestMs: LONGEST_MS,
    again,
  });
}

function start(
  { client, options, runtime }: Entrant,
  { by, connections }: Comparison,
  { addresses, runtimes }: ContestOptions,
): Contestant {
  const { databaseUrl, farUrl, coldUrl, endpointUrl, ca } = addresses;
  const url = by === undefined ? databaseUrl : by === "far" ? farUrl : coldUrl;
  return startContestant(runtimes[runtime ?? "node"], {
    client,
    options: {
      url,
      endpointUrl,
      max: connections,
      ...options,
      ...((by === "tls" || by === "direct tls") && { tls: { ca, direct: by === "direct tls" } }),
    },
  });
}

/** Calls at once are what they are; all else is made shorter. */
function scaledBlock(block: Block, scale: number): Block {
  if (block.kind === "first row") return block;
  if (block.kind === "mixed") return { ...block, ms: Math.round(block.ms * scale) };
  return { ...block, count: Math.max(block.callers, Math.round(block.count * scale)) };
}
