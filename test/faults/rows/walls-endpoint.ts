import { WebSocket } from "ws";
import { failing } from "../expected.ts";
import type { Fault, Ground, Round } from "../fault.ts";

const CROWD = 300;
/** What the endpoint lets wait, and for how long, milliseconds; a slack for a busy machine. */
const MOST_LOGGING_IN = 128;
const LOGIN_MS = 5_000;
const SLACK_MS = 5_000;

const LOGINS = 30;
const MOST_BACKENDS = 16;
const LOGINS_LIMIT_MS = 60_000;

const row = { group: "walls", rounds: 1, bareRounds: 0 } as const;

/** The endpoint: what it lets in, and how much it opens. */
export const wallsEndpoint: readonly Fault[] = [
  { ...row, name: "WebSockets that never log in", ways: ["http", "websocket"], round: crowdIn },
  { ...row, name: "burst of logins beyond the endpoint's connections", ways: ["http"], round: logIn },
];

async function crowdIn({ way, front, write }: Ground): Promise<Round> {
  const startedAt = performance.now();
  const crowd = Array.from({ length: CROWD }, () => {
    const webSocket = new WebSocket(`ws://127.0.0.1:${front.port}/v2`);
    const closed = new Promise<void>((resolve) => webSocket.once("close", () => resolve()));
    const opened = new Promise<boolean>((resolve) => {
      webSocket.once("open", () => resolve(true)).once("error", () => resolve(false));
    });
    return { webSocket, opened, closed };
  });
  const open = (await Promise.all(crowd.map(({ opened }) => opened))).filter(Boolean).length;
  // another WebSocket has to wait until the crowd has gone
  const beside = way === "http" ? failing(await write()) : undefined;
  const giveUp = setTimeout(() => crowd.forEach(({ webSocket }) => void webSocket.terminate()), LOGIN_MS + SLACK_MS);
  await Promise.all(crowd.map(({ closed }) => closed));
  clearTimeout(giveUp);
  const held = performance.now() - startedAt >= LOGIN_MS + SLACK_MS ? "WebSockets that never log in are held" : undefined;
  const many = open > MOST_LOGGING_IN ? `${open} of ${CROWD} wait to log in` : undefined;
  return { struck: open > 0, wrong: beside ?? held ?? many };
}

async function logIn({ admin, applicationName, send }: Ground): Promise<Round> {
  const names = Array.from({ length: LOGINS }, (_, index) => `${applicationName}-${index}`);
  const logging = send("logins", { names }, { limitMs: LOGINS_LIMIT_MS });
  let over = false;
  logging.finally(() => {
    over = true;
  });
  let most = 0;
  while (!over) {
    const [row] = await admin.query<{ count: number }>(
      "select count(*)::int as count from pg_stat_activity where application_name = any($1)",
      [names],
    );
    most = Math.max(most, row?.count ?? 0);
  }
  const wrong = failing(await logging) ?? (most > MOST_BACKENDS ? `${most} backends at once instead of ${MOST_BACKENDS}` : undefined);
  return { struck: most > MOST_BACKENDS / 2, wrong, figures: { most } };
}
