import { draftMode } from "next/headers";

export async function POST(): Promise<Response> {
  (await draftMode()).enable();
  return new Response("draft");
}
