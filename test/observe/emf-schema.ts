import * as v from "valibot";

const units = ["Seconds", "Microseconds", "Milliseconds", "Bytes", "Percent", "Count", "None"] as const;
const name = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));

const document = v.looseObject({
  _aws: v.strictObject({
    Timestamp: v.pipe(v.number(), v.integer(), v.minValue(0)),
    CloudWatchMetrics: v.pipe(
      v.array(
        v.strictObject({
          Namespace: name,
          Dimensions: v.pipe(
            v.array(v.pipe(v.array(v.pipe(v.string(), v.minLength(1), v.maxLength(250))), v.maxLength(30))),
            v.minLength(1),
          ),
          Metrics: v.pipe(
            v.array(
              v.strictObject({ Name: name, Unit: v.optional(v.picklist(units)), StorageResolution: v.optional(v.picklist([1, 60])) }),
            ),
            v.maxLength(100),
          ),
        }),
      ),
      v.minLength(1),
    ),
  }),
});

const dimensionValue = v.pipe(v.string(), v.minLength(1), v.maxLength(1024));
const metricValue = v.union([
  v.pipe(v.number(), v.finite()),
  v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(1), v.maxLength(100)),
]);

/**
 * Reads a line of the Embedded Metric Format. Source: Amazon CloudWatch documentation, "Specification: Embedded metric format": the schema,
 * the limits, and that every metric and dimension a directive names is a member of the root.
 *
 * @throws ValiError for a line that CloudWatch would not take
 */
export function readEmf(line: string): Readonly<Record<string, unknown>> {
  const { _aws, ...members } = v.parse(document, JSON.parse(line));
  for (const { Dimensions, Metrics } of _aws.CloudWatchMetrics) {
    for (const dimension of Dimensions.flat()) v.parse(dimensionValue, members[dimension]);
    for (const metric of Metrics) v.parse(metricValue, members[metric.Name]);
  }
  return { ...members, namespace: _aws.CloudWatchMetrics[0]?.Namespace, metrics: _aws.CloudWatchMetrics.flatMap((one) => one.Metrics) };
}
