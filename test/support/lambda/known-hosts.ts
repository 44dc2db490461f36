/** For `node --import`, in an environment: hosts whose names end in `?suffix=` are on this machine. Others are looked up as ever. */
import dns from "node:dns";

const suffix = new URL(import.meta.url).searchParams.get("suffix");
if (suffix === null) throw new Error("The end of the names is missing: known-hosts.ts?suffix=.example.com");
const { lookup } = dns;
dns.lookup = ((name: string, ...rest: Parameters<typeof lookup> extends [string, ...infer Rest] ? Rest : never) =>
  lookup(name.endsWith(suffix) ? "127.0.0.1" : name, ...rest)) as typeof lookup;
