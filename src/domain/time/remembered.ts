const MOST = 1000;
/**
 * A pure reading of short texts that keeps its answers: the fields of triggers are few, however many triggers there are. Bounded;
 * what throws, or comes from a text of more than `longest` characters, is not kept. Answers are shared, so they must not change.
 */
export function remembered<T>(longest = 40): (text: string, read: () => T) => T {
  const known = new Map<string, T>();
  return (text, read) => {
    const answer = known.get(text);
    if (answer !== undefined) return answer;
    const fresh = read();
    if (text.length > longest) return fresh;
    if (known.size >= MOST) known.clear();
    known.set(text, fresh);
    return fresh;
  };
}
