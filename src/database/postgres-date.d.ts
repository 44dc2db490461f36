declare module "postgres-date" {
  /** A `date`, `timestamp` or `timestamptz` in ISO form; a number for infinity, and null for what has another form. */
  export default function parseDate(text: string): Date | number | null;
}
