import type { DatabaseStats, Plan } from "warmline";

/** What this process' pool has done, and why it is as it is. Neither holds the database's address. */
export function PoolPanel({ stats, plan }: { readonly stats: DatabaseStats; readonly plan: Plan }) {
  const figures: readonly (readonly [string, number])[] = [
    ["connections opened", stats.connects],
    ["open now", stats.total],
    ["times reused", stats.reuses],
    ["most at once", plan.max ?? 0],
  ];
  return (
    <section aria-labelledby="pool" className="panel">
      <h2 id="pool">One pool</h2>
      <dl className="figures">
        {figures.map(([what, count]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{count}</dd>
          </div>
        ))}
      </dl>
      <p className="why">{plan.reasons.transport}</p>
      <p className="why">{plan.reasons.max}</p>
    </section>
  );
}
