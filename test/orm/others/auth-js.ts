import type pg from "pg";
import type { Other } from "./other.ts";

type Step = (...given: unknown[]) => Promise<{ readonly id: string; readonly [field: string]: unknown } | null>;

/** The tables that the adapter's documentation asks for. */
const tables = `
  create table verification_token (identifier text not null, expires timestamptz not null, token text not null, primary key (identifier, token));
  create table accounts (
    id serial primary key, "userId" int not null, type text not null, provider text not null, "providerAccountId" text not null, refresh_token text,
    access_token text, expires_at bigint, id_token text, scope text, session_state text, token_type text
  );
  create table sessions (id serial primary key, "userId" int not null, expires timestamptz not null, "sessionToken" text not null);
  create table users (id serial primary key, name text, email text, "emailVerified" timestamptz, image text)`;

export const other: Other = async ({ pool, check, tool }) => {
  const { default: adapterOver } = await tool<{ default: (pool: pg.Pool) => Readonly<Record<string, Step>> }>("@auth/pg-adapter");
  const adapter = adapterOver(pool);
  const step = (name: string): Step => adapter[name] as Step;
  await pool.query(tables);
  const expires = new Date("2030-01-01T00:00:00Z");
  const user = await step("createUser")({ name: "Ada", email: "ada@example.com", emailVerified: null, image: null });
  await step("linkAccount")({ userId: user?.id, type: "oauth", provider: "hub", providerAccountId: "1", expires_at: 1_893_456_000 });
  check("finds by account", await step("getUserByAccount")({ provider: "hub", providerAccountId: "1" }), user);
  check("finds by address", await step("getUserByEmail")("ada@example.com"), user);
  await step("createSession")({ sessionToken: "s", userId: user?.id, expires });
  const found = (await step("getSessionAndUser")("s")) as unknown as {
    readonly session: { readonly expires: Date };
    readonly user: unknown;
  };
  check("finds a session with its user", [found.session.expires, found.user], [expires, user]);
  await step("createVerificationToken")({ identifier: "ada@example.com", expires, token: "t" });
  const use = () => step("useVerificationToken")({ identifier: "ada@example.com", token: "t" });
  check("takes a token once", [(await use()) === null, await use()], [false, null]);
  await step("deleteUser")(user?.id);
  check("deletes", await step("getUser")(user?.id), null);
};
