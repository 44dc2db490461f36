import { failureOf } from "../orm.ts";
import type { Other } from "./other.ts";

/** As far as it is used. */
interface Auth {
  readonly options: object;
  readonly api: {
    signUpEmail(call: object): Promise<{ readonly token: string; readonly user: { readonly email: string } }>;
    signInEmail(call: object): Promise<{ readonly token: string }>;
    getSession(call: object): Promise<{ readonly user: { readonly name: string } } | null>;
  };
}

export const other: Other = async ({ pool, check, tool }) => {
  const { betterAuth } = await tool<{ betterAuth: (options: object) => Auth }>("better-auth");
  const { getMigrations } = await tool<{ getMigrations: (options: object) => Promise<{ runMigrations(): Promise<void> }> }>(
    "better-auth/db/migration",
  );
  const auth = betterAuth({
    database: pool,
    secret: "a secret of forty characters, for this one test",
    baseURL: "http://localhost:3000",
    emailAndPassword: { enabled: true },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const { runMigrations } = await getMigrations(auth.options);
  await runMigrations();
  const body = { email: "ada@example.com", password: "correct horse battery", name: "Ada" };
  check("signs up", (await auth.api.signUpEmail({ body })).user.email, "ada@example.com");
  check("once", (await failureOf(() => auth.api.signUpEmail({ body }))) instanceof Error, true);
  const { token } = await auth.api.signInEmail({ body });
  check("signs in", (await pool.query("select count(*)::int as n from session where token = $1", [token])).rows, [{ n: 1 }]);
  const wrong = await failureOf(() => auth.api.signInEmail({ body: { ...body, password: "wrong horse battery" } }));
  check("refuses a wrong password", (wrong as { readonly status: string }).status, "UNAUTHORIZED");
};
