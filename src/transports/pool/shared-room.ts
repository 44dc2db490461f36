import { processClock } from "./process-clock.ts";
import { nextNumber, registered, warnOfMany } from "./registry.ts";
import { Room, type RoomLimits } from "./room.ts";
import type { WarmPool } from "./warm-pool.ts";

/** Who one is to the server, and how one is protected on the way there: connections of two identities are never mixed. */
export interface Identity {
  /** A hash of everything that is said at login, a password that is text included, and of what is known of the other end. */
  readonly fingerprint: string;
  /** Functions and other things of the caller's that are who they are, each its reference: a password function, hooks of pg's. */
  readonly references: readonly unknown[];
}

/** Which connections are wanted, in which room, and by whom. */
export interface PoolRequest {
  /** Address, database and user, and the setting `name`. */
  readonly room: string;
  readonly identity: Identity;
  readonly limits: RoomLimits;
  readonly create: (room: Room) => WarmPool;
  /** Shown each pool of this identity once; null for none. */
  readonly onPool: ((pool: WarmPool) => void) | null;
  /**
   * Which of two handles is the newer: the number it was given when it was made. Left out by handles that are made again and again, and may be
   * forgotten: they count as one for each identity and limits, made when the first of them was.
   */
  readonly order?: number;
  readonly warn: (message: string) => void;
}

/** A handle's share of the pool of its identity. */
export interface PoolShare {
  /** The pool of the moment, to be asked at every call: one that somebody has ended is replaced. */
  readonly pool: WarmPool;
  /** Gives the share up; the last one of an identity ends its pool. */
  readonly release: () => Promise<void>;
}

/** What is wanted by a handle, or by handles that count as one. */
interface Want {
  readonly limits: RoomLimits;
  readonly order: number;
  /** Whether it is of those that count as one. */
  readonly common: boolean;
  holders: number;
}

/** The pool of an identity, and who wants it. */
interface Resident {
  readonly identity: Identity;
  pool: WarmPool;
  readonly wants: Set<Want>;
}

/** What the handles of one address, database and user share. */
interface SharedRoom {
  readonly room: Room;
  readonly residents: Set<Resident>;
  /** Whether it has been said that limits differ. */
  warned: boolean;
}

/**
 * A share of the pool of an identity, which is made if there is none, in the room of its address, database and user. Where limits differ those
 * of the newest handle hold for the whole room; when it is released, those of the newest of the rest.
 */
export function sharePool(request: PoolRequest): PoolShare {
  const { entry, remove } = registered<SharedRoom>(request.room, { make: () => makeRoom(request), warn: request.warn });
  const resident = residentOf(entry, request);
  try {
    show(resident, request);
  } catch (error) {
    // nobody has it yet
    if (resident.wants.size === 0) {
      entry.residents.delete(resident);
      resident.pool.end().catch(() => {});
    }
    if (entry.residents.size === 0 && entry.room.vacant) remove();
    throw error;
  }
  warnOfMany<SharedRoom>(({ residents }) => residents.size, request.warn);
  const want = wantOf(resident, request);
  warnOfDifference(entry, request);
  useNewest(entry);
  let released = false;
  return {
    get pool() {
      if (!released && resident.pool.closing) replace(entry, resident, request);
      return resident.pool;
    },
    async release() {
      if (released) return;
      released = true;
      want.holders--;
      if (want.holders > 0) return;
      resident.wants.delete(want);
      if (resident.wants.size === 0) entry.residents.delete(resident);
      useNewest(entry);
      if (resident.wants.size === 0 && !resident.pool.closing) await resident.pool.end();
      // until then whoever comes has to find what still takes up room
      if (entry.residents.size === 0 && entry.room.vacant) remove();
    },
  };
}

function makeRoom({ limits, warn }: PoolRequest): SharedRoom {
  return { room: new Room(limits, { now: processClock.now, warn }), residents: new Set(), warned: false };
}

function residentOf(entry: SharedRoom, { identity, create }: PoolRequest): Resident {
  for (const resident of entry.residents) {
    const { fingerprint, references } = resident.identity;
    // of one fingerprint, they are as many
    if (fingerprint === identity.fingerprint && references.every((one, at) => one === identity.references[at])) return resident;
  }
  const resident: Resident = { identity, pool: create(entry.room), wants: new Set() };
  entry.residents.add(resident);
  return resident;
}

function wantOf({ wants }: Resident, { limits, order }: PoolRequest): Want {
  const common = order === undefined;
  const same = common ? [...wants].find((want) => want.common && differing(want.limits, limits).length === 0) : undefined;
  const want = same ?? { limits, order: order ?? nextNumber(), common, holders: 0 };
  want.holders++;
  wants.add(want);
  return want;
}

/** Puts a pool in the place of one that somebody has ended who was shown it. */
function replace({ room }: SharedRoom, resident: Resident, request: PoolRequest): void {
  const { audiences } = resident.pool.state;
  resident.pool = request.create(room);
  // whoever listens goes on listening
  resident.pool.state.audiences = audiences;
  try {
    show(resident, request);
  } catch (error) {
    // so that the next call shows another
    resident.pool.end().catch(() => {});
    throw error;
  }
}

/** Handles share the pool, and one that looks after it is enough. */
function show({ pool }: Resident, { onPool }: PoolRequest): void {
  if (onPool === null || pool.state.shown) return;
  // first: it may call this database
  pool.state.shown = true;
  try {
    onPool(pool);
  } catch (error) {
    pool.state.shown = false;
    throw error;
  }
}

function useNewest({ room, residents }: SharedRoom): void {
  let newest: Want | undefined;
  for (const { wants } of residents) for (const want of wants) if (newest === undefined || want.order > newest.order) newest = want;
  if (newest !== undefined && differing(newest.limits, room.limits).length > 0) room.adopt(newest.limits);
}

function warnOfDifference(entry: SharedRoom, { limits, warn }: PoolRequest): void {
  const names = differing(entry.room.limits, limits);
  if (entry.warned || names.length === 0) return;
  entry.warned = true;
  warn(
    `Databases of one host, port, database and user share one room, and were made with different ${names.join(", ")}. The newest holds for all. Keep settings in one place, or give each a name. Said once.`,
  );
}

function differing(one: RoomLimits, other: RoomLimits): readonly string[] {
  return (Object.keys(one) as (keyof RoomLimits)[]).filter((name) => one[name] !== other[name]);
}
