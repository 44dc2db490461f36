/** Where a running demo answers. */
export interface DemoUrls {
  readonly apiUrl: string;
  readonly endpointUrl: string;
  /** With its password, which is made up for the demo's own Postgres: anybody on this machine may try it. */
  readonly databaseUrl: string;
}

/** The demo's addresses, and lines to try in another terminal. */
export function invitation({ apiUrl, endpointUrl, databaseUrl }: DemoUrls): string {
  return `Demo API       ${apiUrl}   (a page; described in ${apiUrl}/openapi.json)
SQL over HTTP  ${endpointUrl}
Database       ${databaseUrl}

Try it:
  curl -i ${apiUrl}/products/1
  curl -i -X POST ${apiUrl}/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: my-first-order' \\
       -d '{"lines":[{"productId":1,"quantity":2}]}'
  curl -s ${apiUrl}/proof
  curl -s ${apiUrl}/stats
  psql '${databaseUrl}' -c 'select * from orders'
Send the order twice: the second answer is the first order again. X-Connection-Reused tells that no connection was opened for it.`;
}
