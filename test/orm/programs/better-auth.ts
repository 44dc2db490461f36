import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { WarmlineDialect } from "warmline/kysely";
import { failureOf, type Orm } from "../orm.ts";

/** Whom it signs in. */
const ada = { email: "ada@example.com", password: "notes on the engine", name: "Ada" };

/** better-auth over Kysely's dialect: tables, signing up, in and out. */
export const orm: Orm = {
  tables: "",
  async run({ db, check }) {
    const auth = betterAuth({
      database: { dialect: new WarmlineDialect(db), type: "postgres", transaction: true },
      secret: "a secret of thirty-two characters",
      baseURL: "http://127.0.0.1:3000",
      emailAndPassword: { enabled: true },
      telemetry: { enabled: false },
      logger: { disabled: true },
    });
    const { runMigrations } = await getMigrations(auth.options);
    await runMigrations();
    const { toBeCreated } = await getMigrations(auth.options);
    check("its tables are there, and nothing is left to create", toBeCreated, []);
    const { user } = await auth.api.signUpEmail({ body: ada });
    check("who signed up", [user.email, user.name, user.emailVerified, user.createdAt instanceof Date], [ada.email, "Ada", false, true]);
    const again = (await failureOf(() => auth.api.signUpEmail({ body: ada }))) as { readonly status?: unknown };
    check("who signs up again", again.status, "UNPROCESSABLE_ENTITY");
    const wrong = (await failureOf(() => auth.api.signInEmail({ body: { ...ada, password: "another" } }))) as { readonly status?: unknown };
    check("a wrong password", wrong.status, "UNAUTHORIZED");
    const { headers, response } = await auth.api.signInEmail({ body: ada, returnHeaders: true });
    check("who signed in", response.user.id === user.id, true);
    const cookie = new Headers({ cookie: headers.get("set-cookie").split(";")[0] });
    const session = await auth.api.getSession({ headers: cookie });
    check("whose session it is", [session.user.name, session.session.userId === user.id], ["Ada", true]);
    check("how many there are", (await auth.api.listSessions({ headers: cookie })).length, 2);
    await auth.api.updateUser({ headers: cookie, body: { name: "Ada L." } });
    check("what is in the table", await db.sql`select name, email from "user"`, [{ name: "Ada L.", email: ada.email }]);
    check("signing out", (await auth.api.signOut({ headers: cookie })).success, true);
    check("nobody's session", await auth.api.getSession({ headers: cookie }), null);
    check("what is left of sessions", await db.sql`select count(*)::int as left from session`, [{ left: 1 }]);
  },
};
