import { count } from "../way";

export async function GET(): Promise<Response> {
  return Response.json({ count: await count("seed") });
}
