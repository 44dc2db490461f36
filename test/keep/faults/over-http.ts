import { type Agent, request } from "node:http";

/** Asks the service over `node:http`, as code would that has an agent; without one, over the global one. */
export function ask(method: "GET" | "POST", id: string, agent?: Agent): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asking = request(`${process.env.SERVICE_URL}/${id}`, { method, ...(agent && { agent }) }, (answer) => {
      answer.on("error", reject).on("end", resolve).resume();
    });
    asking.on("error", reject).end();
  });
}
