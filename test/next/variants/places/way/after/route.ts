import { after } from "next/server";
import { mark, name } from "../way";

export async function POST(): Promise<Response> {
  after(() => mark(`after ${name}`));
  return new Response("later");
}
