import type { Fate } from "../../../src/entry/node.ts";
import { otherwise } from "../expected.ts";
import type { Fault, Ground, Round } from "../fault.ts";
import { type HttpProxy, startHttpProxy, type Trick } from "../middles/http-proxy.ts";

/** What a load balancer or the endpoint may answer instead of a result, and what the caller is to be told. */
interface Answered {
  readonly name: string;
  readonly trick: Trick;
  /** Whether the statement was carried out before, which the caller must not be able to take for refused: then every other time. */
  readonly maybeDone: boolean;
  readonly code: string;
  readonly fate: Fate;
  /** Whether it answers a batch: to Neon's endpoint one whose result is too large is undone. Default: a write. */
  readonly batch?: boolean;
}

const plain =
  (status: number, body = "", headers: Readonly<Record<string, string>> = {}): Trick =>
  async ({ response }) =>
    void response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers }).end(body);

const html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
const withStatus = { code: "HTTP_STATUS" } as const;

const answers: readonly Answered[] = [
  { name: "400", trick: plain(400, '{"message":"bad request"}'), maybeDone: true, ...withStatus, fate: "unknown" },
  { name: "404", trick: plain(404, '{"msg":"not found"}'), maybeDone: false, ...withStatus, fate: "refused" },
  { name: "413", trick: plain(413, '{"msg":"too large"}'), maybeDone: false, ...withStatus, fate: "refused" },
  { name: "429", trick: plain(429, '{"msg":"slow down"}'), maybeDone: false, ...withStatus, fate: "refused" },
  { name: "500", trick: plain(500, '{"msg":"internal error"}'), maybeDone: true, ...withStatus, fate: "unknown" },
  { name: "502 with HTML", trick: plain(502, html, { "content-type": "text/html" }), maybeDone: true, ...withStatus, fate: "unknown" },
  { name: "503", trick: plain(503, "", { "retry-after": "1" }), maybeDone: true, ...withStatus, fate: "unknown" },
  { name: "507", trick: plain(507, '{"message":"response is too large"}'), maybeDone: true, ...withStatus, fate: "unknown" },
  {
    name: "507 of a batch",
    trick: plain(507, '{"message":"response is too large"}'),
    maybeDone: false,
    ...withStatus,
    fate: "refused",
    batch: true,
  },
  {
    name: "truncated JSON",
    async trick({ response, pass }) {
      const { body } = await pass();
      response.end(body.subarray(0, body.length / 2));
    },
    maybeDone: false,
    code: "BAD_RESPONSE",
    fate: "unknown",
  },
  { name: "invalid JSON", trick: plain(200, "<html>sign in</html>"), maybeDone: true, code: "BAD_RESPONSE", fate: "unknown" },
  { name: "empty JSON", trick: plain(200, "{}"), maybeDone: true, code: "BAD_RESPONSE", fate: "unknown" },
  { name: "empty body", trick: plain(200), maybeDone: true, code: "BAD_RESPONSE", fate: "unknown" },
  {
    name: "body cut off",
    async trick({ response, pass }) {
      const { body } = await pass();
      response.writeHead(200, { "content-length": body.length });
      response.write(body.subarray(0, 10), () => response.destroy());
    },
    maybeDone: false,
    code: "CONNECTION_LOST",
    fate: "unknown",
  },
  {
    name: "reset before the request was carried out",
    trick: async ({ request }) => void request.socket.resetAndDestroy(),
    maybeDone: false,
    code: "CONNECTION_LOST",
    fate: "unknown",
  },
  {
    name: "reset after the request was carried out",
    async trick({ request, pass }) {
      await pass();
      request.socket.resetAndDestroy();
    },
    maybeDone: false,
    code: "CONNECTION_LOST",
    fate: "unknown",
  },
];

/** Answers that are none. */
export const httpAnswers: readonly Fault[] = answers.map(
  (answered): Fault<HttpProxy> => ({
    group: "http",
    name: answered.name,
    ways: ["http"],
    rounds: 10,
    middle: startHttpProxy,
    round: (ground) => answerOnce(ground, answered),
  }),
);

/** The first request alone is answered so: whoever repeats it would be served, and be seen in the table. */
async function answerOnce(ground: Ground<HttpProxy>, { trick, maybeDone, code, fate, batch }: Answered): Promise<Round> {
  const { middle } = ground;
  const before = middle.struck;
  const done = maybeDone && before % 2 === 0;
  middle.play(async (exchange) => {
    middle.play(undefined);
    if (done) await exchange.pass();
    await trick(exchange);
  });
  const outcome = await (batch ? ground.transaction() : ground.write());
  middle.play(undefined);
  return { struck: middle.struck > before, wrong: otherwise(outcome, { code, fate }) };
}

/** Statuses instead of a WebSocket: no session was opened, so nothing was sent, and the transaction is tried again by itself. */
export const refusedUpgrades: readonly Fault[] = [400, 404, 429, 500, 502, 503].map(
  (status): Fault<HttpProxy> => ({
    group: "http",
    name: `WebSocket refused with ${status}`,
    ways: ["websocket"],
    rounds: 5,
    middle: startHttpProxy,
    async round(ground) {
      const { middle } = ground;
      const before = middle.struck;
      middle.refuseUpgrades(status);
      const outcome = await ground.send("another", { id: ground.id() });
      middle.refuseUpgrades(undefined);
      return { struck: middle.struck > before, wrong: otherwise(outcome, { code: "CONNECT_FAILED", fate: "not-sent" }) };
    },
  }),
);
