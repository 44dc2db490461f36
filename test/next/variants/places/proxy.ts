import { NextResponse } from "next/server";
import { count } from "./lib/pool";

/** Asks before each request. */
export async function proxy(): Promise<NextResponse> {
  const response = NextResponse.next();
  response.headers.set("x-instrumented", String((await count("instrumentation")) > 0));
  return response;
}

export const config = { matcher: ["/pool/:path*", "/http/:path*", "/shared/:path*", "/pg/:path*"] };
