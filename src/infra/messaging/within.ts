/** Thrown where somebody was waited for, and did not answer in time. */
export class TookTooLong extends Error {
  constructor() {
    super('no answer in time');
    this.name = 'TookTooLong';
  }
}

/** What `work` answers within so many milliseconds; rejects with TookTooLong after that. What comes later is ignored. */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TookTooLong()), ms);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
