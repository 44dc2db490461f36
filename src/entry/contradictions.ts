import { tokenRegion } from "../aws/region.ts";
import { completeAddress, directGiven, type Place, placesOf } from "../decide/address.ts";
import { usesIam } from "../decide/auth.ts";
import { refuseAtLogin } from "../decide/plan.ts";
import { refuseMixed } from "../decide/servers.ts";
import type { DatabaseOptions } from "../decide/settings.ts";
import type { GivenSettings } from "../decide/table.ts";
import { detectTarget, type TargetName, toldTarget } from "../decide/target.ts";
import { chooseTls } from "../decide/tls.ts";
import { parseUrl } from "../decide/url.ts";

/** What the environment may give, where it cannot change the answer. */
const ELSEWHERE = { host: "unknown", user: "unknown", database: "unknown" };

/** Any other port: whether a host is told by itself. */
const OTHER_PORT = 6543;

/**
 * Refuses what no environment could make right: settings of the options and their URLs that contradict each other, or what their host tells. For
 * the entries of Node: where there are no sockets of one's own, most of these are not asked.
 * @throws {ConfigError} as the first call would.
 */
export function refuseContradictions(options: DatabaseOptions): void {
  // most give none, and nothing of it is needed before the first call
  if (Object.keys(options).length === 0) return;
  const { url, directUrl, target } = options;
  const main: GivenSettings = { ...(url !== undefined && parseUrl(url, "url").given), ...options };
  refuseIn(main, target);
  if (directUrl === undefined) return;
  refuseIn({ ...(main.host !== undefined && { host: main.host }), ...directGiven(directUrl, options) }, undefined);
}

function refuseIn(given: GivenSettings, explicit: TargetName | undefined): void {
  const { host, cert, key, auth, region } = given;
  const half = cert ?? key;
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as GivenSettings;
  // a list of ports needs its hosts; the other half of the pair may be a variable
  const whole: GivenSettings = { ...ELSEWHERE, ...known, ...(half !== undefined && { cert: cert ?? half, key: key ?? half }) };
  const places = placesOf(host === undefined ? ELSEWHERE : given);
  if (explicit === undefined && given.target === undefined) refuseMixed(places);
  for (const place of places) {
    // where nothing is said a variable may ask for TLS, but for a socket
    const tls = given.sslMode === undefined && !place.host.startsWith("/") ? ({ sslMode: "require" } as const) : {};
    const address = completeAddress({ ...whole, ...place, ...tls });
    chooseTls(address);
    const name = explicit ?? targetOf(given, place);
    if (auth === "iam") {
      usesIam(address, detectTarget(place, name ?? "rds", null));
      if (region !== undefined) tokenRegion({ host: place.host, region, env: { AWS_REGION: region } });
    }
    if (name !== undefined) refuseAtLogin(known, detectTarget(place, name, null));
  }
}

/** The target, where a host tells it, by itself or with a port that is given. */
function targetOf({ host, port, target = "postgres" }: GivenSettings, place: Place): TargetName | undefined {
  const told = toldTarget(place);
  const isCertain = host !== undefined && (port !== undefined || told === toldTarget({ ...place, port: OTHER_PORT }));
  return isCertain ? (told ?? target) : undefined;
}
