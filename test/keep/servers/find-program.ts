import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** The path of a program of a Debian package; undefined where it is not installed. */
export function findProgram(...names: readonly string[]): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path));
}

/** What the recipes need and this machine has not, in words; undefined where all is there. */
export function missingServers(): string | undefined {
  const missing = [
    ...(findProgram("mariadbd") && findProgram("mariadb-install-db") ? [] : ["mariadb-server"]),
    ...(findProgram("redis-server", "valkey-server") ? [] : ["redis-server"]),
  ];
  return missing.length > 0
    ? `not installed: ${missing.join(", ")}. To have it: apt-get install --no-install-recommends ${missing.join(" ")}`
    : undefined;
}
