import type { Fault, Ground, Round, Way } from "../fault.ts";

const HOUR_MS = 3_600_000;
const BLOCKED_MS = 1_000;

/** Where time jumps otherwise than by a freeze, of which there are rows. */
const awake: readonly Way[] = ["pool", "http", "websocket", "request"];

const shifts = [
  { name: "clock set forward", shiftMs: 2 * HOUR_MS },
  { name: "clock set back", shiftMs: -2 * HOUR_MS },
] as const;

/** Time that jumps, or does not pass for the process. */
export const timeShifts: readonly Fault[] = [
  ...shifts.flatMap(({ name, shiftMs }): readonly Fault[] => [
    {
      group: "time",
      name: `${name} between calls`,
      ways: awake,
      rounds: 5,
      async round(ground) {
        const struck = await setClock(ground, shiftMs);
        const later = await ground.write();
        await setClock(ground, 0);
        const again = await ground.write();
        const failed = [later, again].find(({ state }) => state !== "ok");
        return { struck, wrong: failed && `a write fails (${failed.code})` };
      },
    },
    {
      group: "time",
      name: `${name} during a call`,
      ways: awake,
      rounds: 5,
      async round(ground) {
        const { admin, applicationName } = ground;
        const { lock, release } = await admin.lock();
        const writing = ground.write(lock);
        await admin.waiting(applicationName);
        const struck = await setClock(ground, shiftMs);
        await release();
        const { state, code } = await writing;
        await setClock(ground, 0);
        return { struck, wrong: state === "ok" ? undefined : `the write fails (${code})` };
      },
    },
  ]),
  {
    group: "time",
    name: "event loop blocked while the idle connection ends",
    // where one waits for the next call; a frozen environment has rows of its own
    ways: ["pool", "http"],
    rounds: 5,
    bareRounds: 3,
    async round({ way, admin, applicationName, front, send, id }) {
      const writing = send("blocked", { id: id(), forMs: BLOCKED_MS });
      const ended = way === "http" ? front.lay({ kind: "fin" }) : await admin.kill(applicationName, "idle");
      const { state, code, told } = await writing;
      return { struck: ended > 0 && Number(told) >= BLOCKED_MS, wrong: state === "ok" ? undefined : `the write fails (${code})` };
    },
  },
  {
    group: "time",
    name: "event loop blocked during a call",
    ways: awake,
    rounds: 5,
    options: { deadlineMs: 700 },
    async round({ send, id }) {
      // longer than the deadline: whether the answer or the timer is first is the runtime's, and either has to be told truly
      const { told } = await send("blockedInFlight", { id: id(), forMs: BLOCKED_MS });
      return { struck: Number(told) >= BLOCKED_MS };
    },
  },
];

const freezes = [
  { name: "a second", forMs: 1_000 },
  { name: "two minutes", forMs: 120_000 },
  { name: "31 minutes, beyond a connection's lifetime", forMs: 31 * 60_000 },
  { name: "25 hours, beyond every limit", forMs: 25 * HOUR_MS },
] as const;

/** Environments that are frozen between two calls, and wake with the clock so far on. */
export const timeFreezes: readonly Fault[] = freezes.map(
  ({ name, forMs }): Fault => ({
    group: "time",
    name: `frozen for ${name}`,
    ways: ["lambda"],
    rounds: 5,
    async round({ pause, write, send }) {
      const clock = async () => Number((await send("now", {})).told);
      const before = await clock();
      await pause(forMs);
      const { state, code } = await write();
      return { struck: (await clock()) - before >= forMs, wrong: state === "ok" ? undefined : `the first write fails (${code})` };
    },
  }),
);

/** Whether the process's clock says what it was set to. */
async function setClock({ send }: Ground, shiftMs: number): Promise<Round["struck"]> {
  const { told } = await send("clock", { shiftMs });
  return Math.abs(Number(told) - Date.now() - shiftMs) < HOUR_MS / 2;
}
