import { NextResponse } from "next/server";
import { db } from "./lib/database";

/** Asks before every request whether the shop is open. */
export async function proxy(): Promise<NextResponse> {
  const [shop] = await db.sql<{ closed: boolean }>`select closed from shop`;
  if (shop?.closed) return NextResponse.json({ error: "The shop is closed." }, { status: 503, headers: { "Retry-After": "60" } });
  return NextResponse.next();
}

export const config = { matcher: ["/", "/api/:path*"] };
