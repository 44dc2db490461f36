/** A worker that loads nothing: what the runtime itself takes. */
export default { fetch: () => new Response("started") };
