/** What only some requests need: the schemas they are checked with, and the description of the API. */
export interface Modules {
  readonly schemas: () => Schemas | Promise<Schemas>;
  readonly openapi: () => object | Promise<object>;
}

/** The schemas by name. */
export type Schemas = typeof import("./schemas.ts");
