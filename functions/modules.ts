/** What only some requests need: the schemas they are checked with, the description of the API, and what `GET /` shows. */
export interface Modules {
  readonly schemas: () => Schemas | Promise<Schemas>;
  readonly openapi: () => object | Promise<object>;
  readonly page: () => Page | Promise<Page>;
}

/** What makes the page, and its text. */
type Page = Pick<typeof import("./page/answer.ts"), "answerOverview">;

/** The schemas by name. */
export type Schemas = typeof import("./schemas.ts");
