/** Ends every exhaustive `switch`: a new member of the union becomes a compile error at each place that must know it. */
export function neverReached(value: never): never {
  throw new Error(`unexpected value: ${JSON.stringify(value)}`);
}
