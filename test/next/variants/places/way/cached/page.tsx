import { cacheLife } from "next/cache";
import { count } from "../way";

async function seeds() {
  "use cache";
  cacheLife({ stale: 60, revalidate: 1, expire: 3600 });
  return await count("fresh");
}

export default async function Page() {
  return <b>{await seeds()}</b>;
}
