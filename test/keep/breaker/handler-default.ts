import CircuitBreaker from "opossum";
import { request } from "undici";

const breaker = new CircuitBreaker(async (path: string) => {
  const { statusCode, body } = await request(`${process.env.SERVICE_URL}${path}`);
  const answer = await body.json();
  if (statusCode >= 500) throw new Error(`The service answered ${statusCode}.`);
  return answer;
});

/** Asks the service, behind a breaker as it is by default, at module scope. */
export async function handler({ path }: { readonly path: string }): Promise<unknown> {
  return await breaker.fire(path);
}
