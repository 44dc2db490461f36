import { once } from "node:events";
import { get } from "node:http";
import { setImmediate as nextTick } from "node:timers/promises";
import { request } from "undici";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { agent as httpAgent } from "../../examples/keep/http-agent.ts";
import { breaker } from "../../examples/keep/opossum.ts";
import { agent } from "../../examples/keep/undici.ts";
import { type Service, startService } from "./servers/service.ts";

let service: Service;
let address: string;

beforeEach(async () => {
  service = await startService();
  address = `http://127.0.0.1:${service.port}`;
  process.env.SERVICE_URL = address;
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all([agent, httpAgent, breaker].map((kept) => kept.close()));
  await service[Symbol.asyncDispose]();
});

/** Has the service hold back its answer, until it is told to give it. */
function holdBack(): { readonly asked: Promise<void>; answer(): void } {
  const asked = Promise.withResolvers<void>();
  let answer = () => {};
  service.behave((response) => {
    answer = () => response.end("{}");
    asked.resolve();
  });
  return { asked: asked.promise, answer: () => answer() };
}

const ways: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["undici's", () => agent.use(async (dispatcher) => (await request(address, { dispatcher })).body.json())],
  [
    "node:http's",
    () =>
      httpAgent.use(async (own) => {
        const [answer] = await once(get(address, { agent: own }), "response");
        return await once(answer.resume(), "end");
      }),
  ],
];

test.each(ways)("an agent of %s is used again within a second, and left behind after a pause", async (_, ask) => {
  vi.useFakeTimers({ toFake: ["Date"] });
  await ask();
  // undici has its answer a moment before its connection is free
  for (let turns = 0; turns < 5; turns++) await nextTick();
  await ask();
  expect(service.connections()).toBe(1);
  vi.setSystemTime(Date.now() + 60_000);
  await ask();
  expect(service.connections()).toBe(2);
});

test.each(ways)("a call over an agent of %s that is replaced meanwhile ends well", async (_, ask) => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const { asked, answer } = holdBack();
  const slow = ask();
  await asked;
  service.behave(undefined);
  vi.setSystemTime(Date.now() + 60_000);
  await ask();
  expect(service.connections()).toBe(2);
  answer();
  await expect(slow).resolves.toBeDefined();
});

test("a call behind the breaker that takes too long is aborted, and the service hears it", async () => {
  const closed = Promise.withResolvers<void>();
  service.behave((response) => void response.on("close", closed.resolve));
  const failed = breaker.use((own) => own.fire("/slow"));
  await expect(failed).rejects.toMatchObject({ name: "TimeoutError" });
  await closed.promise;
});
