import type { Address, Place } from "./address.ts";
import { refusal } from "./refuse.ts";
import type { Settings } from "./settings.ts";
import { toldTarget } from "./target.ts";

/** The address of each server, in the order in which they are tried. */
export function serversOf(address: Address): readonly Address[] {
  return [address, ...address.others.map((place) => ({ ...address, ...place }))];
}

/**
 * Every address that connections are opened to over sockets.
 * @throws {ConfigError} where the hosts of one are told to be of different kinds: what one of them can do is not what another can.
 */
export function everyServer({ address, directAddress, target }: Settings): readonly Address[] {
  return [address, directAddress ?? address].flatMap((one) => {
    const servers = serversOf(one);
    if (target === null) refuseMixed(servers);
    return servers;
  });
}

/** @throws {ConfigError} where hosts are told to be of different kinds */
export function refuseMixed(places: readonly Place[]): void {
  if (new Set(places.map(toldTarget)).size > 1) throw refusal("host", "names of servers of one kind: where they are, say which in target");
}
