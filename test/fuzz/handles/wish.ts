import type { DatabaseOptions } from "../../../src/entry/node.ts";
import type { Random } from "../../support/random.ts";
import { type Ground, passwordOf, ROLE, schemas, type User, users } from "./ground.ts";

/** What one statement asks the server about the connection it runs on. */
export const QUESTION = `select current_user as who, session_user as login, array_to_string(current_schemas(false), ',') as schemas,
  (select ssl from pg_stat_ssl where pid = pg_backend_pid()) as tls, current_setting('application_name') as application,
  current_setting('statement_timeout') as timeout, pg_backend_pid() || ' ' || pg_stat_get_backend_start(beid) as backend
  from (select pg_stat_get_backend_idset() as beid) as ids where pg_stat_get_backend_pid(beid) = pg_backend_pid()`;

/** The server's answer to {@link QUESTION}. */
export interface Answer {
  readonly who: string;
  readonly login: string;
  readonly schemas: string;
  readonly tls: boolean;
  readonly application: string;
  readonly timeout: string;
  /** The backend, unique for all time. */
  readonly backend: string;
}

/** A handle that somebody wishes for, and what is true of each of its statements. */
export interface Wish {
  readonly over: "database" | "pool";
  readonly options: DatabaseOptions;
  /** The users' room that its connections take up: what of `options` is no identity, and is not shared. */
  readonly room: string;
  readonly max: number;
  /** Null where the secret is wrong, and no statement may run. */
  readonly expected: Omit<Answer, "backend"> | null;
  /** What its connections may be shared by. */
  readonly identity: string;
}

/** Password functions, by what they give: one function is one identity. */
type Secrets = Readonly<Record<User, readonly (string | (() => string | Promise<string>))[]>>;

const RIGHT_SECRETS = 3;

function secretsOf(user: User): Secrets[User] {
  const right = passwordOf(user);
  // three that are right, and two that are wrong
  return [right, () => right, async () => right, "guess", () => "guess"];
}

/** What says who one is, each part chosen by itself. */
interface Parts {
  readonly user: User;
  readonly name: string | undefined;
  readonly secret: number;
  readonly sslMode: "disable" | "no-verify" | "verify-full";
  readonly role: string | null;
  readonly schema: string | null;
  readonly statementTimeoutMs: number | undefined;
  readonly application: number;
}

function draw(random: Random): Parts {
  return {
    user: random.once(4) ? users[1] : users[0],
    name: random.once(5) ? "apart" : undefined,
    secret: random.once(4) ? random.between(RIGHT_SECRETS, 4) : random.between(0, RIGHT_SECRETS - 1),
    sslMode: random.pick(["disable", "no-verify", "verify-full"]),
    role: random.once(3) ? ROLE : null,
    schema: random.once(2) ? random.pick(schemas) : null,
    statementTimeoutMs: random.once(4) ? 9_000 : undefined,
    application: random.between(1, 2),
  };
}

/** Gives wishes, most of which are as the one before but for one part. Applications are named after their room, so that the server can count it. */
export function wisher({ host, port, database, ca }: Ground): (random: Random, number: number) => Wish {
  const secrets = Object.fromEntries(users.map((user) => [user, secretsOf(user)])) as unknown as Secrets;
  let last: Parts | undefined;
  return (random, number) => {
    const drawn = draw(random);
    const changed = random.pick(Object.keys(drawn) as (keyof Parts)[]);
    const parts: Parts = last === undefined || random.once(5) ? drawn : { ...last, [changed]: drawn[changed] };
    last = parts;
    const { user, name, secret, sslMode, role, schema, statementTimeoutMs } = parts;
    const room = name ?? "together";
    const applicationName = `${room}-${parts.application}`;
    const startupOptions = [role && `-c role=${role}`, schema && `-c search_path=${schema}`].filter(Boolean).join(" ") || undefined;
    const tls: DatabaseOptions = sslMode === "verify-full" ? { sslMode, ca, channelBinding: "require" } : { sslMode };
    const max = random.between(1, 4);
    const over = random.once(3) ? "pool" : "database";
    const limits = {
      max,
      min: random.once(4) ? 1 : 0,
      idleTimeoutMs: random.pick([0, 15, 30_000]),
      // those of handles that are made again and again count by what they are
      maxWaiting: over === "pool" ? 10_000 + number : 10_000,
    };
    const login = { user, statementTimeoutMs, applicationName, startupOptions };
    return {
      over,
      options: { host, port, database, name, password: secrets[user][secret], deadlineMs: 20_000, ...login, ...tls, ...limits },
      room: `${user} ${room}`,
      max,
      expected:
        secret < RIGHT_SECRETS
          ? {
              who: role ?? user,
              login: user,
              schemas: schema ?? "public",
              tls: sslMode !== "disable",
              application: applicationName,
              timeout: statementTimeoutMs === undefined ? "0" : "9s",
            }
          : null,
      identity: JSON.stringify(parts),
    };
  };
}
