import { validator } from "hono/validator";

/** What a client sends. */
export interface NewAuthor {
  readonly name: string;
  readonly titles: readonly string[];
}

/** Answers 400 to anything else. */
export const newAuthor = validator("json", (value: Partial<NewAuthor> | null, c): NewAuthor | Response => {
  const { name, titles } = value ?? {};
  const isRight =
    typeof name === "string" && Array.isArray(titles) && titles.length > 0 && titles.every((title) => typeof title === "string");
  return isRight ? { name, titles } : c.json({ error: "It takes a name, and the titles of one book or more." }, 400);
});
